"""A bounded store of pipes, for moving octets from socket to socket."""

from __future__ import annotations

import fcntl
import os
import sys
from typing import Final

from gateway.units import ByteCount

CAPACITY: Final = ByteCount(1_048_576)
"""What a pipe holds, where the kernel lets it: the most that an ordinary user may ask for."""

IN_USE: Final = 64
"""Pipes that may be in use at a time; each may pin `CAPACITY` of the kernel's memory."""

KEPT: Final = 8
"""Empty pipes kept for the next ones."""


class Pipe:
    """A pipe, neither end blocking.

    Attributes:
        reader: Descriptor to read from.
        writer: Descriptor to write to.
        held: Octets in it.
    """

    __slots__ = ("held", "reader", "writer")

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.held = 0
        try:
            fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, CAPACITY)
        except OSError:  # a user's pipes may hold so much together; 64 KB do as well, with more calls
            return

    def close(self) -> None:
        """Close both ends."""
        os.close(self.reader)
        os.close(self.writer)


class Pipes:
    """Pipes for as many transfers as are allowed at a time.

    Args:
        in_use: Pipes that may be in use.
        kept: Empty pipes kept.
    """

    __slots__ = ("_idle", "_in_use", "_kept", "_most")

    def __init__(self, in_use: int = IN_USE, kept: int = KEPT) -> None:
        self._most = in_use if sys.platform == "linux" and hasattr(os, "splice") else 0
        self._kept = kept
        self._in_use = 0
        self._idle: list[Pipe] = []

    def take(self) -> Pipe | None:
        """Take an empty pipe; None where enough are in use, or the system gives none."""
        if self._in_use >= self._most:
            return None
        if self._idle:
            pipe = self._idle.pop()
        else:
            try:
                pipe = Pipe()
            except OSError:
                return None
        self._in_use += 1
        return pipe

    def give_back(self, pipe: Pipe) -> None:
        """Take a pipe back: what one transfer left in it must never meet the next."""
        self._in_use -= 1
        if pipe.held or len(self._idle) >= self._kept:
            pipe.close()
        else:
            self._idle.append(pipe)

    def close(self) -> None:
        """Close the pipes kept; those in use are closed when they come back."""
        self._kept = 0
        while self._idle:
            self._idle.pop().close()

    def __len__(self) -> int:
        return self._in_use
