"""Idle connections, and the registry of upstreams."""

from __future__ import annotations

import pytest

from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.exchange import UpstreamConnection
from gateway.upstream.pool import Upstream, UpstreamRegistry
from gateway.upstream.probe import Check, Health
from tests.support.transports import FakeTransport, World


def connect(world: World) -> tuple[UpstreamConnection, FakeTransport]:
    """Open a connection to the first upstream."""
    made: list[UpstreamConnection] = []
    world.upstreams[0].connect().addCallback(made.append)
    return made[0], world.endpoint.last


def test_last_in_first_out() -> None:
    """The connection used last is used first, so that the others can go idle."""
    world = World()
    upstream = world.upstreams[0]
    connections = [connect(world)[0] for _ in range(3)]
    assert all(upstream.put_back(connection) for connection in connections)
    assert [upstream.take_idle(surely_alive=False) for _ in range(4)] == [*reversed(connections), None]


def test_number_of_idle_connections() -> None:
    """No more than max_idle are kept."""
    world = World(max_idle=2)
    upstream = world.upstreams[0]
    assert [upstream.put_back(connect(world)[0]) for _ in range(3)] == [True, True, False]
    assert upstream.idle == 2


@pytest.mark.parametrize("surely_alive", [False, True])
def test_look_before_use(surely_alive: bool) -> None:
    """A connection with something unread is passed over and closed where it has to be alive for sure."""
    world = World()
    upstream = world.upstreams[0]
    (sound, _), (ended, transport) = connect(world), connect(world)
    upstream.put_back(sound)
    upstream.put_back(ended)
    transport.unread = True
    assert upstream.take_idle(surely_alive=surely_alive) is (sound if surely_alive else ended)
    assert transport.closing == surely_alive
    assert upstream.idle == (0 if surely_alive else 1)


@pytest.mark.parametrize("clean", [False, True])
def test_connections_that_end(clean: bool) -> None:
    """An idle connection that ends is forgotten."""
    world = World()
    connection, transport = connect(world)
    world.upstreams[0].put_back(connection)
    transport.lose(clean=clean)
    assert world.upstreams[0].take_idle(surely_alive=False) is None
    assert len(world.sweeper) == 1  # the listener


def test_octets_on_an_idle_connection() -> None:
    """Octets that nobody asked for end an idle connection."""
    world = World()
    connection, transport = connect(world)
    world.upstreams[0].put_back(connection)
    transport.receive(b"HTTP/1.1 200 OK\r\n")
    assert transport.closing
    assert world.upstreams[0].idle == 0


def test_retired() -> None:
    """A retired upstream closes what is idle, and keeps nothing from then on."""
    world = World()
    upstream = world.upstreams[0]
    (idle, idle_transport), (busy, _) = connect(world), connect(world)
    upstream.put_back(idle)
    upstream.retire()
    assert idle_transport.closing
    assert not upstream.put_back(busy)
    assert upstream.idle == 0


def test_busy_connection_of_a_retired_upstream() -> None:
    """It answers what it was asked, and is closed then."""
    world = World()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    world.upstreams[0].retire()
    transport = world.endpoint.last
    assert not transport.closing
    transport.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.take().endswith(b"ok")
    assert transport.closing
    assert not client.closing


def test_connection_that_comes_after_retirement() -> None:
    """A connection whose client has left and whose upstream was retired meanwhile is closed."""
    world = World()
    world.endpoint.waiting = True
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    client.lose()
    world.upstreams[0].retire()
    world.endpoint.accept()
    assert world.endpoint.last.closing


def test_registry() -> None:
    """Equal settings share one upstream; those no longer named are retired, the others kept."""
    first, second = World(upstreams=2).upstreams
    registry = UpstreamRegistry()
    made: list[Upstream] = []

    def make(upstream: Upstream) -> Upstream:
        made.append(upstream)
        return upstream

    assert registry.obtain("a", lambda: make(first)) is first
    assert registry.obtain("a", lambda: make(second)) is first
    assert registry.obtain("b", lambda: make(second)) is second
    assert made == [first, second]
    assert len(registry) == 2
    registry.retain(["b", "c"])
    assert (first.retired, second.retired) == (True, False)
    assert len(registry) == 1


def test_gone_transport() -> None:
    """A connection whose descriptor is gone is not used."""
    world = World()
    connection, transport = connect(world)
    world.upstreams[0].put_back(connection)
    transport.fileno = lambda: -1  # type: ignore[method-assign]
    assert world.upstreams[0].take_idle(surely_alive=True) is None


def test_who_is_down() -> None:
    """Those named are down and no others, also pools that are made later; who is never asked is never down."""
    world = World()
    check = Check(health=Health(path="/up"), host=b"a.test", alone=False)

    def make(check: Check | None) -> Upstream:
        return Upstream("127.0.0.1:1", world.endpoint, ExchangeLimits(), world.sweeper, 1, check=check)  # type: ignore[arg-type]  # structural

    registry = UpstreamRegistry()
    early = registry.obtain("early", lambda: make(check))
    unasked = registry.obtain("unasked", lambda: make(None))
    assert (early.mark, unasked.mark) == ("a.test 127.0.0.1:1/up", "")
    registry.set_down(frozenset({early.mark, "a.test 127.0.0.1:2/up"}))
    late = registry.obtain("late", lambda: make(check))
    assert [upstream.down for upstream in registry] == [True, False, True]
    registry.set_down(frozenset())
    assert not any(upstream.down for upstream in (early, late, unasked))


def test_changes_are_told() -> None:
    """Whoever watches learns that the upstreams may be others."""
    registry = UpstreamRegistry()
    seen: list[int] = []
    registry.changed = lambda: seen.append(len(registry))
    registry.obtain("a", lambda: World().upstreams[0])
    registry.retain(["a"])
    registry.retain([])
    assert seen == [1, 0]
