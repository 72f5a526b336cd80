"""The client side of one exchange by itself: tunnels, and the deadlines that only it has."""

from __future__ import annotations

import pytest

from gateway.errors import ClientDisconnected
from gateway.upstream.exchange import UpstreamConnection
from tests.support.sinks import RecordingSink
from tests.support.streams import request_head
from tests.support.transports import FakeTransport, World

UPGRADE = b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def tunnel(world: World) -> tuple[UpstreamConnection, FakeTransport, RecordingSink]:
    """Open a tunnel whose first octets came with the 101."""
    made: list[UpstreamConnection] = []
    world.upstreams[0].connect().addCallback(made.append)
    sink = RecordingSink()
    made[0].send_request(sink, request_head(UPGRADE), b"/", b"", b"", True)
    transport = world.endpoint.last
    assert b"Connection: Upgrade\r\nUpgrade: websocket\r\n" in transport.take()
    transport.receive(SWITCH + b"early")
    assert (sink.status, sink.data) == (101, b"early")
    return made[0], transport, sink


def test_octets_pass_both_ways() -> None:
    """Behind a 101 every octet passes as it is, also what came together with it."""
    connection, transport, sink = tunnel(World())
    transport.receive(b"\0down\r\n")
    connection.send_data(b"\0up\r\n", False)
    assert sink.data == b"early\0down\r\n"
    assert transport.take() == b"\0up\r\n"


def test_half_close_by_the_client() -> None:
    """The client's end is passed on, and the upstream may still speak."""
    connection, transport, sink = tunnel(World())
    connection.send_data(b"bye", True)
    assert transport.take() == b"bye"
    assert transport.half_closed
    transport.receive(b"last")
    transport.finish()
    assert (sink.data, sink.ended) == (b"earlylast", True)


def test_half_close_by_the_upstream() -> None:
    """The upstream's end is passed on; a connection that nobody closes then is cut after idle_timeout."""
    world = World()
    connection, transport, sink = tunnel(world)
    transport.finish()
    assert sink.ended
    assert not transport.aborted
    connection.send_data(b"still", False)
    assert transport.take() == b"still"
    world.wait(62)
    assert transport.aborted


def test_tunnels_have_no_idle_deadline_here() -> None:
    """How long a tunnel may be silent is the leaf's matter."""
    world = World()
    _, transport, sink = tunnel(world)
    world.wait(600)
    assert not transport.aborted
    assert not sink.ended


@pytest.mark.parametrize("clean", [False, True])
def test_tunnel_lost(clean: bool) -> None:
    """A connection that is reset is a failure, and one that ends an end."""
    _, transport, sink = tunnel(World())
    transport.lose(clean=clean)
    assert sink.ended == clean
    assert (sink.error is None) == clean


def test_tunnel_given_up() -> None:
    """A tunnel given up is cut, and its sink hears nothing more."""
    connection, transport, sink = tunnel(World())
    connection.reset(ClientDisconnected("gone"))
    assert transport.aborted
    assert (sink.ended, sink.error) == (False, None)
    assert connection.home.idle == 0  # type: ignore[attr-defined]  # an Upstream
