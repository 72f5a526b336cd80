"""What our protocols ask of a transport, whichever reactor made it."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IPushProducer


class StreamTransport(Protocol):
    """A transport with back-pressure both ways and half-close: uvloop's under our adapter, or Twisted's own."""

    def write(self, data: bytes) -> None:
        """Send octets, keeping what the kernel does not take at once."""

    def loseConnection(self) -> None:
        """Close once all is written."""

    def loseWriteConnection(self) -> None:
        """Close our half once all is written."""

    def abortConnection(self) -> None:
        """Close now; what is unwritten is lost."""

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Tell `producer` when to stop and to go on writing."""

    def unregisterProducer(self) -> None:
        """Tell nobody any more."""

    def pauseProducing(self) -> None:
        """Stop reading."""

    def resumeProducing(self) -> None:
        """Read again."""


class Unconnected:
    """Stands where a transport is gone or not yet there: everything is ignored."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """Drop octets."""

    def loseConnection(self) -> None:
        """Ignore."""

    def loseWriteConnection(self) -> None:
        """Ignore."""

    def abortConnection(self) -> None:
        """Ignore."""

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Ignore."""

    def unregisterProducer(self) -> None:
        """Ignore."""

    def pauseProducing(self) -> None:
        """Ignore."""

    def resumeProducing(self) -> None:
        """Ignore."""


UNCONNECTED = Unconnected()
