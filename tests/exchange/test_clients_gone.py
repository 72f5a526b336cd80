"""Clients that vanish, at every stage, by FIN and by RST: nothing is leaked, and the log says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.observe.lines import Combined
from gateway.units import Seconds
from gateway.web.request import Request
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 100\r\n\r\nabc"


def fin(client: FakeTransport) -> None:
    client.finish()
    if client.closing or client.aborted:
        client.lose(clean=True)


def rst(client: FakeTransport) -> None:
    client.lose()


def status_of(request: Request) -> int:
    """Read the status in the line of an exchange."""
    return int(Combined(lambda: Seconds(0)).line(request).split()[8])


ways = pytest.mark.parametrize("leave", [fin, rst])


def assert_forgotten(world: World, client: FakeTransport) -> None:
    """See that nothing is left of a client but its log line."""
    assert not client.connected
    assert len(world.front) == 0
    assert world.upstreams[0].in_flight == 0


@ways
@pytest.mark.parametrize("sent", [b"", GET[:10], b"\r\n"])
def test_in_the_head(leave: Callable[[FakeTransport], None], sent: bytes) -> None:
    """Nothing was asked, so nothing is logged and no upstream bothered."""
    world = World()
    client = world.client()
    client.receive(sent)
    leave(client)
    assert world.log.finished == []
    assert world.endpoint.accepted == []
    assert_forgotten(world, client)


@ways
@pytest.mark.parametrize("request_", [POST, GET], ids=["content", "waiting"])
def test_before_the_answer(leave: Callable[[FakeTransport], None], request_: bytes) -> None:
    """It is logged as 499, and the upstream connection is cut and never used again."""
    world = World()
    client = world.client()
    client.receive(request_)
    leave(client)
    assert [status_of(request) for request in world.log.finished] == [499]
    assert world.log.finished[0].error.reason == "client_gone"  # type: ignore[union-attr]
    assert world.endpoint.last.aborted
    assert world.upstreams[0].idle == 0
    assert client.take() == b""
    assert_forgotten(world, client)


@ways
def test_while_connecting(leave: Callable[[FakeTransport], None]) -> None:
    """A connection that still comes is kept for others, and what was to be sent on it is not."""
    world = World()
    world.endpoint.waiting = True
    client = world.client()
    client.receive(POST)
    leave(client)
    assert [status_of(request) for request in world.log.finished] == [499]
    assert_forgotten(world, client)
    world.endpoint.accept()
    assert world.endpoint.last.take() == b""
    assert world.upstreams[0].idle == 1
    world.client().receive(GET)
    assert len(world.endpoint.accepted) == 1
    assert world.endpoint.last.take().startswith(b"GET / ")


@ways
def test_while_connecting_in_vain(leave: Callable[[FakeTransport], None]) -> None:
    """A connection that fails after the client has left changes nothing more."""
    world = World(upstreams=2)
    for endpoint in world.endpoints:
        endpoint.waiting = True
    client = world.client()
    client.receive(GET)
    leave(client)
    for endpoint in world.endpoints:
        endpoint.reject()
    assert len(world.log.finished) == 1
    assert [upstream.in_flight for upstream in world.upstreams] == [0, 0]


@ways
@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nx",
    ],
    ids=["length", "chunked", "close"],
)
@pytest.mark.parametrize("stalled", [False, True])
def test_in_the_answer(leave: Callable[[FakeTransport], None], response: bytes, stalled: bool) -> None:
    """The upstream is cut at once, also where it was paused, and the log has the reason."""
    world = World()
    client = world.client()
    client.receive(GET)
    upstream = world.endpoint.last
    upstream.receive(response)
    if stalled:
        client.stall()
    leave(client)
    assert upstream.aborted
    assert world.upstreams[0].idle == 0
    assert [status_of(request) for request in world.log.finished] == [200]
    assert world.log.finished[0].error.reason == "client_gone"  # type: ignore[union-attr]
    assert_forgotten(world, client)


@ways
def test_in_an_early_answer(leave: Callable[[FakeTransport], None]) -> None:
    """A client that leaves while its content and its answer are both under way is forgotten as well."""
    world = World()
    client = world.client()
    client.receive(POST)
    world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    leave(client)
    assert world.endpoint.last.aborted
    assert len(world.log.finished) == 1
    assert_forgotten(world, client)


@ways
def test_after_the_answer(leave: Callable[[FakeTransport], None]) -> None:
    """A client that leaves between requests leaves the upstream connection to others."""
    world = World()
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(OK)
    leave(client)
    assert world.upstreams[0].idle == 1
    assert world.log.finished[0].error is None
    assert_forgotten(world, client)


@ways
def test_with_pipelined_requests(leave: Callable[[FakeTransport], None]) -> None:
    """What a vanished client had asked besides is not asked of the upstream."""
    world = World()
    client = world.client()
    client.receive(GET * 5)
    leave(client)
    assert len(world.endpoint.accepted) == 1
    assert len(world.log.finished) == 1
    assert_forgotten(world, client)


@ways
def test_while_lingering(leave: Callable[[FakeTransport], None]) -> None:
    """A client that leaves after its early answer is logged once, with that answer."""
    world = World(max_body=1)
    client = world.client()
    client.receive(POST)
    leave(client)
    assert [status_of(request) for request in world.log.finished] == [413]
    assert_forgotten(world, client)


@ways
def test_with_answers_unread(leave: Callable[[FakeTransport], None]) -> None:
    """A client that leaves while its complete answer waits to be read is not counted as gone."""
    world = World()
    client = world.client(high_water=10)
    client.receive(GET + GET)
    world.endpoint.last.receive(OK)
    leave(client)
    assert [request.error for request in world.log.finished] == [None]
    assert world.upstreams[0].idle == 1
    assert_forgotten(world, client)
