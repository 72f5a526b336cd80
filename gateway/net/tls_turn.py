"""The end of a turn of the loop, at which connections send what was written in it."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Flushed(Protocol):
    """A connection as the end of a turn sees it."""

    def flush(self) -> None:
        """Send what is unsent."""

    def fail(self, problem: Exception) -> None:
        """End: the protocol above failed."""


class Turn:
    """Flushes all connections that asked for it; the loop is asked once for all of them.

    Args:
        loop: The loop.

    Attributes:
        loop: The loop.
    """

    __slots__ = ("_waiting", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: list[Flushed] = []

    def add(self, wire: Flushed) -> None:
        """Flush a connection at the end of this turn."""
        if not self._waiting:
            self.loop.call_soon(self._end)
        self._waiting.append(wire)

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, []
        for wire in waiting:
            try:
                wire.flush()
            except Exception as problem:
                wire.fail(problem)
