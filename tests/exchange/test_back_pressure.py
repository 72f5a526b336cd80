"""Back-pressure both ways: however much is sent, what waits in memory is bounded."""

from __future__ import annotations

import pytest

from gateway.server.connection import ConnectionLimits
from gateway.units import ByteCount
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
HIGH_WATER = 64 * 1024
READ = 256 * 1024
PIECE = b"x" * READ
TOTAL = 200 * READ  # 50 MB
BOUND = HIGH_WATER + READ + 1000


def pump(source: FakeTransport, sink: FakeTransport, frame: bytes = b"%b") -> int:
    """Send all pieces as fast as the source is read, while the other side reads only when all stands still."""
    sent = taken = 0
    while sent < TOTAL:
        if source.reading:
            source.receive(frame % PIECE)
            sent += READ
        else:
            taken += len(sink.take())
    return taken + len(sink.take())


@pytest.mark.parametrize("chunked", [False, True])
def test_slow_client(chunked: bool) -> None:
    """50 MB to a client that stalls again and again never fill more than the high-water mark and one read."""
    world = World()
    client = world.client(high_water=HIGH_WATER)
    client.receive(GET)
    upstream = world.endpoint.last
    if chunked:
        upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        taken = pump(upstream, client, b"%x\r\n%%b\r\n" % READ)
        upstream.receive(b"0\r\n\r\n")
    else:
        upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % TOTAL)
        taken = pump(upstream, client)
    assert taken >= TOTAL
    assert client.most <= BOUND
    assert world.log.finished[0].error is None
    assert world.log.finished[0].bytes_out == TOTAL
    client.receive(GET)
    assert len(world.endpoint.accepted) == 1
    assert upstream.reading


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("reused", "waiting"), [(False, False), (False, True), (True, False)])
def test_slow_upstream(chunked: bool, reused: bool, waiting: bool) -> None:
    """50 MB to an upstream that stalls again and again neither, on a fresh connection as on a reused one."""
    world = World()
    world.endpoint.high_water = HIGH_WATER
    world.endpoint.waiting = waiting
    client = world.client()
    if reused:
        client.receive(GET)
        world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        world.endpoint.last.take()
        world.log.finished.clear()
    frame = b"%x\r\n%%b\r\n" % READ if chunked else b"%b"
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (TOTAL + READ)
    client.receive(b"PUT / HTTP/1.1\r\nHost: example.com\r\n" + framing + b"\r\n\r\n" + frame % PIECE)
    assert not client.reading
    world.endpoint.accept()
    upstream = world.endpoint.last
    assert not client.reading
    taken = pump(client, upstream, frame)
    if chunked:
        client.receive(b"0\r\n\r\n")
        taken += len(upstream.take())
    assert taken >= TOTAL + READ
    assert upstream.most <= BOUND
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.take().endswith(b"ok")
    assert world.log.finished[0].bytes_in == TOTAL + READ


def test_content_while_connecting() -> None:
    """While a connection is being opened the client is not read; only what was read already is kept."""
    world = World()
    world.endpoint.waiting = True
    client = world.client()
    client.receive(b"PUT / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1000\r\n\r\n")
    assert not client.reading
    client.receive(b"x" * 100)
    assert not client.reading
    world.endpoint.accept()
    assert client.reading
    assert world.endpoint.last.take().endswith(b"\r\n\r\n" + b"x" * 100)


def test_stalled_client_stops_its_upstream_only() -> None:
    """One client's stall leaves other exchanges alone."""
    world = World()
    clients = [world.client() for _ in range(2)]
    for client in clients:
        client.receive(GET)
    first, second = world.endpoint.accepted
    for upstream in (first, second):
        upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
    clients[0].stall()
    assert not first.reading
    assert second.reading


def test_upstream_that_answers_without_reading() -> None:
    """An upstream connection with content still unread by the upstream is not used again."""
    world = World()
    client = world.client()
    client.receive(b"PUT / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 6\r\n\r\nabc")
    upstream = world.endpoint.last
    upstream.stall()
    client.receive(b"def")
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.take().endswith(b"ok")
    assert world.upstreams[0].idle == 0
    assert upstream.closing


def test_next_request_of_a_client_is_read_after_a_stall() -> None:
    """A client whose content was paused to the end of its exchange is read again."""
    world = World()
    client = world.client()
    client.receive(b"PUT / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\n\r\n")
    upstream = world.endpoint.last
    client.receive(b"abc")
    upstream.stall()
    assert not client.reading
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.reading
    client.receive(GET)
    assert len(world.endpoint.accepted) == 2


def test_pipelined_octets_behind_a_slow_answer() -> None:
    """Both limits together: a client that neither reads nor stops sending costs a bounded amount."""
    world = World(limits=ConnectionLimits(pipelined=ByteCount(10_000)))
    client = world.client(high_water=1000)
    upstream = None
    sent = 0
    while client.reading and sent < 10_000:
        client.receive(GET)
        sent += 1
        upstream = world.endpoint.last
        if upstream.take():
            upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
    assert not client.reading
    assert sent < 10_000 / len(GET) + 5
    assert client.most < 7000
