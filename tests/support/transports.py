"""Fakes of transports and upstreams, so that whole exchanges run in memory."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gateway.core import Core
from gateway.errors import ConnectionRefused, GatewayError
from gateway.http.forwarding import TrustedProxies, Via, connection_lines
from gateway.http.stream import PeerAddress
from gateway.net.sweeper import Sweeper
from gateway.resources.page import ErrorPages
from gateway.resources.proxy import ProxyResource
from gateway.resources.websocket_registry import OpenSockets
from gateway.server.connection import ConnectionLimits
from gateway.server.http1 import HTTP1Connection
from gateway.server.listener import Front
from gateway.units import ByteCount, Seconds
from gateway.upstream.balancer import Balancer
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.pool import Upstream
from gateway.web.filter import Filter
from gateway.web.resource import Resource
from gateway.web.tree import LocationResource, SiteResource, VirtualHosts
from tests.support.streams import RecordingLog

_READABLE = os.open(os.devnull, os.O_RDONLY)
_SILENT = os.pipe()


class FakeTransport:
    """A `StreamTransport` whose other end is the test.

    Attributes:
        written: Octets written and not yet taken by `take`.
        backlog: Octets the peer has not read, as `gateway.net.endpoints.write_buffer_size` tells.
        closing: Whether the protocol asked for a close.
        half_closed: Whether it closed its writing half.
        aborted: Whether it cut the connection.
        reading: Whether the protocol takes octets.
        stall_at_next_write: Whether the peer stops reading at the next write.
        high_water: Octets that may wait before the producer is paused, from within `write` as real transports do;
            0 never pauses. `take` resumes it.
        most: The most octets that have ever waited.
        unread: Whether a look at the socket finds something to read.
    """

    def __init__(self, protocol: Protocol, high_water: int = 0) -> None:
        self.protocol = protocol
        self.high_water = high_water
        self.full = False
        self.most = 0
        self.unread = False
        self.written = b""
        self.writes = 0
        self.backlog = 0
        self.closing = False
        self.half_closed = False
        self.aborted = False
        self.reading = True
        self.connected = True
        self.stall_at_next_write = False
        self.producer: IPushProducer | None = None
        protocol.makeConnection(self)  # type: ignore[arg-type]  # structural, not an ITransport

    # What the protocol calls.

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        assert not self.half_closed, "write behind the end"
        self.written += data
        self.writes += 1
        if self.stall_at_next_write:
            self.stall_at_next_write = False
            self.stall()
        self.most = max(self.most, len(self.written))
        if self.high_water and len(self.written) > self.high_water and not self.full:
            self.full = True
            if self.producer is not None:
                self.producer.pauseProducing()

    def loseConnection(self) -> None:
        self.closing = True

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = True
        self.lose()

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def fileno(self) -> int:
        """Give a descriptor that can be read at once if `unread`, and never otherwise."""
        return _READABLE if self.unread else _SILENT[0]

    @property
    def dataBuffer(self) -> range:
        """What waits to be read by the peer, by its length only (as in Twisted's transports)."""
        return range(self.backlog or (len(self.written) if self.high_water else 0))

    # What the test does.

    def take(self) -> bytes:
        """Take what was written."""
        written, self.written = self.written, b""
        if self.full:
            self.full = False
            if self.producer is not None:
                self.producer.resumeProducing()
        return written

    def receive(self, data: bytes, size: int = 0) -> None:
        """Let octets arrive, in pieces of `size` where that is not 0."""
        for start in range(0, len(data), size or len(data) or 1):
            self.protocol.dataReceived(data[start : start + (size or len(data))])

    def finish(self) -> None:
        """Let the peer close its half."""
        self.protocol.readConnectionLost()  # type: ignore[attr-defined]  # IHalfCloseableProtocol

    def lose(self, *, clean: bool = False) -> None:
        """Let the connection be gone."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone() if clean else ConnectionLost()))

    def stall(self, octets: int = 100_000) -> None:
        """Let the peer stop reading."""
        self.backlog = octets
        if self.producer is not None:
            self.producer.pauseProducing()

    def drain(self) -> None:
        """Let the peer read all."""
        self.backlog = 0
        if self.producer is not None:
            self.producer.resumeProducing()


class FakeEndpoint:
    """An upstream's endpoint: accepts, refuses, or keeps waiting, as the test says.

    Attributes:
        accepted: Transports of the connections made, the upstream's side being the test.
        failing: Error that connecting fails with; None accepts.
        waiting: Whether connections are held until `accept`.
        high_water: Of the connections made.
    """

    def __init__(self) -> None:
        self.accepted: list[FakeTransport] = []
        self.failing: GatewayError | None = None
        self.waiting = False
        self.high_water = 0
        self._held: list[tuple[Deferred[Protocol], Factory]] = []

    def connect(self, factory: Factory) -> Deferred[Protocol]:
        if self.failing is not None:
            return fail(self.failing)
        if not self.waiting:
            return succeed(self._make(factory))
        outcome: Deferred[Protocol] = Deferred()
        self._held.append((outcome, factory))
        return outcome

    def accept(self) -> None:
        """Let the connections that wait be made."""
        held, self._held = self._held, []
        for outcome, factory in held:
            outcome.callback(self._make(factory))

    def reject(self) -> None:
        """Let the connections that wait fail."""
        held, self._held = self._held, []
        for outcome, _ in held:
            outcome.errback(ConnectionRefused("127.0.0.1:4000 refused the connection"))

    def refuse(self) -> None:
        """Refuse from now on."""
        self.failing = ConnectionRefused("127.0.0.1:4000 refused the connection")

    @property
    def last(self) -> FakeTransport:
        """The connection made last."""
        return self.accepted[-1]

    def _make(self, factory: Factory) -> Protocol:
        protocol = factory.buildProtocol(None)
        assert protocol is not None
        self.accepted.append(FakeTransport(protocol, self.high_water))
        return protocol


class World:
    """A whole gateway in memory: one site, one location, upstreams that are the test.

    Args:
        leaf: Who answers; a proxy to `upstreams` fake upstreams where it is None.
        upstreams: Number of upstreams.
        max_body: Octets of request content let through; 0 for no limit.
        limits: Of client connections.
        exchange: Limits of upstream connections.
        trusted: Networks of trusted proxies.
        max_connections: Client connections in all, and per client.
        filters: Of the location.
        retries: Further tries that a request may have.
        max_idle: Idle connections kept per upstream.
    """

    def __init__(
        self,
        leaf: Resource | None = None,
        *,
        upstreams: int = 1,
        max_body: int = 0,
        limits: ConnectionLimits | None = None,
        exchange: ExchangeLimits | None = None,
        trusted: tuple[str, ...] = (),
        max_connections: int = 1000,
        filters: tuple[Filter, ...] = (),
        retries: int = 2,
        max_idle: int = 64,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.sweeper = Sweeper()
        self.log = RecordingLog()
        self.sockets = OpenSockets(self.now)
        self.endpoints = [FakeEndpoint() for _ in range(upstreams)]
        self.upstreams = [
            Upstream(f"127.0.0.1:{4000 + index}", endpoint, exchange or ExchangeLimits(), self.sweeper, max_idle)  # type: ignore[arg-type]  # structural
            for index, endpoint in enumerate(self.endpoints)
        ]
        if leaf is None:
            leaf = ProxyResource(
                Balancer(self.upstreams), clock=self.now, via=Via("gw"), sockets=self.sockets, retries=retries
            )
        errors = ErrorPages()
        self.location = LocationResource(
            leaf, errors, site="example.com", max_body=ByteCount(max_body), filters=filters
        )
        site = SiteResource("example.com", [self.location])
        proxies = TrustedProxies(trusted)
        self.core = Core(
            VirtualHosts({b"example.com": site}),
            errors,
            self.log,
            clock=self.now,
            new_id=lambda: b"X-Request-Id: 0123456789abcdef0123\r\n",
            trusted=proxies,
        )
        self.trusts = proxies.is_trusted
        self.front = Front(
            self.core,
            limits or ConnectionLimits(),
            self.sweeper,
            connections=max_connections,
            per_client=max_connections,
            trusted=self.trusts,
        )
        self.front.date_line = b"Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"

    def now(self) -> Seconds:
        return Seconds(self.clock.seconds())

    @property
    def endpoint(self) -> FakeEndpoint:
        """The first upstream."""
        return self.endpoints[0]

    def client(self, host: str = "203.0.113.9", high_water: int = 0) -> FakeTransport:
        """Open a client connection."""
        connection = HTTP1Connection(
            self.front,
            PeerAddress(host, 50123),
            80,
            secure=False,
            trusted=self.trusts(host),
            forwarded=connection_lines(host, 80, secure=False),
        )
        return FakeTransport(connection, high_water)

    def wait(self, seconds: int) -> None:
        """Let time pass, with a sweep each second."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.sweeper.sweep(self.now())
