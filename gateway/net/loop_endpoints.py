"""Twisted endpoints whose connections are uvloop's."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.net.addresses import is_address, twisted_address
from gateway.net.transport import LoopTransport
from gateway.units import ByteCount


@implementer(IListeningPort)
class LoopPort:
    """A listening socket whose connections uvloop accepts.

    Args:
        loop: The loop that accepts.
        sock: Bound socket; the port owns it from here on.
        factory: Makes the protocols.
        backlog: How many connections may wait to be accepted.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, factory: IProtocolFactory, backlog: int
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._factory = factory
        self._backlog = backlog
        self._host = twisted_address(sock.getsockname())
        self._server: asyncio.AbstractServer | None = None

    async def start(self) -> LoopPort:
        """Accept connections from now on."""
        self._factory.doStart()
        # For UNIX sockets too: create_unix_server would remove the file at the end, which may be systemd's.
        self._server = await self._loop.create_server(self._connection, sock=self._sock, backlog=self._backlog)
        return self

    def startListening(self) -> None:
        """Do nothing: a port is handed out only once it listens."""

    def stopListening(self) -> Deferred[None]:
        """Accept no more; connections that are up stay up."""
        return Deferred.fromFuture(self._loop.create_task(self._stop()))

    def getHost(self) -> IAddress:
        """Give the address listened on."""
        return self._host

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await asyncio.sleep(0)  # uvloop closes the descriptor in the next turn
            self._sock.close()
            self._factory.doStop()

    def _connection(self) -> asyncio.Protocol:
        return LoopTransport(self._loop, self._factory)  # type: ignore[return-value]  # duck-typed: has asyncio's methods


@implementer(IStreamServerEndpoint)
class LoopServerEndpoint:
    """Listens on a bound socket.

    Args:
        loop: The loop to accept on.
        sock: Bound socket, TCP or UNIX.
        backlog: How many connections may wait to be accepted.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, backlog: int) -> None:
        self._loop = loop
        self._sock = sock
        self._backlog = backlog

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Accept connections as soon as the loop runs."""
        self._sock.listen(self._backlog)  # at once, so that connections wait instead of failing until the loop runs
        port = LoopPort(self._loop, self._sock, protocolFactory, self._backlog)
        return Deferred.fromFuture(self._loop.create_task(port.start()))


@implementer(IStreamClientEndpoint)
class LoopClientEndpoint:
    """Connects to a host and port, or to a UNIX socket.

    Args:
        loop: The loop to connect on.
        host: Name or IP address; names are looked up for each connection, all addresses tried in turn.
        port: TCP port.
        path: Path of a UNIX socket, instead of host and port.
        timeout: Seconds for the look-up and all attempts together.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, port: int, path: str, timeout: float) -> None:
        self._loop = loop
        self._host = host
        self._port = port
        self._path = path
        self._timeout = timeout
        self._literal = path != "" or is_address(host)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; the Deferred fires in `connectionMade`'s turn, before any data arrives."""

        def give_up(_outcome: Deferred[IProtocol]) -> None:
            task.cancel()

        outcome: Deferred[IProtocol] = Deferred(give_up)
        protocolFactory.doStart()
        task = self._loop.create_task(self._connect(protocolFactory, outcome))
        return outcome

    async def _connect(self, factory: IProtocolFactory, outcome: Deferred[IProtocol]) -> None:
        try:
            deadline = self._loop.time() + self._timeout
            addresses = [self._host] if self._literal else await self._look_up()
            for left in range(len(addresses), 0, -1):
                share = (deadline - self._loop.time()) / left
                try:
                    await self._attempt(factory, outcome, addresses[-left], share)
                except OSError:
                    if left == 1:
                        raise
                else:
                    return
        except asyncio.CancelledError:
            factory.doStop()
            raise
        except Exception:
            factory.doStop()
            if not outcome.called:
                outcome.errback(Failure())

    async def _look_up(self) -> list[str]:
        found = self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        results = await asyncio.wait_for(found, self._timeout)
        return list(dict.fromkeys(str(result[4][0]) for result in results))

    async def _attempt(
        self, factory: IProtocolFactory, outcome: Deferred[IProtocol], address: str, seconds: float
    ) -> None:
        transport = ConnectingTransport(self._loop, factory, outcome)
        task = asyncio.current_task(self._loop)
        expired = False

        def expire() -> None:
            # Only what is not connected yet may be cancelled: uvloop would close the connection without a word.
            nonlocal expired
            if task is not None and not transport.settled:
                transport.settled = expired = True
                task.cancel()

        timer = self._loop.call_later(max(seconds, 0.0), expire)
        try:
            await self._open(transport, address)
        except asyncio.CancelledError as cancelled:
            transport.settled = True
            if expired and task is not None and not task.uncancel():
                raise TimeoutError from cancelled
            raise
        finally:
            timer.cancel()

    def _open(self, transport: ConnectingTransport, address: str) -> Coroutine[Any, Any, object]:  # Any: coroutines
        def make() -> asyncio.Protocol:
            return transport  # type: ignore[return-value]  # duck-typed: has asyncio's methods

        if self._path:
            return self._loop.create_unix_connection(make, self._path)
        return self._loop.create_connection(make, address, self._port)


class ConnectingTransport(LoopTransport):
    """A connection being made: fires a Deferred once it is up.

    Attributes:
        settled: Whether it is up or given up.
    """

    __slots__ = ("_outcome", "settled")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, factory: IProtocolFactory, outcome: Deferred[IProtocol]
    ) -> None:
        super().__init__(loop, factory)
        self._outcome: Deferred[IProtocol] | None = outcome
        self.settled = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Report the connection, or drop it if nobody waits for it any more."""
        outcome, self._outcome = self._outcome, None
        if self.settled or outcome is None or outcome.called:
            transport.abort()
            return
        self.settled = True
        super().connection_made(transport)
        if self._protocol is None:
            outcome.errback(Failure(ConnectError(string="the factory made no protocol")))
        else:
            outcome.callback(self._protocol)
            self._keep_paused(transport)

    def connection_lost(self, problem: Exception | None) -> None:
        """Pass on what came in before a write failed, then the loss; then let the factory stop."""
        known = self._protocol is not None
        try:
            if isinstance(problem, OSError) and self._reason is None and self._reading and self._diverted is None:
                self._hear_out()
        finally:
            super().connection_lost(problem)
            if known:
                self._factory.doStop()

    def _hear_out(self) -> None:
        """Hand over what is still unread, which uvloop leaves where writing failed.

        A server that answers before it has read all of a request, and closes, is owed that its answer is heard.
        """
        self._release()
        descriptor = self.fileno()
        while data := _unread(descriptor):
            self.data_received(data)


def _unread(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _PIECE)
    except OSError:
        return b""


_PIECE: Final = ByteCount(65_536)  # octets read at a time
