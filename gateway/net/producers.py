"""Pull producers on transports that only know push producers."""

from __future__ import annotations

import asyncio

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class PullPusher:
    """Asks a pull producer for the next piece, once per turn of the loop, until it is paused.

    Args:
        loop: Where the turns come from.
        producer: Who is asked.
    """

    __slots__ = ("_loop", "_producer", "_turn")

    def __init__(self, loop: asyncio.AbstractEventLoop, producer: IPullProducer) -> None:
        self._loop = loop
        self._producer = producer
        self._turn: asyncio.Handle | None = None

    def resumeProducing(self) -> None:
        """Ask again from the next turn on."""
        if self._turn is None:
            self._turn = self._loop.call_soon(self._pull)

    def pauseProducing(self) -> None:
        """Stop asking."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def stopProducing(self) -> None:
        """Stop asking for good, and say so."""
        self.pauseProducing()
        self._producer.stopProducing()

    def _pull(self) -> None:
        self._turn = self._loop.call_soon(self._pull)
        self._producer.resumeProducing()
