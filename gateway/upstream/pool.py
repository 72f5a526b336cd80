"""Upstreams with their idle connections, and the registry that keeps them across reloads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol

from gateway.net.endpoints import is_readable
from gateway.net.pipes import Pipes
from gateway.net.sweeper import Sweeper
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.exchange import UpstreamConnection
from gateway.upstream.probe import Check


class Upstream:
    """One upstream: where it is, what is in flight to it, and its idle connections, last in first out.

    Args:
        name: What log lines call it.
        endpoint: How to connect; names are looked up at each connection.
        limits: Deadlines and sizes.
        sweeper: Watches the connections.
        max_idle: Idle connections kept.
        host: Host to send to it; empty keeps the client's.
        pipes: For large content; None has all of it pass through this process.
        check: How to find out whether it is well; None: nobody asks.

    Attributes:
        in_flight: Exchanges under way.
        down: Whether its checks failed, so that another one is to be used.
    """

    __slots__ = (
        "_factory",
        "_idle",
        "_max_idle",
        "check",
        "down",
        "endpoint",
        "host",
        "in_flight",
        "limits",
        "name",
        "pipes",
        "retired",
        "sweeper",
    )

    def __init__(
        self,
        name: str,
        endpoint: IStreamClientEndpoint,
        limits: ExchangeLimits,
        sweeper: Sweeper,
        max_idle: int,
        host: bytes = b"",
        pipes: Pipes | None = None,
        check: Check | None = None,
    ) -> None:
        self.name = name
        self.host = host
        self.pipes = pipes
        self.limits = limits
        self.sweeper = sweeper
        self.in_flight = 0
        self.check = check
        self.down = False
        self.retired = False
        self.endpoint = endpoint
        self._factory = _ConnectionFactory(self)
        self._max_idle = max_idle
        self._idle: list[UpstreamConnection] = []

    def take_idle(self, surely_alive: bool) -> UpstreamConnection | None:
        """Take the connection used last, if one is idle.

        Args:
            surely_alive: Look at the socket first: a request that cannot be sent twice must not meet a connection that
                the upstream has closed but whose end is still unread.
        """
        while self._idle:
            connection = self._idle.pop()
            if not surely_alive or not _readable(connection):
                return connection
            connection.drop()
        return None

    def connect(self) -> Deferred[UpstreamConnection]:
        """Open a connection; fails with an `UpstreamError`."""
        return cast("Deferred[UpstreamConnection]", self.endpoint.connect(self._factory))

    def put_back(self, connection: UpstreamConnection) -> bool:
        """Take a connection that may be used again; False where it is to be closed."""
        if self.retired or len(self._idle) >= self._max_idle:
            return False
        connection.pooled = True
        self._idle.append(connection)
        return True

    def forget(self, connection: UpstreamConnection) -> None:
        """Drop a connection that is gone."""
        if connection in self._idle:
            self._idle.remove(connection)

    def retire(self) -> None:
        """Close idle connections now and busy ones after their exchange."""
        self.retired = True
        while self._idle:
            self._idle.pop().drop()

    @property
    def idle(self) -> int:
        """Number of idle connections."""
        return len(self._idle)

    @property
    def mark(self) -> str:
        """What its health goes by, in every process: who is asked what, for whom; empty where nobody asks."""
        check = self.check
        return "" if check is None else f"{check.host.decode('ascii')} {self.name}{check.health.path}"


class UpstreamRegistry:
    """Upstreams by their settings: equal settings share one pool, also across reloads.

    Attributes:
        down: Marks of the upstreams that are down, those of this registry and perhaps others.
        changed: Called once those of no use any more are retired.
    """

    __slots__ = ("_upstreams", "changed", "down")

    def __init__(self) -> None:
        self._upstreams: dict[Hashable, Upstream] = {}
        self.down: frozenset[str] = frozenset()
        self.changed: Callable[[], object] = _nothing

    def __iter__(self) -> Iterator[Upstream]:
        return iter(self._upstreams.values())

    def obtain(self, key: Hashable, make: Callable[[], Upstream]) -> Upstream:
        """Find the upstream with these settings, or make it."""
        upstream = self._upstreams.get(key)
        if upstream is None:
            upstream = self._upstreams[key] = make()
            upstream.down = upstream.mark in self.down
        return upstream

    def set_down(self, down: frozenset[str]) -> None:
        """Have the upstreams with these marks left out where there are others, and no others."""
        self.down = down
        for upstream in self:
            upstream.down = upstream.mark in down

    def retain(self, keys: Iterable[Hashable]) -> None:
        """Retire every upstream whose settings are not among `keys`."""
        for key in self._upstreams.keys() - set(keys):
            self._upstreams.pop(key).retire()
        self.changed()

    def __len__(self) -> int:
        return len(self._upstreams)


class _ConnectionFactory(Factory):
    noisy = False

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def buildProtocol(self, addr: IAddress | None) -> TwistedProtocol:
        return cast(
            "TwistedProtocol", UpstreamConnection(self._upstream)
        )  # Twisted names a class where IProtocol would do


def _nothing() -> None:
    """Do nothing."""


def _readable(connection: UpstreamConnection) -> bool:
    """Tell whether an idle connection has something to read: its end, or octets nobody asked for."""
    fileno = connection.fileno
    if fileno is None:
        return False
    descriptor = fileno()
    return descriptor < 0 or is_readable(descriptor)
