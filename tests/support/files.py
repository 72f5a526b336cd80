"""Static files in tests: a disk that waits when told to, descriptors counted, one request at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from gateway.resources.static import Static, StaticResource
from gateway.resources.static_answer import FileAnswers
from gateway.resources.static_cache import FileCache
from gateway.units import Seconds
from gateway.web.resource import Resource
from tests.support.streams import RecordingStream, exchange, get

_Result = TypeVar("_Result")

NOW = Seconds(1_800_000_000)
OLD = 1_700_000_000
"""A time for files, in whole seconds."""


class FakeDisk:
    """A `Disk` that answers at once, or when told to.

    Attributes:
        slow: Whether calls wait for `finish`.
        calls: Calls made so far.
    """

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow
        self.calls = 0
        self._waiting: list[Callable[[], None]] = []
        self._soon: list[Callable[[], object]] = []

    def call(self, function: Callable[[], _Result]) -> Deferred[_Result]:
        self.calls += 1
        if not self.slow:
            return _result(function)
        late: Deferred[_Result] = Deferred()
        self._waiting.append(lambda: _result(function).chainDeferred(late))
        return late

    def soon(self, function: Callable[[], object]) -> None:
        self._soon.append(function)

    def turn(self) -> None:
        """Let one turn of the reactor pass."""
        due, self._soon = self._soon, []
        for function in due:
            function()

    def turns(self) -> None:
        """Let turns pass until nothing is due."""
        while self._soon:
            self.turn()

    def finish(self) -> None:
        """Let the oldest waiting call happen."""
        self._waiting.pop(0)()

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return len(self._waiting)


class StaticSite:
    """A folder served by a `StaticResource`.

    Attributes:
        root: The folder.
        disk: Its disk.
        answers: What makes its answers.
        resource: The leaf.
    """

    def __init__(self, root: Path, *, prefix: bytes = b"", slow: bool = False, **settings: object) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.disk = FakeDisk(slow=slow)
        self.cache = FileCache(fresh=Seconds(0))
        self.answers = FileAnswers(self.disk, lambda: NOW, self.cache)
        self.resource: Resource = StaticResource(Static(root=str(root), **settings), self.answers, prefix)

    def write(self, name: str, content: bytes = b"content", mtime: float = OLD) -> Path:
        """Write a file below the root."""
        return write(self.root / name, content, mtime)

    def get(self, target: bytes, *fields: bytes, method: bytes = b"GET") -> RecordingStream:
        """Make one request and take all of its answer."""
        stream = exchange(self.resource, get(target, *fields, method=method))
        self.disk.turns()
        return stream


def write(path: Path, content: bytes = b"content", mtime: float = OLD) -> Path:
    """Write a file, with its folders and time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(int(mtime * 1_000_000_000),) * 2)
    return path


def open_descriptors() -> frozenset[tuple[int, int, int]]:
    """This process's open file descriptors, each with what it leads to.

    A later set with more in it tells of a leak; with less, that what earlier tests left was collected meanwhile.
    """
    found = set()
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):  # closed meanwhile, as the one that lists is
            status = os.fstat(descriptor)
            found.add((descriptor, status.st_dev, status.st_ino))
    return frozenset(found)


def _result(function: Callable[[], _Result]) -> Deferred[_Result]:
    try:
        return succeed(function())
    except OSError:
        return fail()
