"""The last version of each site file that worked, kept in the state folder: a start with a bad file goes on with it.

One file a site, `NAME.toml.json`, with the text of the site file and of the defaults under it. They are as secret as
the site files, so nobody else may read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from twisted.logger import Logger

from gateway.config.loader import Defaults, Draft, draft_of
from gateway.config.source import Source
from gateway.errors import ConfigError

log = Logger()


class KeptVersions:
    """Last good versions on disk.

    Nothing is written before `begin`, so that the files belong to the user who the gateway runs as.

    Args:
        folder: Where they are; made when the first one is written.
        environ: The environment, for `env:NAME`.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._waiting: dict[str, Draft] | None = {}
        self._complained = False

    def begin(self) -> None:
        """Write what was to be kept until now, and forget sites whose files were removed meanwhile."""
        waiting, self._waiting = self._waiting or {}, None
        for draft in waiting.values():
            self.keep(draft)
        for kept in self._all():
            if not (origin := _origin(kept)) or not os.path.lexists(origin):
                self._remove(kept)

    def find(self, draft: Draft) -> Draft | None:
        """Find the last good version of a site file; None where there is none, or it does not work any more."""
        try:
            kept = json.loads(self._place(draft.file).read_bytes())
            source = Source(draft.file, str(kept["text"]))
            below = kept["defaults"]
            defaults = Defaults() if below is None else Defaults(source=Source(Path(below["file"]), str(below["text"])))
            found = draft_of(source, defaults, self._environ)
        except (OSError, ValueError, KeyError, TypeError, ConfigError):
            return None
        return found if found.site is not None and kept["file"] == os.path.abspath(draft.file) else None

    def keep(self, draft: Draft) -> None:
        """Remember a version that works."""
        if self._waiting is not None:
            self._waiting[str(draft.file)] = draft
            return
        if draft.source is None:
            return
        below = None if draft.below is None else {"file": str(draft.below.file), "text": draft.below.text}
        kept = {"file": os.path.abspath(draft.file), "text": draft.source.text, "defaults": below}
        try:
            self._write(self._place(draft.file), json.dumps(kept, indent=1).encode("utf-8"))
        except OSError as error:
            if not self._complained:
                self._complained = True
                log.warn("last good versions of site files cannot be kept: {error}", error=error)

    def drop(self, file: str) -> None:
        """Forget a site file that was removed."""
        if self._waiting is not None:
            self._waiting.pop(file, None)
        else:
            self._remove(self._place(Path(file)))

    def _place(self, file: Path) -> Path:
        return self._folder / f"{file.name}.json"

    def _all(self) -> Iterator[Path]:
        try:
            yield from (self._folder / name for name in os.listdir(self._folder) if name.endswith(".toml.json"))
        except OSError:
            return

    def _write(self, place: Path, content: bytes) -> None:
        with suppress(OSError):
            if place.read_bytes() == content:
                return
        for folder in (self._folder.parent, self._folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        half = place.with_name(f".{place.name}")
        # Left over from a process that was killed; a name of our own in a folder of our own.
        half.unlink(missing_ok=True)
        with open(half, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
            stream.write(content)
        half.replace(place)

    def _remove(self, place: Path) -> None:
        with suppress(OSError):
            place.unlink()


def _origin(kept: Path) -> str:
    """Tell which site file a kept version is of; empty where it cannot be read."""
    try:
        return str(json.loads(kept.read_bytes())["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
