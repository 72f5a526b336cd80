"""Octets that go from a descriptor into a connection's socket without passing through this process.

uvloop's transports offer nothing of the kind, and uvloop lets nobody else wait for a descriptor that a transport has.
So the calls are made on the transport's own socket while the transport has nothing to write, and a socket that takes
no more is waited for on a copy of its descriptor.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from gateway.units import ByteCount, Seconds

log = Logger()

_NO_DESCRIPTOR: Final = -1
_RETRY: Final = Seconds(0.1)  # where no descriptor is left to wait on


class RawOutput:
    """Sends from descriptors on one socket, with the back-pressure of ordinary writes.

    Args:
        loop: The loop the connection lives on.
        sock: Descriptor of the socket, not blocking; open until `close`.
        paused: Called when the socket takes no more.
        resumed: Called when it takes more again.

    Attributes:
        unsent: Octets that the socket has not taken, while it is waited for.
    """

    __slots__ = ("_blocked", "_loop", "_paused", "_resumed", "_sock", "_timer", "_watched", "unsent")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: int,
        paused: Callable[[], None],
        resumed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._paused = paused
        self._resumed = resumed
        self._blocked = False
        self._watched = _NO_DESCRIPTOR
        self._timer: asyncio.TimerHandle | None = None
        self.unsent = ByteCount(0)

    def send(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send as much as the socket takes now; where that is not all, `paused` is called, and later `resumed`.

        Args:
            descriptor: A file, or a pipe that holds at least `length` octets.
            offset: Where to begin in the file; None for a pipe.
            length: Octets to send.
            following: Octets that will come behind these, so that `unsent` shows every progress.

        Returns:
            Octets sent.

        Raises:
            EOFError: The file ends at or before `offset`.
            OSError: The file cannot be read; a ConnectionError or TimeoutError is the socket's.
        """
        try:
            if offset is None:
                sent = os.splice(descriptor, self._sock, length, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
            else:
                sent = os.sendfile(self._sock, descriptor, offset, length)
        except BlockingIOError:
            sent = 0
        else:
            if not sent:
                raise EOFError(f"nothing to send at {offset}")
        if sent == length:
            self.unsent = ByteCount(0)
        else:
            self.unsent = ByteCount(length - sent + following)
            self._wait()
        return sent

    def close(self) -> None:
        """Wait no more; nothing may be sent afterwards."""
        self._blocked = False
        self.unsent = ByteCount(0)
        self._unwatch()

    def _wait(self) -> None:
        self._blocked = True
        if self._watched == _NO_DESCRIPTOR and self._timer is None:
            try:
                self._watched = os.dup(self._sock)
            except OSError:
                self._timer = self._loop.call_later(_RETRY, self._retry)
            else:
                self._loop.add_writer(self._watched, self._writable)
        self._paused()

    def _retry(self) -> None:
        self._timer = None
        self._writable()

    def _writable(self) -> None:
        """Let the sender go on; where it is not stopped again, there is nothing to wait for any more."""
        self._blocked = False
        try:
            self._resumed()
        except Exception:
            log.failure("what follows could not be sent")
        if not self._blocked:
            self.unsent = ByteCount(0)
            self._unwatch()

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watched != _NO_DESCRIPTOR:
            self._loop.remove_writer(self._watched)
            os.close(self._watched)
            self._watched = _NO_DESCRIPTOR
