"""The part of a uvloop connection that lets content pass by this process: out of descriptors, and into somebody's pipe.

| direction | what uvloop does meanwhile |
|---|---|
| `send_from` | has nothing to write, and tells of what comes in and of the end as always |
| `divert` | does not read, and writes as always |
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, cast

from twisted.internet import error

from gateway.net.raw_output import RawOutput


class Diverted(Protocol):
    """Reads from a connection's socket in its transport's place; implemented by `gateway.net.splicing`."""

    def pause(self) -> None:
        """Read no more."""

    def resume(self) -> None:
        """Read, or read again."""

    def stop(self) -> None:
        """Learn that the connection is being closed, or gone."""


class BulkTransport:
    """Base of a transport over uvloop's.

    Args:
        loop: The loop the connection lives on.

    Attributes:
        write: The uvloop transport's `write`, or `discard` where nothing can be written.
        disconnecting: Whether the connection is being closed.
    """

    __slots__ = ("_diverted", "_emptying", "_loop", "_raw", "_reading", "_transport", "disconnecting", "write")

    write: Callable[[bytes], None]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reading = True
        self._raw: RawOutput | None = None
        self._emptying = False
        self._diverted: Diverted | None = None
        self.disconnecting = False
        self.write = discard

    def pause_writing(self) -> None:
        """Stop the producer: too much is unsent."""
        raise NotImplementedError

    def resume_writing(self) -> None:
        """Let the producer go on."""
        raise NotImplementedError

    def _end(self, reason: Exception) -> None:
        """Cut the connection."""
        raise NotImplementedError

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send straight from a descriptor, behind all that was written; see `RawOutput.send`.

        Returns:
            Octets sent. Where that is not all, the producer is paused, and resumed later, or the connection is gone.

        Raises:
            EOFError: The file ends at or before `offset`.
            OSError: The file cannot be read.
        """
        transport = self._transport
        if transport is None or self.disconnecting or self.write is discard:
            return 0
        if transport.get_write_buffer_size():
            self._emptying = True
            transport.set_write_buffer_limits(0)  # pauses at once, resumes when nothing waits any more
            return 0
        if self._raw is None:
            self._raw = RawOutput(self._loop, self.fileno(), self.pause_writing, self.resume_writing)
        try:
            return self._raw.send(descriptor, offset, length, following)
        except (ConnectionError, TimeoutError) as problem:
            self._end(error.ConnectionLost(str(problem)))
            return 0

    def divert(self, reader: Diverted) -> None:
        """Leave reading to somebody else, who is told to pause and to resume from here on, beginning now."""
        self._diverted = reader
        if self._transport is not None:
            self._transport.pause_reading()
        if self._reading:
            reader.resume()

    def restore(self) -> None:
        """Read here again."""
        self._diverted = None
        if self._reading and self._transport is not None and not self.disconnecting:
            self._transport.resume_reading()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop the connection lives on."""
        return self._loop

    def fileno(self) -> int:
        """Give the descriptor; -1 once the connection is gone."""
        found = self._transport.get_extra_info("socket") if self._transport is not None else None
        return cast("socket.socket", found).fileno() if found is not None else -1

    def _emptied(self) -> None:
        """Learn that uvloop takes more again: all was written, where `send_from` waited for that."""
        if self._emptying and self._transport is not None:
            self._emptying = False
            self._transport.set_write_buffer_limits()

    def _stop_bulk(self) -> None:
        """Let nothing wait for the socket any more, and nobody else read."""
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()
        if self._diverted is not None:
            self._diverted.stop()


def discard(_data: bytes) -> None:
    """Take what can go nowhere: the connection is closing or gone."""
