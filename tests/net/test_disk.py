"""Reading from disks."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from gateway.net.disk import STRIDE, DiskThreads, is_cached, read_cached
from tests.support.files import write
from tests.support.waiting import eventually


def test_what_is_in_memory(tmp_path: Path) -> None:
    """What was just read needs no waiting, unless the file system cannot tell; the end is empty."""
    descriptor = os.open(write(tmp_path / "a", b"0123456789"), os.O_RDONLY)

    def read(size: int, offset: int) -> tuple[bytes] | None:
        os.pread(descriptor, 10, 0)  # or the system may have dropped it by now
        found = read_cached(descriptor, size, offset)
        return None if found is None else (found,)

    try:
        if read(4, 2):
            assert [eventually(lambda part=part: read(*part)) for part in ((4, 2), (40, 8), (4, 10))] == [
                (b"2345",),
                (b"89",),
                (b"",),
            ]
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EOPNOTSUPP])
def test_what_is_not(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk would have to be waited for, or nobody knows, there is no answer."""

    def refuse(*_: object) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "preadv", refuse)
    assert read_cached(0, 1, 0) is None


def test_errors_are_errors() -> None:
    """A read that fails is no question of waiting."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        read_cached(-1, 1, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        is_cached(-1, 1, 0)


def test_a_part_that_is_in_memory(tmp_path: Path) -> None:
    """A part is in memory if it is there; one that goes beyond the end of the file is not."""
    descriptor = os.open(write(tmp_path / "a", b"x" * 300_000), os.O_RDONLY)
    try:
        if read_cached(descriptor, 1, 0) is not None:
            eventually(lambda: os.pread(descriptor, 300_000, 0) and is_cached(descriptor, 300_000, 0))
            eventually(lambda: os.pread(descriptor, 300_000, 0) and is_cached(descriptor, 1, 299_999))
            assert not is_cached(descriptor, 300_001, 0)
            assert not is_cached(descriptor, 1, 300_000)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("gone", [1000, 1000 + STRIDE, 1000 + 2 * STRIDE, 1000 + 2 * STRIDE + 499])
def test_a_part_with_a_gap(gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One octet of those looked at that the disk would have to be waited for is enough."""
    monkeypatch.setattr("gateway.net.disk.read_cached", lambda _file, _size, offset: None if offset == gone else b"x")
    assert not is_cached(0, 2 * STRIDE + 500, 1000)
    assert is_cached(0, 2 * STRIDE + 500, 2_000_000)


class DiskThreadsTests(TestCase):
    """Threads need a running reactor."""

    def setUp(self) -> None:
        self.disk = DiskThreads(reactor, 2)  # type: ignore[arg-type]
        self.disk.start()
        self.addCleanup(self.disk.stop)

    async def test_calls(self) -> None:
        """A call happens in another thread, its result and its error come back."""
        assert await self.disk.call(threading.get_ident) != threading.get_ident()
        with pytest.raises(FileNotFoundError):
            await self.disk.call(lambda: os.open("/nonexistent", os.O_RDONLY))

    async def test_soon(self) -> None:
        """What is due soon happens, but not at once."""
        due: Deferred[None] = Deferred()
        self.disk.soon(lambda: due.callback(None))
        assert not due.called
        await due
