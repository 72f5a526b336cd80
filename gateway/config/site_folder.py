"""The site files of a folder as they were read last; only what changed is read again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Final

from gateway.config.flags import flag_of, is_flag_file
from gateway.config.loader import (
    DEFAULTS_FILE,
    GATEWAY_FILE,
    Defaults,
    Draft,
    is_site_file,
    read_defaults,
    read_gateway,
    read_site,
)
from gateway.config.model import GatewayConfig
from gateway.errors import ConfigError

FRESH: Final = 50_000_000
"""Nanoseconds in which two changes may leave the same times on a file; the kernel counts in steps of up to 10 ms."""


class SiteFolder:
    """A folder of site files.

    Args:
        folder: The folder.
        environ: The environment, for `env:NAME` and systemd's folders.
        wall_clock: Nanoseconds since 1970.

    Attributes:
        config: What gateway.toml says; None if it has errors.
        defaults: What `_defaults.toml` says.
        drafts: The site files by path.
        errors: What is wrong with gateway.toml.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], wall_clock: Callable[[], int] = time.time_ns) -> None:
        self.folder = folder
        self.config: GatewayConfig | None = GatewayConfig()
        self.defaults = Defaults()
        self.drafts: dict[str, Draft] = {}
        self.errors: tuple[ConfigError, ...] = ()
        self._environ = environ
        self._wall_clock = wall_clock
        self._seen: dict[str, Signature | None] = {}
        self._unread = True

    def refresh(self, everything: bool = False) -> Iterator[None]:
        """Read what changed, one file at each step; the attributes hold together once all steps are done.

        Args:
            everything: Read also what looks the same: files that settings refer to may have changed.

        Raises:
            OSError: The folder cannot be read; then everything stays as it was.
        """
        now = scan(self.folder)
        seen, self._seen = self._seen, self._without_fresh(now)
        everything = everything or self._unread
        # Until the end: what was not read in a refresh that is abandoned must not pass for read.
        self._unread = True
        changed = (
            now.keys() if everything else {name for name in now if now[name] is None or now[name] != seen.get(name)}
        )
        gone = seen.keys() - now.keys()
        if everything or GATEWAY_FILE in changed | gone:
            self.config, errors = read_gateway(self.folder / GATEWAY_FILE, self._environ)
            self.errors = tuple(errors)
        if everything or DEFAULTS_FILE in changed | gone:
            # They lie under every site.
            changed = now.keys()
            self.defaults = read_defaults(self.folder / DEFAULTS_FILE, self._environ)
        self.drafts = {file: draft for file, draft in self.drafts.items() if draft.file.name in now}
        for name in sorted(changed - {GATEWAY_FILE, DEFAULTS_FILE}):
            file = self.folder / name
            self.drafts[str(file)] = read_site(file, self.defaults, self._environ)
            yield
        self._unread = False

    def _without_fresh(self, now: Mapping[str, Signature | None]) -> dict[str, Signature | None]:
        """Forget the look of files changed just now, so that the next scan reads them again."""
        since = self._wall_clock() - FRESH
        return {name: look if look is not None and look[-1] < since else None for name, look in now.items()}


Signature = tuple[int, ...]
"""Device, inode, size, and the times of the last change of content and of anything, in nanoseconds."""


def scan(folder: Path) -> dict[str, Signature | None]:
    """Tell how every file of a folder that counts looks from outside; None for one that cannot be looked at.

    Raises:
        OSError: The folder cannot be read.
    """
    names = sorted(os.listdir(folder))
    flags = {name for name in names if is_flag_file(name)}
    return {name: _look(folder, name, flags) for name in names if is_site_file(name)}


def _look(folder: Path, name: str, flags: Set[str]) -> Signature | None:
    """Tell how a site file looks, together with its flag file: a change of either is one of the site."""
    found = signature(folder / name)
    flag = flag_of(Path(name)).name
    if flag not in flags or found is None:
        return found
    other = signature(folder / flag)
    return None if other is None else (*found[:-1], hash(other), max(found[-1], other[-1]))


def signature(path: Path) -> Signature | None:
    """Tell how a file looks from outside, symbolic links followed."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
