"""Peers for the endpoint cases; import it after a reactor is installed."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Awaitable, Callable

from twisted.internet import reactor, task
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from gateway.net.endpoints import client_endpoint, write_buffer_size
from gateway.net.listeners import parse_listen
from gateway.net.listening import ListenerService
from tests.support.waiting import PATIENCE

PIECE = bytes(range(256)) * 256
logged: list[str] = []
CASES: dict[str, Callable[[], Awaitable[object]]] = {}


def case(function: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    CASES[function.__name__] = function
    return function


class Peer(Protocol):
    """Remembers what happened; `made`, `got` and `lost` fire once."""

    def __init__(self) -> None:
        self.made: Deferred[Peer] = Deferred()
        self.lost: Deferred[str] = Deferred()
        self.read = bytearray()
        self.hash = hashlib.sha256()
        self.count = 0
        self.waiting: list[tuple[int, Deferred[bytes]]] = []

    def connectionMade(self) -> None:
        self.made.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.read += data[: max(0, 1000 - len(self.read))]
        self.hash.update(data)
        self.count += len(data)
        for wanted, waiter in [entry for entry in self.waiting if entry[0] <= self.count]:
            self.waiting.remove((wanted, waiter))
            waiter.callback(bytes(self.read))

    def after(self, count: int) -> Deferred[bytes]:
        waiter: Deferred[bytes] = Deferred()
        self.waiting.append((count, waiter))
        self.dataReceived(b"")
        return waiter

    def connectionLost(self, reason) -> None:
        self.lost.callback(reason.type.__name__)


class Echo(Peer):
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(data)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Peer):
    def readConnectionLost(self) -> None:
        self.transport.write(b"answer to %d octets" % self.count)
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        pass


class Broken(Peer):
    problem: type[Exception] = ValueError

    def dataReceived(self, data: bytes) -> None:
        raise self.problem("broken on purpose")


class BrokenStart(Peer):
    def connectionMade(self) -> None:
        raise ValueError("broken on purpose")


class Pushing:
    """A push producer of `left` pieces that remembers the largest backlog and whether it was ever paused."""

    def __init__(self, transport, left: int) -> None:
        self.transport, self.left, self.paused, self.pauses, self.most, self.stopped = (
            transport,
            left,
            False,
            0,
            0,
            False,
        )
        transport.registerProducer(self, True)
        self.push()

    def push(self) -> None:
        while not self.paused and not self.stopped and self.left:
            self.transport.write(PIECE)
            self.left -= 1
            self.most = max(self.most, write_buffer_size(self.transport))
        if not self.left:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def pauseProducing(self) -> None:
        self.paused, self.pauses = True, self.pauses + 1

    def resumeProducing(self) -> None:
        self.paused = False
        self.push()

    def stopProducing(self) -> None:
        self.stopped = True


class Pulled:
    """A pull producer of `left` pieces."""

    def __init__(self, transport, left: int) -> None:
        self.transport, self.left, self.most = transport, left, 0
        transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        if self.left:
            self.left -= 1
            self.transport.write(PIECE)
            self.most = max(self.most, write_buffer_size(self.transport))
        else:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def stopProducing(self) -> None:
        self.left = 0


class Pair:
    """A listener, and a connection to it on demand."""

    def __init__(
        self, protocol: Callable[[], Protocol], wrap: Callable[[Factory], Factory] = lambda factory: factory
    ) -> None:
        self.servers: list[Peer] = []

        def build() -> Protocol:
            self.servers.append(protocol())
            return self.servers[-1]

        self.factory = Factory.forProtocol(build)
        self.factory.noisy = False
        self.service = ListenerService(reactor, parse_listen(sys.argv[2]), wrap(self.factory), "cases: http")
        self.service.privilegedStartService()
        self.service.startService()

    @property
    def target(self) -> dict[str, object]:
        host = self.service.hosts[0]
        if isinstance(host, UNIXAddress):
            return {"path": sys.argv[2].removeprefix("unix:")}
        return {"host": {"::": "localhost"}.get(host.host, host.host), "port": host.port}

    async def connect(self, protocol: Callable[[], Protocol] = Peer) -> Peer:
        return await client_endpoint(reactor, **self.target, timeout=PATIENCE).connect(Factory.forProtocol(protocol))

    async def both(self, protocol: Callable[[], Protocol] = Peer) -> tuple[Peer, Peer]:
        client = await self.connect(protocol)
        await until(lambda: self.servers)
        server = self.servers[-1]
        if not server.made.called:
            await server.made
        return client, server

    def raw(self) -> socket.socket:
        target = self.target
        if "path" in target:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(PATIENCE)  # a thread that waits for ever would keep the process
            sock.connect(target["path"])
            return sock
        return socket.create_connection((target["host"], target["port"]), PATIENCE)


def turn(seconds: float = 0.01) -> Deferred[None]:
    return task.deferLater(reactor, seconds)


async def until(true: Callable[[], object]) -> None:
    """Let the reactor work until something is true."""
    while not true():
        await turn()


async def at_rest(state: Callable[[], object]) -> None:
    """Let the reactor, which has both ends of each connection, work until that changes nothing more."""
    quiet, before = 0, state()
    while quiet < 10:
        await turn()
        quiet, before = (quiet + 1 if state() == before else 0), state()


def kind(problem: BaseException) -> list[str]:
    return [type(problem).__name__, str(problem)]


async def failure_of(awaitable: Awaitable[object]) -> list[str]:
    try:
        await awaitable
    except Exception as problem:
        return kind(problem)
    return ["no failure", ""]
