"""An app's assets from disk: served in front of the app, and also while it restarts.

The folder is found anew every second, for it may be a pattern (`/opt/app/lib/app-*/priv/static`) or lead through a
link that a deploy switches. What was there before stays as a second root for files with a digest in their name, so that
pages of the last release still find their scripts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from glob import glob, has_magic
from typing import Final

from gateway.errors import FileUnavailable
from gateway.http.caching import has_digest
from gateway.http.paths import file_names
from gateway.resources.static_answer import FileAnswers
from gateway.resources.static_cache import key_of
from gateway.resources.static_entries import MissingEntry
from gateway.resources.static_folder import Folder
from gateway.resources.static_found import Found
from gateway.units import Seconds
from gateway.web.request import Request
from gateway.web.resource import Resource


class AssetsResource(Resource):
    """Answers GET and HEAD for files that exist; anything else is the app's.

    Args:
        roots: Where the files are.
        answers: Makes answers from files.
        app: Who answers everything else.
    """

    __slots__ = ("_answers", "_app", "_known_in", "_roots", "_shelf")

    def __init__(self, roots: AssetRoots, answers: FileAnswers, app: Resource) -> None:
        self._roots = roots
        self._answers = answers
        self._app = app
        self._shelf = answers.shelf()
        self._known_in: tuple[bytes, ...] = ()

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer with a file, or hand the request to the app.

        Raises:
            FileUnavailable: The file is there, but cannot be read for a reason of the machine's.
        """
        head = request.head
        if head.method not in (b"GET", b"HEAD") or head.upgrade or not self._answer(request):
            self._app.render(request, data, end)

    def _answer(self, request: Request) -> bool:
        roots = self._roots.current()
        if roots != self._known_in:
            self._shelf.clear()
            self._known_in = roots
        entry = self._shelf.find(request)
        if entry is not None:
            if type(entry) is MissingEntry:
                return False
            if self._answers.answer_from(entry, request):
                return True
        return self._look(request, roots)

    def _look(self, request: Request, roots: tuple[bytes, ...]) -> bool:
        """Answer with a file that the disk has, and remember whether it has one."""
        key = key_of(request)
        names = file_names(request.path)
        if names and not request.path.decoded.endswith(b"/") and names != [_MANIFEST]:
            digested = has_digest(names[-1])
            for root in roots if digested else roots[:1]:
                try:
                    with Folder(root) as folder:
                        file = folder.open_file(names)
                        if file is not None:
                            self._answers.send(request, Found(folder, names, file), self._shelf, key)
                            return True
                except (PermissionError, FileNotFoundError, NotADirectoryError):
                    continue  # the app may know better; a release may have been deleted
                except OSError as error:
                    raise FileUnavailable(f"{os.fsdecode(root)}: {error}") from error
        self._shelf.keep(key, MissingEntry(), request.received)
        return False


class AssetRoots:
    """Folders of assets, the current one first.

    Args:
        patterns: Paths or patterns with `*`, in order; of the folders that one pattern finds, the one with the highest
            number in its name is first.
        clock: Monotonic seconds.
    """

    __slots__ = ("__weakref__", "_clock", "_current", "_due", "_former", "_patterns")

    def __init__(self, patterns: Sequence[str], clock: Callable[[], Seconds]) -> None:
        self._patterns = patterns
        self._clock = clock
        self._due = float("-inf")
        self._current: tuple[bytes, ...] = ()
        self._former: bytes | None = None

    def current(self) -> tuple[bytes, ...]:
        """List the folders: the current one, then those whose digested files are still served."""
        now = self._clock()
        if now >= self._due:
            self._due = now + _FRESH
            self._refresh()
        return self._current

    def _refresh(self) -> None:
        found = [os.fsencode(os.path.realpath(path)) for pattern in self._patterns for path in _folders(pattern)]
        before = self._current[:1]
        if before and found and found[0] != before[0]:
            self._former = before[0]
        if self._former is not None:
            found.append(self._former)
        self._current = tuple(dict.fromkeys(found))[:_ROOTS]


def _folders(pattern: str) -> list[str]:
    if not has_magic(pattern):
        return [pattern]
    return sorted(glob(pattern), key=_numbers, reverse=True)


def _numbers(path: str) -> list[tuple[int, str]]:
    """Order versions as people do: `app-0.10.0` comes after `app-0.9.0`."""
    return [(int(part), "") if _NUMBER.fullmatch(part) else (-1, part) for part in _NUMBER.split(path)]


_MANIFEST: Final = b"cache_manifest.json"
"""What `mix phx.digest` leaves for the app alone."""
_NUMBER: Final = re.compile(r"([0-9]+)")
_FRESH: Final = 1.0
"""Seconds after which folders are looked for again."""
_ROOTS: Final = 8
"""Folders at most; old releases that nobody deletes must not cost every miss a look."""
