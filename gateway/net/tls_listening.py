"""Endpoints that speak TLS: OpenSSL on the socket where uvloop runs, Twisted's memory buffers elsewhere."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from OpenSSL import SSL
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
    ITransport,
)
from twisted.logger import Logger
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from gateway.net.tls_port import TLSPort
from gateway.net.tls_socket import TLSServer
from gateway.net.tls_state import PLAIN_HTTP

log = Logger()


@implementer(IStreamServerEndpoint)
class TLSServerEndpoint:
    """Listens for TLS on a bound socket.

    Args:
        loop: The loop to accept on.
        sock: Bound socket, TCP or UNIX.
        backlog: How many connections may wait to be accepted.
        server: Gives the context of each connection.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, backlog: int, server: TLSServer) -> None:
        self._loop = loop
        self._sock = sock
        self._backlog = backlog
        self._server = server

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Accept connections as soon as the loop runs."""
        self._sock.listen(self._backlog)
        port = TLSPort(self._loop, self._sock, protocolFactory, self._server)
        port.startListening()
        return succeed(port)


@implementer(IStreamServerEndpoint)
class MemoryTLSServerEndpoint:
    """Speaks TLS over the connections of another endpoint.

    Args:
        clock: Times the gathering of small writes.
        endpoint: Accepts the plain connections.
        server: Gives the context of each connection.
    """

    def __init__(self, clock: IReactorTime, endpoint: IStreamServerEndpoint, server: TLSServer) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._server = server

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Accept connections as soon as the reactor runs."""
        factory = TLSMemoryBIOFactory(_Creator(self._server), False, protocolFactory, self._clock)
        factory.protocol = MemoryTLS
        factory.noisy = False
        listening: Deferred[IListeningPort] = self._endpoint.listen(factory)
        return listening


class MemoryTLS(BufferingTLSTransport):
    """TLS without a socket underneath; what `TLSSocket` does beyond Twisted's TLS, it does too."""

    _greeted = False

    def makeConnection(self, transport: ITransport) -> None:
        """Connect the protocol; a failure there ends this connection only."""
        try:
            super().makeConnection(transport)  # type: ignore[no-untyped-call]  # Twisted's has no annotations
        except Exception:
            log.failure("connection dropped: its protocol failed at the start")
            self.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Take octets, plain HTTP among them; a failure above ends this connection only."""
        if not self._greeted:
            self._greeted = True
            if data[:1] != b"\x16":
                if data[:1].isalpha():
                    self._underneath.write(PLAIN_HTTP)
                self._underneath.loseConnection()
                return
        try:
            super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted's has no annotations
        except Exception:
            log.failure("connection dropped: its protocol failed")
            self.abortConnection()

    def loseWriteConnection(self) -> None:
        """Send close_notify; reading goes on until the client closes."""
        super().loseConnection()

    def loseConnection(self) -> None:
        """Send close_notify and wait for the client's; asked again, close."""
        if self.disconnecting:
            self._underneath.loseConnection()
        else:
            super().loseConnection()

    def abortConnection(self) -> None:
        """Close at once, unless that has happened."""
        if self.connected:
            super().abortConnection()  # type: ignore[no-untyped-call]  # Twisted's has no annotations

    @property
    def _underneath(self) -> ITransport:
        return cast("ITransport", self.transport)


@implementer(IOpenSSLServerConnectionCreator)
class _Creator:
    def __init__(self, server: TLSServer) -> None:
        self._server = server

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._server.first, None)
