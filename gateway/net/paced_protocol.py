"""The base of our connections on either side: back-pressure both ways and half-closed connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from gateway.net.endpoints import write_buffer_size
from gateway.net.stream_transport import UNCONNECTED, StreamTransport


class PacedProtocol:
    """A protocol that pauses and is paused; derived classes say what that means for their exchange.

    It does not derive from Twisted's `Protocol`, so that its compiled form can be an extension type.

    Attributes:
        transport: The connection; None before it is made.
        reading_paused: Whether we have stopped reading.
        writing_paused: Whether the other end reads too slowly for more to be written.
    """

    def __init__(self) -> None:
        self.transport: ITransport | None = None
        self._transport: StreamTransport = UNCONNECTED
        self._write: Callable[[bytes], None] = UNCONNECTED.write
        self.reading_paused = False
        self.writing_paused = False

    def makeConnection(self, transport: ITransport) -> None:
        """Begin (IProtocol)."""
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Take hold of the transport and register for its back-pressure (IProtocol)."""
        self._transport = cast("StreamTransport", self.transport)
        self._write = self._transport.write
        self._transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Take octets (IProtocol)."""
        raise NotImplementedError

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone (IProtocol)."""
        raise NotImplementedError

    def readConnectionLost(self) -> None:
        """Learn that the other end will send no more (IHalfCloseableProtocol)."""
        raise NotImplementedError

    def writeConnectionLost(self) -> None:
        """Ignore that our own half is closed (IHalfCloseableProtocol)."""

    def pauseProducing(self) -> None:
        """Stop writing: the other end reads slowly (IPushProducer)."""
        self.writing_paused = True

    def resumeProducing(self) -> None:
        """Write again (IPushProducer)."""
        self.writing_paused = False

    def stopProducing(self) -> None:
        """Ignore: `connectionLost` follows (IPushProducer)."""

    def pause_reading(self) -> None:
        """Stop reading; `resume_reading` undoes it."""
        if not self.reading_paused:
            self.reading_paused = True
            self._transport.pauseProducing()

    def resume_reading(self) -> None:
        """Read again."""
        if self.reading_paused:
            self.reading_paused = False
            self._transport.resumeProducing()

    def close(self) -> None:
        """Close once all is written."""
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def half_close(self) -> None:
        """Close our half once all is written."""
        self._transport.loseWriteConnection()

    def abort(self) -> None:
        """Cut the connection; what is unwritten is lost."""
        self._transport.unregisterProducer()
        self._transport.abortConnection()

    def waiting_octets(self) -> int:
        """Count the octets written that the kernel has not taken."""
        return write_buffer_size(self._transport)

    def let_go(self) -> None:
        """Forget the transport, which is gone."""
        self.transport = None
        self._transport = UNCONNECTED
        self._write = UNCONNECTED.write


# No decorator: extension types take none.
classImplements(PacedProtocol, IProtocol, IHalfCloseableProtocol, IPushProducer)
