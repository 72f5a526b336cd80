"""Reading from disks without making the reactor wait for them."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Final, Protocol, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from gateway.units import ByteCount

_Result = TypeVar("_Result")

STRIDE: Final = ByteCount(131_072)
"""Distance of the octets looked at: the kernel's default for reading ahead."""


class Disk(Protocol):
    """Where work goes that may have to wait for a disk."""

    def call(self, function: Callable[[], _Result]) -> Deferred[_Result]:
        """Call a function where it may wait; its result comes in the reactor's thread."""

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function in the reactor's next turn, so that others get theirs."""


class DiskThreads:
    """A few threads that wait for disks (`Disk`); apart from the reactor's, which look up names.

    Args:
        reactor: The reactor.
        threads: How many calls may wait at a time; others queue, one at most for each exchange.
    """

    def __init__(self, reactor: IReactorTime, threads: int = 4) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(0, threads, "disk")

    def start(self) -> None:
        """Start; calls made before wait until then."""
        self._pool.start()

    def stop(self) -> None:
        """Stop once the calls under way are done."""
        if self._pool.started:
            self._pool.stop()

    def call(self, function: Callable[[], _Result]) -> Deferred[_Result]:
        """Call a function in a thread."""
        return deferToThreadPool(cast("IReactorFromThreads", self._reactor), self._pool, function)

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function in the reactor's next turn."""
        self._reactor.callLater(0, function)


def is_cached(descriptor: int, size: int, offset: int) -> bool:
    """Tell whether a part of a file is there and in the kernel's memory, as far as can be told without reading it.

    Looked at are its first and last octet and one in every `STRIDE`, the unit in which Linux reads files ahead. What
    was dropped between two of these would be waited for.

    Raises:
        OSError: The file cannot be read.
    """
    last = offset + size - 1
    return all(read_cached(descriptor, 1, place) for place in (*range(offset, last, STRIDE), last))


def read_cached(descriptor: int, size: int, offset: int) -> bytes | None:
    """Read from a file what needs no waiting for a disk.

    Returns:
        Up to `size` octets from `offset` on, empty at the file's end; None where the disk would have to be waited for,
        or where that cannot be known.

    Raises:
        OSError: The file cannot be read.
    """
    if sys.platform != "linux":
        return None
    buffer = bytearray(size)
    try:
        count = os.preadv(descriptor, [buffer], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
            return None
        raise
    return bytes(buffer) if count == size else bytes(buffer[:count])
