"""A TLS connection with OpenSSL directly on its socket, as a Twisted transport.

The protocol is connected before the handshake, as under `TLSMemoryBIOProtocol`: its deadlines hold for it too, and
what it writes meanwhile waits. It hears of the handshake's end if it is an `IHandshakeListener`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import cache
from typing import Final, Protocol, cast

from OpenSSL import SSL
from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProducer,
    IProtocol,
    IPullProducer,
    IPushProducer,
    ITransport,
)
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Interface, classImplements

from gateway.net.addresses import twisted_address
from gateway.net.producers import PullPusher
from gateway.net.tls_state import State
from gateway.net.tls_turn import Turn
from gateway.net.tls_wire import TLSWire
from gateway.units import ByteCount

log = Logger()

HIGH_WATER: Final = ByteCount(65_536)
"""Octets unsent over which the producer is paused; as uvloop's."""

LOW_WATER: Final = ByteCount(HIGH_WATER // 4)
"""Octets unsent at which it goes on."""


class TLSServer(Protocol):
    """Where connections get their certificates from; implemented by `gateway.tls.sni.ServerNames`.

    Attributes:
        first: The context that a connection begins with.
    """

    first: SSL.Context


class TLSSocket(TLSWire):
    """One connection.

    Args:
        turn: Of the loop the connection lives on.
        sock: The accepted socket, not blocking; belongs to the transport from here on.
        context: The context to begin with.
        peer: The other end.
        protocol: Who receives the data.

    Attributes:
        connected: Whether the connection is up.
    """

    __slots__ = ("_paused", "_peer", "_producer", "connected", "protocol")

    def __init__(
        self,
        turn: Turn,
        sock: socket.socket,
        context: SSL.Context,
        peer: IAddress,
        protocol: IProtocol,
    ) -> None:
        super().__init__(turn, sock, context, tcp=not isinstance(peer, UNIXAddress))
        self._peer = peer
        self._producer: IPushProducer | None = None
        self._paused = False
        self.protocol: IProtocol | None = protocol
        self.connected = True
        try:
            protocol.makeConnection(cast("ITransport", self))
        except Exception as problem:
            self.fail(problem)

    # What Twisted protocols call.

    def write(self, data: bytes) -> None:
        """Send octets together with the others of this turn."""
        if not data or self._write_closed or (self.disconnecting and self._producer is None):
            return
        self.send(data)
        if self._output.size > HIGH_WATER and not self._paused:
            self._paused = True
            if self._producer is not None:
                self._producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write several pieces as one."""
        self.write(b"".join(data))

    def write_buffer_size(self) -> int:
        """Tell how many octets OpenSSL has not taken yet."""
        return self._output.size

    def loseConnection(self) -> None:
        """Send what is written and close_notify, wait a moment for the client's, then close."""
        self.close()

    def loseWriteConnection(self) -> None:
        """Send what is written and close_notify; reading goes on."""
        self.close_write()

    def abortConnection(self) -> None:
        """Close at once with a reset; what is unsent is lost."""
        self.abort()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Let back-pressure reach `producer`.

        Raises:
            RuntimeError: There is a producer already.
        """
        if self._producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self._producer!r} is not unregistered")
        if self.state is State.CLOSED:
            producer.stopProducing()
            return
        self._producer = (
            cast("IPushProducer", producer) if streaming else PullPusher(self._loop, cast("IPullProducer", producer))
        )
        if self._paused:
            self._producer.pauseProducing()
        elif not streaming:
            self._producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        producer: object = self._producer
        self._producer = None
        if isinstance(producer, PullPusher):
            producer.pauseProducing()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        self.resume_reading()

    def stopProducing(self) -> None:
        """Close: the consumer of what is read here went away."""
        self.close()

    def fileno(self) -> int:
        """Give the descriptor; -1 once the connection is gone."""
        return self._sock.fileno()

    def getHandle(self) -> SSL.Connection:
        """Give OpenSSL's side of the connection."""
        return self._tls

    def getPeer(self) -> IAddress:
        """Give the other end's address."""
        return self._peer

    def getHost(self) -> IAddress:
        """Give this end's address."""
        return twisted_address(self._sock.getsockname() if self.state is not State.CLOSED else None)

    # What the wire tells.

    def on_open(self) -> None:
        """Tell a protocol that listens for it."""
        kind: type = type(self.protocol)
        if _implements(kind, IHandshakeListener):
            try:
                cast("IHandshakeListener", self.protocol).handshakeCompleted()
            except Exception as problem:
                self.fail(problem)

    def on_data(self, data: bytes) -> None:
        """Hand octets to the protocol; a failure there ends this connection only."""
        if self.protocol is not None:
            try:
                self.protocol.dataReceived(data)
            except Exception as problem:
                self.fail(problem)

    def on_end_of_data(self) -> None:
        """Tell a protocol that knows half-closed connections; end the connection under any other, or one that fails."""
        kind: type = type(self.protocol)
        if _implements(kind, IHalfCloseableProtocol):
            try:
                cast("IHalfCloseableProtocol", self.protocol).readConnectionLost()
            except Exception as problem:
                self.fail(problem)
        else:
            self.close()

    def on_sent(self) -> None:
        """Let the producer go on."""
        if self._paused and self._output.size <= LOW_WATER:
            self._paused = False
            if self._producer is not None:
                self._producer.resumeProducing()

    def on_lost(self, reason: Exception) -> None:
        """Tell producer and protocol that the connection is gone, and drop all references."""
        protocol, producer = self.protocol, self._producer
        self.protocol = self._producer = None
        self.connected = False
        if producer is not None:
            producer.stopProducing()
        if protocol is not None:
            protocol.connectionLost(connectionDone if isinstance(reason, ConnectionDone) else Failure(reason))

    def fail(self, problem: Exception) -> None:
        """Log what the protocol above did not catch, and end the connection."""
        log.failure("connection dropped: its protocol failed")
        self.end(problem)


@cache
def _implements(kind: type, interface: type[Interface]) -> bool:
    """Tell what `providedBy` tells, asked once for each class: of an extension type that takes a microsecond."""
    return bool(interface.implementedBy(kind))


# No decorator: extension types take none.
classImplements(TLSSocket, ITransport, IConsumer, IPushProducer)
