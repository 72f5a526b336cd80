"""One client connection, many requests: order, keep-alive, and what a client that only sends may cost."""

from __future__ import annotations

import pytest

from gateway.protocol.http1_fields import HeadLimits
from gateway.server.connection import ConnectionLimits
from gateway.units import ByteCount
from tests.support.streams import Reply
from tests.support.transports import World

GET = b"GET /%d HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def paths(sent: bytes) -> list[bytes]:
    """Read the targets of the requests that an upstream got."""
    return [line.split()[1] for line in sent.split(b"\r\n") if line.endswith(b" HTTP/1.1")]


def test_requests_one_after_the_other() -> None:
    """Connections on both sides serve request after request."""
    world = World()
    client = world.client()
    for number in range(5):
        client.receive(GET % number)
        upstream = world.endpoint.last
        assert paths(upstream.take()) == [b"/%d" % number]
        upstream.receive(response(b"%d" % number))
        assert client.take().endswith(b"\r\n\r\n%d" % number)
    assert len(world.endpoint.accepted) == 1
    assert not client.closing
    assert len(world.log.finished) == 5


@pytest.mark.parametrize("size", [0, 1, 7, 100])
def test_pipelined_requests_are_answered_in_order(size: int) -> None:
    """Many requests at once are asked and answered one by one, in the order in which they came."""
    world = World()
    client = world.client()
    client.receive(b"".join(GET % number for number in range(200)), size)
    upstream = world.endpoint.last
    for number in range(200):
        assert paths(upstream.take()) == [b"/%d" % number]
        upstream.receive(response(b"<%d>" % number))
    got = client.take()
    assert [got.find(b"<%d>" % number) for number in range(200)] == sorted(
        got.find(b"<%d>" % number) for number in range(200)
    )
    assert got.count(b"HTTP/1.1 200 ") == 200
    assert len(world.endpoint.accepted) == 1
    assert world.upstreams[0].in_flight == 0


def test_pipelined_requests_with_content() -> None:
    """What follows a request's content is the next request."""
    world = World()
    client = world.client()
    post = b"POST /%d HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\n\r\nabc"
    chunked = b"POST /%d HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    client.receive(post % 0 + chunked % 1 + GET % 2)
    for number in range(3):
        upstream = world.endpoint.last
        assert paths(upstream.take()) == [b"/%d" % number]
        upstream.receive(OK)
    assert client.take().count(b"HTTP/1.1 200 ") == 3


def test_immediate_answers_do_not_nest() -> None:
    """Thousands of pipelined requests that are answered at once do not exhaust the stack."""
    world = World(Reply(content=b"x"), limits=ConnectionLimits(pipelined=ByteCount(10_000_000)))
    client = world.client()
    client.receive(b"".join(GET % number for number in range(5000)))
    assert client.take().count(b"HTTP/1.1 200 ") == 5000


def test_immediate_answers_after_a_slow_one_do_not_nest() -> None:
    """The same holds where they waited for the content of the first one."""
    world = World(Reply(content=b"x"))
    client = world.client()
    post = b"POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    client.receive(b"\r\n" + post * 3000)
    assert client.take().count(b"HTTP/1.1 200 ") == 3000


def test_pipelined_octets_are_bounded() -> None:
    """A client that sends more than the limit while one request is answered is not read any further."""
    world = World(limits=ConnectionLimits(pipelined=ByteCount(1000)))
    client = world.client()
    client.receive(GET % 0)
    for number in range(1, 100):
        if not client.reading:
            break
        client.receive(GET % number)
    assert number < 40
    for _ in range(number):
        world.endpoint.last.receive(OK)
    assert client.reading
    assert client.take().count(b"HTTP/1.1 200 ") == number


def test_client_that_never_reads_gets_no_further_answers() -> None:
    """While answers wait to be read no further request is begun, so that they cannot pile up."""
    world = World(Reply(content=b"x" * 1000))
    client = world.client(high_water=10_000)
    client.receive(b"".join(GET % number for number in range(500)))
    assert client.most < 12_000
    assert len(world.log.finished) < 12
    answers = b""
    while client.written:
        answers += client.take()
    assert answers.count(b"HTTP/1.1 200 ") == 500
    assert client.most < 12_000
    assert not client.closing


def test_answers_from_upstream_do_not_pile_up_either() -> None:
    """A pipelined request goes upstream only when the client has read the answer before."""
    world = World()
    client = world.client(high_water=10_000)
    client.receive(GET % 0 + GET % 1)
    upstream = world.endpoint.last
    upstream.take()
    upstream.receive(response(b"x" * 50_000))
    assert upstream.take() == b""
    assert upstream.reading
    client.take()
    assert paths(upstream.take()) == [b"/1"]
    upstream.receive(OK)
    assert client.take().endswith(b"ok")


def test_connection_is_reused_after_its_last_octets_had_to_wait() -> None:
    """An upstream connection whose last octets filled the client's buffer is read again for the next client."""
    world = World()
    client = world.client(high_water=10_000)
    client.receive(GET % 0)
    world.endpoint.last.receive(response(b"x" * 50_000))
    other = world.client()
    other.receive(GET % 1)
    assert len(world.endpoint.accepted) == 1
    assert world.endpoint.last.reading
    world.endpoint.last.receive(OK)
    assert other.take().endswith(b"ok")


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_empty_lines_before_a_request(size: int) -> None:
    """Empty lines before a request line are ignored, however they are split (RFC 9112 §2.2)."""
    world = World(Reply())
    client = world.client()
    client.receive(b"\r\n\r\n" + GET % 1 + b"\r\n" + GET % 2, size)
    assert client.take().count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_bare_line_feeds_before_a_request(size: int) -> None:
    """A bare LF before a request line is refused, however it is split (RFC 9112 §2.2)."""
    world = World(Reply())
    client = world.client()
    client.receive(b"\r\n\n" + GET % 1, size)
    assert client.take().startswith(b"HTTP/1.1 400 ")


def test_http10_closes() -> None:
    """An HTTP/1.0 request closes the connection behind its answer unless it asks otherwise."""
    world = World()
    client = world.client()
    client.receive(b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
    world.endpoint.last.receive(OK)
    assert b"Connection: close\r\n" in client.take()
    assert client.closing


def test_http10_keep_alive() -> None:
    """An HTTP/1.0 client that asks for it keeps its connection, and is told so (RFC 9112 §9.3)."""
    world = World()
    client = world.client()
    for _ in range(2):
        client.receive(b"GET / HTTP/1.0\r\nHost: example.com\r\nConnection: keep-alive\r\n\r\n")
        world.endpoint.last.receive(OK)
        assert b"Connection: keep-alive\r\n" in client.take()
    assert not client.closing


def test_connection_close_of_the_client() -> None:
    """Nothing behind a request with `Connection: close` is answered."""
    world = World()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n" + GET % 1)
    world.endpoint.last.receive(OK)
    assert client.take().count(b"HTTP/1.1 200 ") == 1
    assert client.closing or client.half_closed
    assert len(world.log.finished) == 1


def test_malformed_request_behind_a_good_one() -> None:
    """The good one is answered first, then 400, and the connection closes."""
    world = World()
    client = world.client()
    client.receive(GET % 0 + b"nonsense\r\n\r\n")
    assert client.take() == b""
    world.endpoint.last.receive(OK)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 400 " in got
    assert client.half_closed


def test_trailers_of_a_refused_request_reach_nobody() -> None:
    """Trailers of content that was refused do not end up with the pipelined request behind it."""
    world = World(max_body=3, limits=ConnectionLimits(head=HeadLimits()))
    client = world.client()
    first = b"POST /first HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
    second = b"POST /second HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    client.receive(first)
    client.receive(b"8\r\ntoo long\r\n0\r\nX-Stray: 1\r\n\r\n" + second)
    assert client.take().startswith(b"HTTP/1.1 413 ")
    upstream = world.endpoint.last
    sent = upstream.take()
    assert paths(sent) == [b"/second"]
    assert sent.endswith(b"\r\n\r\n1\r\na\r\n")
