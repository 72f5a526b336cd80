"""Exchanges leave no reference cycles, and idle connections hold no octets."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from tests.support.transports import FakeTransport, World
from tests.support.websocket import TEXT, accept, close, frame, handshake

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = b"POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"


def plain(world: World, client: FakeTransport) -> None:
    client.receive(GET)
    world.endpoint.last.receive(OK)


def content(world: World, client: FakeTransport) -> None:
    client.receive(POST + b"2\r\nok\r\n")
    client.receive(b"0\r\nX-Sum: 1\r\n\r\n")
    world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    world.endpoint.last.receive(b"0\r\nX-Sum: 1\r\n\r\n")


def unknown_host(world: World, client: FakeTransport) -> None:
    client.receive(b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n")


def loop(world: World, client: FakeTransport) -> None:
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\nVia: 1.1 gw\r\n\r\n")


def invalid_response(world: World, client: FakeTransport) -> None:
    client.receive(GET)
    world.endpoint.last.receive(b"nonsense\r\n\r\n")


def dead_connection(world: World, client: FakeTransport) -> None:
    plain(world, client)
    client.receive(GET)
    world.endpoint.last.lose()
    world.endpoint.last.receive(OK)


def refused(world: World, client: FakeTransport) -> None:
    world.endpoint.refuse()
    client.receive(GET)
    world.endpoint.failing = None


def waited(world: World, client: FakeTransport) -> None:
    world.endpoint.waiting = True
    client.receive(GET)
    world.endpoint.accept()
    world.endpoint.last.receive(OK)
    world.endpoint.waiting = False


def upgrade(world: World, client: FakeTransport) -> FakeTransport:
    """Open a WebSocket, with a frame each way."""
    client.receive(handshake())
    app = world.endpoint.last
    app.receive(accept(app.take()))
    client.receive(frame(TEXT, b"up", masked=True))
    app.receive(frame(TEXT, b"down"))
    return app


def websocket(world: World, client: FakeTransport) -> None:
    app = upgrade(world, client)
    client.receive(close(1000, masked=True))
    app.receive(close(1000))
    app.finish()
    app.lose(clean=True)
    leave(client, clean=True)


def websocket_closed_by_the_app(world: World, client: FakeTransport) -> None:
    app = upgrade(world, client)
    app.receive(close(1001))
    client.receive(close(1001, masked=True))
    app.finish()
    app.lose(clean=True)
    leave(client, clean=True)


def websocket_lost_by_the_client(world: World, client: FakeTransport) -> None:
    app = upgrade(world, client)
    leave(client)
    app.finish()
    app.lose(clean=True)


def websocket_lost_by_the_app(world: World, client: FakeTransport) -> None:
    upgrade(world, client).lose()
    client.receive(close(1012, masked=True))
    leave(client, clean=True)


def websocket_that_breaks_a_rule(world: World, client: FakeTransport) -> None:
    app = upgrade(world, client)
    client.receive(frame(TEXT, b"no mask"))
    client.receive(close(1002, masked=True))
    app.finish()
    app.lose(clean=True)
    leave(client, clean=True)


def websocket_that_never_closes(world: World, client: FakeTransport) -> None:
    upgrade(world, client)
    client.receive(close(1000, masked=True))
    world.wait(20)
    leave(client)


def websocket_refused(world: World, client: FakeTransport) -> None:
    client.receive(handshake())
    world.endpoint.last.receive(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    leave(client, clean=True)


def leave(client: FakeTransport, *, clean: bool = False) -> None:
    """Let the client be gone, and its protocol with it, as real transports do."""
    client.take()
    client.lose(clean=clean)
    client.protocol = client.producer = None  # type: ignore[assignment]


KINDS = [plain, content, unknown_host, loop, invalid_response, dead_connection, refused, waited]
SOCKETS = [
    websocket,
    websocket_closed_by_the_app,
    websocket_lost_by_the_client,
    websocket_lost_by_the_app,
    websocket_that_breaks_a_rule,
    websocket_that_never_closes,
    websocket_refused,
]


def retained(world: World) -> None:
    """Let go of what only the test's fakes keep."""
    world.log.finished.clear()
    for transport in world.endpoint.accepted:
        transport.take()
        if not transport.connected:
            transport.protocol = transport.producer = None  # type: ignore[assignment]  # as real transports do
    world.endpoint.accepted[:] = [transport for transport in world.endpoint.accepted if transport.connected]


@pytest.mark.parametrize("kind", KINDS + SOCKETS)
def test_no_cycles(kind: Callable[[World, FakeTransport], None]) -> None:
    """Everything of an exchange is freed without the garbage collector."""
    world = World()
    world.sweeper.add(world.sockets)
    client = world.client()
    kind(world, client)
    if not client.connected or client.closing or client.half_closed:
        client = world.client()
    retained(world)
    while gc.collect():  # what other tests left may free more with its finalizers
        pass
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        kind(world, client)
        retained(world)
        gc.collect()
        left = [thing for thing in gc.garbage if type(thing).__module__.startswith("gateway.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []
    assert len(world.sockets) == 0


@pytest.mark.parametrize("kind", [plain, content, waited])
def test_idle_connections_hold_nothing(kind: Callable[[World, FakeTransport], None]) -> None:
    """Between exchanges neither side keeps octets, heads or decoders."""
    world = World()
    client = world.client()
    kind(world, client)
    assert world.upstreams[0].idle == 1
    for protocol in (client.protocol, world.endpoint.last.protocol):
        values = {name: getattr(protocol, name) for name in dir(protocol)}
        held = {name: value for name, value in values.items() if isinstance(value, bytes) and value}
        held.pop("forwarded", None)  # made once per connection
        assert held == {}
        for name in ("head", "_request", "_sink", "_decoder"):
            assert getattr(protocol, name, None) is None
