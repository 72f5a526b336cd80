"""The last moments of a connection: what still comes is dropped, so that what was sent arrives.

A socket closed with octets unread resets the connection, and the reset takes away what the peer has not read yet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from gateway.units import ByteCount, Seconds

GOODBYE: Final = Seconds(2)
"""How long a peer may take to close its half."""

_ENOUGH = ByteCount(1_000_000)  # from a peer that sends on and on
_PIECE = ByteCount(65_536)


class Draining:
    """Drops what comes until the peer closes its half, for a socket whose own half is closed.

    Args:
        loop: The loop the socket lives on.
        sock: The socket, not blocking; the owner calls `readable` when there is something to read.
        done: Called once there is nothing to wait for; it must call `stop`.
    """

    __slots__ = ("_done", "_dropped", "_sock", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, done: Callable[[], None]) -> None:
        self._sock = sock
        self._done = done
        self._dropped = 0
        self._timer = loop.call_later(GOODBYE, done)

    def stop(self) -> None:
        """Wait no more."""
        self._timer.cancel()

    def readable(self) -> None:
        """Drop what has come."""
        try:
            dropped = len(self._sock.recv(_PIECE))
        except BlockingIOError:
            return
        except OSError:  # reset by the peer: as good an end
            dropped = 0
        self._dropped += dropped
        if not dropped or self._dropped > _ENOUGH:
            self._done()
