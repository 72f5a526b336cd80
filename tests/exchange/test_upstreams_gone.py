"""Upstreams that vanish, at every stage: the right status and reason, never a second head, never a false end."""

from __future__ import annotations

import pytest

from gateway.errors import (
    ConnectionRefused,
    ConnectionTimeout,
    GatewayError,
    HandshakeFailed,
    NameLookupFailed,
    TooManyConnections,
)
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FRAMINGS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "close": b"HTTP/1.1 200 OK\r\n\r\n",
}


def fin(upstream: FakeTransport) -> None:
    upstream.finish()
    upstream.lose(clean=True)


def rst(upstream: FakeTransport) -> None:
    upstream.lose()


def reason(world: World) -> str:
    assert len(world.log.finished) == 1
    assert [upstream.in_flight for upstream in world.upstreams] == [0] * len(world.upstreams)
    error = world.log.finished[0].error
    return error.reason if error is not None else ""


@pytest.mark.parametrize(
    ("error", "status", "token"),
    [
        (ConnectionRefused("refused"), 503, "upstream_refused"),
        (ConnectionTimeout("no answer"), 503, "upstream_connect_timeout"),
        (NameLookupFailed("no address"), 503, "upstream_dns"),
        (HandshakeFailed("no handshake"), 503, "upstream_tls"),
        (TooManyConnections("no descriptors"), 503, "too_many_connections"),
    ],
    ids=lambda value: str(value),
)
@pytest.mark.parametrize("request_", [GET, b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\nok"])
def test_not_reached(error: GatewayError, status: int, token: str, request_: bytes) -> None:
    """Each way of not reaching an upstream has its status and reason, and the client's connection lives on."""
    world = World()
    world.endpoint.failing = error
    client = world.client()
    client.receive(request_)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert reason(world) == token
    assert not client.closing
    world.endpoint.failing = None
    client.receive(GET)
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")


def test_not_reached_by_a_bug() -> None:
    """An unforeseen failure to connect is answered 503 and does not hang."""
    world = World()
    world.endpoint.failing = RuntimeError("a bug")  # type: ignore[assignment]  # that is the point
    client = world.client()
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert reason(world) == "upstream_refused"


@pytest.mark.parametrize("leave", [fin, rst])
@pytest.mark.parametrize(
    ("sent", "token"),
    [
        (b"", "upstream_reset"),
        (b"H", "upstream_invalid"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "upstream_invalid"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "upstream_invalid"),
    ],
)
def test_before_the_head_is_complete(leave, sent: bytes, token: str) -> None:
    """Without a whole head the answer is 502, or 503 if nothing came, once; the client's connection lives on."""
    world = World()
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(sent)
    leave(world.endpoint.last)
    got = client.take()
    assert got.count(b"HTTP/1.1 502 " if sent else b"HTTP/1.1 503 ") == 1
    assert b"HTTP/1.1 200 " not in got
    assert reason(world) == token
    assert not client.closing
    assert not client.aborted
    assert len(world.endpoint.accepted) == 1


@pytest.mark.parametrize("leave", [fin, rst])
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_in_the_content(leave, framing: str, version: bytes) -> None:
    """A response that is cut is cut for the client too: reset, no second head, no last chunk."""
    world = World()
    client = world.client()
    client.receive(b"GET / %b\r\nHost: example.com\r\n\r\n" % version)
    upstream = world.endpoint.last
    upstream.receive(FRAMINGS[framing] + (b"5\r\nhello\r\n" if framing == "chunked" else b"hello"))
    leave(upstream)
    got = client.take()
    assert got.count(b"HTTP/1.1 ") == 1
    assert b"hello" in got
    if framing == "close" and leave is fin:
        assert reason(world) == ""
        assert not client.aborted
        return
    assert client.aborted
    assert not client.half_closed
    assert b"\r\n0\r\n" not in got
    assert reason(world) == "upstream_incomplete"
    assert len(world.front) == 0


@pytest.mark.parametrize("leave", [fin, rst])
def test_after_the_end(leave) -> None:
    """An idle upstream connection that ends is dropped, and the next request opens another one."""
    world = World()
    client = world.client()
    client.receive(GET)
    upstream = world.endpoint.last
    upstream.receive(OK)
    leave(upstream)
    assert world.upstreams[0].idle == 0
    client.receive(GET)
    assert len(world.endpoint.accepted) == 2
    assert len(world.log.finished) == 1


@pytest.mark.parametrize("leave", [fin, rst])
def test_while_content_is_going_up(leave) -> None:
    """An upstream that leaves while it is sent content: 503, and the rest is read and dropped."""
    world = World()
    client = world.client()
    client.receive(b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1000\r\n\r\nabc")
    world.endpoint.last.stall()
    assert not client.reading
    leave(world.endpoint.last)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert reason(world) == "upstream_reset"
    assert client.reading
    assert client.half_closed
    client.receive(b"x" * 997)
    assert client.take() == b""


@pytest.mark.parametrize("framing", FRAMINGS)
def test_framing_error_in_the_content(framing: str) -> None:
    """Malformed chunks cut the response; other framings cannot be malformed."""
    world = World()
    client = world.client()
    client.receive(GET)
    upstream = world.endpoint.last
    upstream.receive(FRAMINGS[framing])
    upstream.receive(b"nonsense\r\n")
    assert client.aborted == (framing == "chunked")
    assert upstream.aborted == (framing == "chunked")


def test_early_close_of_a_long_response_while_the_client_is_stalled() -> None:
    """A cut reaches also a client that is not reading."""
    world = World()
    client = world.client()
    client.receive(GET)
    upstream = world.endpoint.last
    upstream.receive(FRAMINGS["length"] + b"hello")
    client.stall()
    rst(upstream)
    assert client.aborted
