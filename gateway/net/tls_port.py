"""A port whose connections speak TLS, each with OpenSSL directly on its socket."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.logger import Logger
from zope.interface import classImplements

from gateway.net.addresses import INTERNET_FAMILIES, twisted_address
from gateway.net.tls_socket import TLSServer, TLSSocket
from gateway.net.tls_turn import Turn
from gateway.units import Seconds

log = Logger()

RETRY: Final = Seconds(1)
"""When to accept again after the system refused."""

_BURST = 16  # connections accepted in one wake-up of a storm; then others have their turn
_STORM = 8  # wake-ups in a row that found a connection; to ask in vain costs as much as to accept


class TLSPort:
    """A listening socket whose connections are `TLSSocket`s.

    Args:
        loop: The loop that accepts.
        sock: Listening socket; the port owns it from here on.
        factory: Makes the protocols.
        server: Gives the context of each connection.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, factory: IProtocolFactory, server: TLSServer
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._factory = factory
        self._server = server
        self._host = twisted_address(sock.getsockname())
        self._turn = Turn(loop)
        self._retry: asyncio.TimerHandle | None = None
        self._found = 0

    def startListening(self) -> None:
        """Accept connections from now on."""
        self._sock.setblocking(False)
        if self._sock.family in INTERNET_FAMILIES:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        self._factory.doStart()
        self._loop.add_reader(self._sock.fileno(), self._accept)

    def stopListening(self) -> Deferred[None]:
        """Accept no more; connections that are up stay up."""
        if self._sock.fileno() >= 0:
            if self._retry is not None:
                self._retry.cancel()
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._factory.doStop()
        return succeed(None)

    def getHost(self) -> IAddress:
        """Give the address listened on."""
        return self._host

    def _accept(self) -> None:
        self._found += 1
        for _ in range(_BURST if self._found > _STORM else 1):
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                self._found = 0
                return
            except OSError as problem:
                self._wait(problem)
                return
            sock.setblocking(False)
            peer = twisted_address(address)
            try:
                protocol = self._factory.buildProtocol(peer)
                if protocol is not None:
                    TLSSocket(self._turn, sock, self._server.first, peer, protocol)
            except Exception:
                log.failure("connection dropped: it could not be set up")
                protocol = None
            if protocol is None:
                sock.close()

    def _wait(self, problem: OSError) -> None:
        """Accept nothing for a while: a socket that stays ready would keep the loop busy."""
        log.error("cannot accept connections: {reason}", reason=os.strerror(problem.errno or errno.EIO))
        self._loop.remove_reader(self._sock.fileno())
        self._retry = self._loop.call_later(RETRY, self._loop.add_reader, self._sock.fileno(), self._accept)


# No decorator: extension types take none.
classImplements(TLSPort, IListeningPort)
