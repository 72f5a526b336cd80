"""The service that listens: binds while privileged, accepts once started, closes cleanly."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.net.addresses import twisted_address
from gateway.net.endpoints import server_endpoint
from gateway.net.listeners import ListenAddress, bind, refusal, remove_socket_file
from gateway.net.tls_socket import TLSServer

log = Logger()


class ListenerService(Service):
    """One listener.

    Args:
        reactor: The reactor in use.
        address: Where to listen.
        factory: Makes the protocol of each connection.
        source: File and key that ask for this listener, for error messages, such as `gateway.toml: http`.
        tls: Where its certificates come from; None for a plain listener.
        bound: Sockets that are bound already, by the process that started this one; what it made remains its own.
    """

    def __init__(
        self,
        reactor: object,
        address: ListenAddress,
        factory: IProtocolFactory,
        source: str,
        tls: TLSServer | None = None,
        bound: Sequence[socket.socket] = (),
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._factory = factory
        self._source = source
        self._tls = tls
        self._sockets = list(bound)
        self._lent = bool(bound)
        self._ports: list[IListeningPort] = []
        self._pending: list[Deferred[None]] = []
        self.hosts: list[IAddress] = []

    def privilegedStartService(self) -> None:
        """Bind, before `twistd --uid` drops privileges.

        Raises:
            ListenError: It is not possible.
        """
        Service.privilegedStartService(self)
        self._bind()

    def startService(self) -> None:
        """Accept connections as soon as the reactor runs.

        Raises:
            ListenError: It was not bound before, and cannot be, or another listens there by now.
        """
        Service.startService(self)
        self._bind()
        for sock in self._sockets:
            try:
                listening = server_endpoint(self._reactor, sock, self._tls).listen(self._factory)
            except OSError as problem:  # bound while another was bound there too, which listens by now
                raise refusal(self._address, self._source, problem) from problem
            self._pending.append(listening.addCallbacks(self._listens, self._failed))
        self._sockets = []

    def stopService(self) -> Deferred[list[tuple[bool, None]]]:
        """Accept no more; the Deferred fires once all ports are closed."""
        Service.stopService(self)
        for sock in self._sockets:
            sock.close()
        closing = [Deferred.fromCoroutine(self._close(port)) for port in self._ports] + self._pending
        self._sockets, self._pending, self._ports = [], [], []
        return DeferredList(closing)

    def _bind(self) -> None:
        if not self._sockets:
            self._sockets = bind(self._address, self._source)
        self.hosts = [twisted_address(sock.getsockname()) for sock in self._sockets]

    def _listens(self, port: IListeningPort) -> Deferred[None] | None:
        if not self.running:  # stopped meanwhile
            return Deferred.fromCoroutine(self._close(port))
        self._ports.append(port)
        log.info("listening on {address} ({source})", address=self._address.name, source=self._source)
        return None

    def _failed(self, failure: Failure) -> None:
        if self.running:
            log.failure(
                "cannot listen on {address} ({source})", failure, address=self._address.name, source=self._source
            )

    async def _close(self, port: IListeningPort) -> None:
        try:
            closing = port.stopListening()
            if closing is not None:
                await closing
            if not self._lent:
                remove_socket_file(self._address)
        except OSError as problem:  # Twisted's port and ours: after `--uid` the folder may not let us
            log.debug("{address} left behind: {problem}", address=self._address.name, problem=str(problem))
