"""Every wait has a deadline: what happens when somebody stands still, and who is blamed."""

from __future__ import annotations

import pytest

from gateway.server.connection import ConnectionLimits
from gateway.units import Seconds
from gateway.upstream.connection import ExchangeLimits
from gateway.web.request import Request
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = b"POST / HTTP/1.1\r\nHost: example.com\r\n"


def ended(world: World) -> Request:
    """Find the only finished exchange."""
    assert len(world.log.finished) == 1
    assert world.upstreams[0].in_flight == 0
    return world.log.finished[0]


def reason(world: World) -> str:
    error = ended(world).error
    assert error is not None
    return error.reason


def ask(world: World, request: bytes = GET) -> tuple[FakeTransport, FakeTransport]:
    client = world.client()
    client.receive(request)
    return client, world.endpoint.last


def test_silent_client() -> None:
    """A client that sends nothing is closed without a word after the time for a head."""
    world = World()
    client = world.client()
    world.wait(14)
    assert not client.closing
    world.wait(2)
    assert client.closing
    assert client.take() == b""
    assert world.log.finished == []


def test_dripping_head() -> None:
    """One octet a second does not extend the time for a head: 408."""
    world = World()
    client = world.client()
    for octet in b"GET / HTTP/1.1\r\nHost: exa":
        client.receive(bytes((octet,)))
        world.wait(1)
        if client.written:
            break
    assert client.take().startswith(b"HTTP/1.1 408 ")
    assert world.now() <= 1017
    assert client.half_closed
    assert reason(world) == "request_timeout"


def test_dripping_second_head() -> None:
    """The same holds for the head of a later request, from its first octet."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(OK)
    client.take()
    world.wait(30)
    start = world.now()
    for octet in GET[:30]:
        client.receive(bytes((octet,)))
        world.wait(1)
        if client.written:
            break
    assert client.take().startswith(b"HTTP/1.1 408 ")
    assert 14 <= world.now() - start <= 17


def test_empty_lines_are_no_request() -> None:
    """Empty lines do not keep an idle connection alive."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(OK)
    for _ in range(62):
        client.receive(b"\r\n")
        world.wait(1)
    assert client.closing


def test_idle_client_connection() -> None:
    """An idle connection is closed after keep_alive, counted from its last answer."""
    world = World()
    client, upstream = ask(world)
    world.wait(50)
    upstream.receive(OK)
    world.wait(59)
    assert not client.closing
    world.wait(3)
    assert client.closing
    assert not client.aborted


def test_content_stands_still() -> None:
    """Content that stops is answered 408 after body_idle, the upstream request is cut, and the client is to blame."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 100000\r\n\r\n")
    for _ in range(3):
        client.receive(b"x" * 20_000)
        world.wait(59)
        assert client.written == b""
    world.wait(3)
    assert client.take().startswith(b"HTTP/1.1 408 ")
    assert upstream.aborted
    assert reason(world) == "request_timeout"


def test_upstream_is_not_blamed_for_the_clients_stillness() -> None:
    """While the client owes content, the upstream's deadlines do not run, however short they are."""
    world = World(exchange=ExchangeLimits(response_timeout=Seconds(5), idle_timeout=Seconds(5)))
    client, upstream = ask(world, POST + b"Content-Length: 3\r\n\r\n")
    world.wait(25)
    assert not upstream.aborted
    client.receive(b"abc")
    world.wait(4)
    upstream.receive(OK)
    assert client.take().endswith(b"ok")


def test_content_drips() -> None:
    """Content below 100 octets a second is answered 408 after half a minute."""
    world = World()
    client, _ = ask(world, POST + b"Content-Length: 100000\r\n\r\n")
    for _ in range(40):
        client.receive(b"x" * 90)
        world.wait(1)
        if client.written:
            break
    assert client.take().startswith(b"HTTP/1.1 408 ")
    assert 1030 <= world.now() <= 1033
    assert reason(world) == "request_timeout"


def test_content_just_fast_enough() -> None:
    """Content at 110 octets a second may take as long as it likes."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 22000\r\n\r\n")
    for _ in range(200):
        client.receive(b"x" * 110)
        world.wait(1)
    assert client.take() == b""
    upstream.receive(OK)
    assert client.take().endswith(b"ok")


def test_pauses_are_not_the_clients() -> None:
    """Time in which the upstream does not read counts neither for the client's rate nor for its stillness."""
    world = World(exchange=ExchangeLimits(idle_timeout=Seconds(1000)))
    client, upstream = ask(world, POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 200)
    world.wait(3)
    upstream.stall()
    assert not client.reading
    world.wait(300)
    upstream.drain()
    assert client.reading
    for _ in range(50):
        world.wait(1)
        client.receive(b"x" * 150)
    assert client.take() == b""
    assert world.log.finished == []


def test_client_reads_nothing() -> None:
    """A client that does not read is cut after write_idle; the upstream is cut at once with it."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
    client.stall()
    assert not upstream.reading
    world.wait(59)
    assert not client.aborted
    world.wait(3)
    assert client.aborted
    assert upstream.aborted
    assert reason(world) == "client_timeout"


def test_client_reads_slowly() -> None:
    """A client that reads a little every minute is served on, and the upstream's pause is not held against it."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
    client.stall(100_000)
    for left in range(5):
        world.wait(50)
        client.backlog = 90_000 - left
    client.drain()
    world.wait(5)
    assert upstream.reading
    upstream.receive(b"x" * 999)
    assert ended(world).error is None


def test_closing_connection_that_is_not_read() -> None:
    """A connection being closed whose client does not read is cut after write_idle."""
    world = World()
    client, upstream = ask(world, b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
    client.stall()
    upstream.receive(OK)
    assert client.closing
    world.wait(62)
    assert client.aborted


def test_lingering() -> None:
    """After linger the connection is closed, and cut if that does not end it."""
    world = World()
    client = world.client()
    client.receive(b"nonsense\r\n\r\n")
    assert client.half_closed
    world.wait(2)
    assert not client.closing
    world.wait(1)
    assert client.closing
    assert not client.aborted
    world.wait(3)
    assert client.aborted


def test_no_answer() -> None:
    """An upstream that does not answer is cut after response_timeout: 503."""
    world = World()
    client, upstream = ask(world)
    world.wait(59)
    assert client.written == b""
    world.wait(3)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert upstream.aborted
    assert reason(world) == "upstream_header_timeout"
    assert not client.closing


def test_dripping_answer() -> None:
    """An octet of the response's head now and then does not extend response_timeout."""
    world = World()
    client, upstream = ask(world)
    for octet in b"HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":
        world.wait(1)
        if upstream.aborted:
            break
        upstream.receive(bytes((octet,)))
    assert client.take().startswith(b"HTTP/1.1 503 ")


def test_progress_reports_extend_the_wait() -> None:
    """Each 1xx of the upstream is progress, up to their limit."""
    world = World()
    client, upstream = ask(world)
    for _ in range(5):
        world.wait(50)
        upstream.receive(b"HTTP/1.1 102 Processing\r\n\r\n")
    upstream.receive(OK)
    assert client.take().endswith(b"ok")


def test_continue_never_comes() -> None:
    """A client that waits for 100 (Continue) is not to blame when the upstream is silent: 503."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    world.wait(62)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert upstream.aborted
    assert reason(world) == "upstream_header_timeout"


def test_content_never_comes_after_continue() -> None:
    """A client that got its 100 (Continue) and sends nothing is to blame: 408."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    client.take()
    world.wait(62)
    assert client.take().startswith(b"HTTP/1.1 408 ")
    assert reason(world) == "request_timeout"


def test_upstream_stops_in_content() -> None:
    """A response that stops is cut after idle_timeout, so that the client cannot take it for complete."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
    for _ in range(3):
        world.wait(50)
        upstream.receive(b"x")
    assert not client.aborted
    world.wait(62)
    assert client.aborted
    assert upstream.aborted
    assert reason(world) == "upstream_idle_timeout"
    assert client.take().count(b"HTTP/1.1 ") == 1


def test_upstream_stops_reading() -> None:
    """An upstream that does not read the request's content is cut after idle_timeout: 504."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 100000\r\n\r\nabc")
    upstream.stall()
    assert not client.reading
    world.wait(62)
    assert client.take().startswith(b"HTTP/1.1 504 ")
    assert upstream.aborted
    assert reason(world) == "upstream_idle_timeout"


def test_idle_upstream_connection() -> None:
    """An idle upstream connection is closed after 50 s, before the app would close it."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(OK)
    world.wait(49)
    assert not upstream.closing
    world.wait(2)
    assert upstream.closing
    assert world.upstreams[0].idle == 0
    client.receive(GET)
    assert len(world.endpoint.accepted) == 2


def test_closing_upstream_connection_that_is_not_read() -> None:
    """An upstream connection that is being closed is cut when that takes too long."""
    world = World(max_idle=0)
    _, upstream = ask(world)
    upstream.receive(OK)
    assert upstream.closing
    assert not upstream.aborted
    world.wait(62)
    assert upstream.aborted


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_one_failing_deadline_stops_no_other(failing: int) -> None:
    """A bug in one connection's deadlines leaves the others' in force."""
    world = World(limits=ConnectionLimits(header_time=Seconds(3)))
    clients = [world.client() for _ in range(3)]
    clients[failing].protocol._deadlines = None  # type: ignore[attr-defined]  # breaks it
    world.wait(5)
    assert [client.closing for client in clients] == [index != failing for index in range(3)]


def test_short_pauses_do_not_count_against_the_client() -> None:
    """Content that is fast enough as a whole passes, however often it is paused for a moment."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 1000000\r\n\r\n")
    for _ in range(100):
        client.receive(b"x" * 1000)
        upstream.stall()
        upstream.drain()
        world.wait(1)
    assert client.take() == b""
