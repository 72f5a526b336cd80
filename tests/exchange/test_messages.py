"""What one exchange carries: framing, trailers, informational responses, expectations, early and late octets."""

from __future__ import annotations

import pytest

from tests.support.streams import Reply
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: example.com\r\n"


def ask(world: World, request: bytes = GET) -> tuple[FakeTransport, FakeTransport]:
    """Send a request and take what reached the upstream."""
    client = world.client()
    client.receive(request)
    return client, world.endpoint.last


def body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


def test_forwarded_fields() -> None:
    """The upstream learns of the client, its host and scheme, the request's id and who passed it on."""
    _, upstream = ask(World(), b"GET /a?b HTTP/1.1\r\nHost: Example.com:8080\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
    sent = upstream.take()
    assert sent.startswith(b"GET /a?b HTTP/1.1\r\nHost: Example.com:8080\r\n")
    for line in (
        b"X-Forwarded-For: 203.0.113.9",
        b"X-Forwarded-Proto: http",
        b"X-Forwarded-Port: 80",
        b"X-Forwarded-Host: Example.com:8080",
        b"X-Request-Id: 0123456789abcdef0123",
        b"Via: 1.1 gw",
    ):
        assert sent.count(line + b"\r\n") == 1
    assert b"6.6.6.6" not in sent


def test_trusted_proxy() -> None:
    """A trusted proxy's word on the client counts, for the upstream and for the log."""
    world = World(trusted=("10.0.0.0/8",))
    client = world.client("10.0.0.1")
    client.receive(
        b"GET / HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
        b"X-Request-Id: from-the-trusted-proxy\r\n\r\n"
    )
    sent = world.endpoint.last.take()
    assert b"X-Forwarded-For: 198.51.100.7, 10.0.0.1\r\n" in sent
    assert b"X-Forwarded-Proto: https\r\n" in sent
    assert b"X-Forwarded-Host: example.com\r\n" in sent
    world.endpoint.last.receive(OK)
    assert b"X-Request-Id: from-the-trusted-proxy\r\n" in client.take()
    assert world.log.finished[0].client == "198.51.100.7"
    assert world.log.finished[0].secure


@pytest.mark.parametrize("reused", [False, True])
def test_loop(reused: bool) -> None:
    """A request that came through this gateway before is answered 508 and costs no connection, new or idle."""
    world = World()
    if reused:
        _, upstream = ask(world)
        upstream.receive(OK)
        upstream.take()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\nVia: 1.1 gw\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 508 ")
    assert len(world.endpoint.accepted) == int(reused)
    assert all(upstream.take() == b"" for upstream in world.endpoint.accepted)
    assert world.upstreams[0].in_flight == 0


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize(
    "response",
    [
        OK,
        CHUNKED + b"1\r\no\r\n1;a=b\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["length", "chunked", "close", "close10", "length10"],
)
def test_content(version: bytes, size: int, response: bytes) -> None:
    """However the upstream frames its content, each client gets it framed as it understands."""
    world = World()
    client, upstream = ask(world, b"GET / %b\r\nHost: example.com\r\n\r\n" % version)
    upstream.receive(response, size)
    if b"\r\nok" in response and b"Length" not in response:
        upstream.finish()
    head, _, content = client.take().partition(b"\r\n\r\n")
    assert world.log.finished[0].error is None
    if b"Transfer-Encoding: chunked" in head:
        assert version == b"HTTP/1.1"
        assert content in (b"2\r\nok\r\n0\r\n\r\n", b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n")
    else:
        assert content == b"ok"
        assert b"Content-Length: 2" in head or version == b"HTTP/1.0"
    assert client.closing == (version == b"HTTP/1.0")


@pytest.mark.parametrize(
    ("method", "response", "length"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"10"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", None),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: x\r\n\r\n", b"10"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", None),
    ],
)
def test_no_content(method: bytes, response: bytes, length: bytes | None) -> None:
    """Responses that cannot have content end with their head, and both connections live on."""
    world = World()
    client, upstream = ask(world, method + b" / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    upstream.receive(response)
    got = client.take().lower()
    assert got.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in got
    assert (b"content-length: %b\r\n" % length in got) if length else b"content-length" not in got
    client.receive(GET)
    assert len(world.endpoint.accepted) == 1
    upstream.receive(OK)
    assert client.take().endswith(b"ok")


def test_error_page_for_head() -> None:
    """A page has no content for HEAD, but its length."""
    world = World()
    world.endpoint.refuse()
    client = world.client()
    client.receive(b"HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    got = client.take()
    assert got.startswith(b"HTTP/1.1 503 ")
    assert body(got) == b""
    assert not client.closing


@pytest.mark.parametrize("size", [0, 1, 5])
def test_request_content(size: int) -> None:
    """Content goes upstream with the framing it came with, chunk by chunk anew."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 5\r\n\r\n")
    client.receive(b"hello", size)
    sent = upstream.take()
    assert b"Content-Length: 5\r\n" in sent
    assert body(sent) == b"hello"
    upstream.receive(OK)
    client.receive(POST + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n", size)
    sent = upstream.take()
    assert b"Transfer-Encoding: chunked\r\n" in sent
    assert b"x=y" not in sent
    assert sent.endswith(b"0\r\n\r\n")
    upstream.receive(OK)
    assert client.take().count(b"200 OK") == 2
    assert not client.closing


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize(
    ("field", "passed"),
    [(b"TE: trailers\r\n", True), (b"TE: Trailers\r\n", True), (b"", False), (b"TE: gzip\r\n", False)],
)
def test_response_trailers(size: int, field: bytes, passed: bool) -> None:
    """Trailers reach a client that takes them, and the content ends without them for any other."""
    world = World()
    client, upstream = ask(world, b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: TE\r\n" + field + b"\r\n")
    assert (b"TE: trailers\r\n" in upstream.take()) == passed
    upstream.receive(CHUNKED + b"2\r\nok\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\n", size)
    content = body(client.take())
    assert content.endswith(b"0\r\nX-Sum: 7\r\n\r\n" if passed else b"0\r\n\r\n")
    assert b"X-Sum" not in content or passed
    assert world.log.finished[0].error is None
    client.receive(GET)
    assert len(world.endpoint.accepted) == 1


def test_response_trailers_for_http10() -> None:
    """An HTTP/1.0 client gets the content and no trailers."""
    client, upstream = ask(World(), b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
    upstream.receive(CHUNKED + b"2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")
    assert body(client.take()) == b"ok"
    assert client.closing


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("waiting", [False, True])
def test_request_trailers(size: int, waiting: bool) -> None:
    """A request's trailers go upstream behind its content, also where the connection had to be opened first."""
    world = World()
    world.endpoint.waiting = waiting
    client = world.client()
    client.receive(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n", 0 if waiting else size)
    world.endpoint.accept()
    sent = world.endpoint.last.take()
    assert sent.endswith(b"0\r\nX-Sum: 7\r\n\r\n")
    assert sent.count(b"\r\n0\r\n") == 1
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")


def test_early_hints() -> None:
    """1xx responses go to HTTP/1.1 clients, before the final one."""
    client, upstream = ask(World())
    upstream.receive(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + OK)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_early_hints_for_http10() -> None:
    """HTTP/1.0 clients get no 1xx."""
    client, upstream = ask(World(), b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
    upstream.receive(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
    assert client.take().startswith(b"HTTP/1.1 200 OK\r\n")


def test_flood_of_informational_responses() -> None:
    """An upstream that sends 1xx without end is cut with 502."""
    world = World()
    client, upstream = ask(world)
    for _ in range(33):
        upstream.receive(b"HTTP/1.1 102 Processing\r\n\r\n")
    assert upstream.aborted
    assert b"HTTP/1.1 502 " in client.take()
    assert world.log.finished[0].error.reason == "upstream_invalid"  # type: ignore[union-attr]


EXPECT = POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"


def test_expectation_is_the_upstreams() -> None:
    """Expect goes upstream, and one 100 (Continue) comes back, however many the upstream sends."""
    client, upstream = ask(World(), EXPECT)
    assert b"Expect: 100-continue\r\n" in upstream.take()
    assert client.take() == b""
    upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\n" * 2)
    assert client.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.receive(b"ok")
    assert upstream.take() == b"ok"
    upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert client.take().startswith(b"HTTP/1.1 200 OK\r\n")
    assert not client.closing


def test_unasked_continue() -> None:
    """A 100 (Continue) that nobody asked for is not passed on."""
    client, upstream = ask(World())
    upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert client.take().startswith(b"HTTP/1.1 200 OK\r\n")


def test_expectation_of_http10() -> None:
    """An expectation in HTTP/1.0 is ignored (RFC 9110 §10.1.1)."""
    request = b"POST / HTTP/1.0\r\nHost: example.com\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    client, upstream = ask(World(), request)
    assert b"Expect" not in upstream.take()
    upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.take() == b""


def test_expectation_refused() -> None:
    """Content that would be too large is refused unread, without a 100, and the connection closes."""
    world = World(max_body=1)
    client = world.client()
    client.receive(EXPECT)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close\r\n" in got
    assert client.half_closed
    assert world.endpoint.accepted == []


def test_limit_by_counting() -> None:
    """Chunked content over the limit is answered 413 as soon as it is, and the upstream request is cut."""
    world = World(max_body=10)
    client, upstream = ask(world, POST + b"Transfer-Encoding: chunked\r\n\r\n")
    client.receive(b"a\r\n0123456789\r\n")
    assert client.take() == b""
    client.receive(b"1\r\n0\r\n")
    assert client.take().startswith(b"HTTP/1.1 413 ")
    assert upstream.aborted
    assert client.half_closed
    client.receive(b"more" * 100)
    assert not client.aborted
    assert world.upstreams[0].in_flight == 0
    assert world.log.finished[0].error.reason == "body_too_large"  # type: ignore[union-attr]


def test_no_limit() -> None:
    """A limit of 0 is none."""
    client, upstream = ask(World(), POST + b"Content-Length: 999999999999\r\n\r\n")
    assert b"Content-Length: 999999999999\r\n" in upstream.take()
    assert client.take() == b""


def test_answer_while_content_is_coming() -> None:
    """An early answer reaches the client, whose connection is half-closed and read on for a while."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 100\r\n\r\nabc")
    upstream.receive(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
    got = client.take()
    assert got.startswith(b"HTTP/1.1 401 ")
    assert b"Connection: close\r\n" in got
    assert got.endswith(b"no")
    assert client.half_closed
    assert not client.aborted
    assert upstream.aborted
    client.receive(b"x" * 50)
    world.wait(1)
    assert not client.closing
    world.wait(3)
    assert client.closing
    assert not client.aborted


def test_lingering_is_bounded_in_octets() -> None:
    """A client that goes on sending for ever is cut."""
    client, upstream = ask(World(), POST + b"Content-Length: 10000000\r\n\r\n")
    upstream.receive(OK)
    for _ in range(11):
        client.receive(b"x" * 100_000)
    assert client.aborted


def test_answer_streams_while_content_is_coming() -> None:
    """Content goes both ways at once, and the connection lives on if the request ends before the response."""
    world = World()
    client, upstream = ask(world, POST + b"Content-Length: 4\r\n\r\n")
    upstream.receive(CHUNKED + b"1\r\na\r\n")
    client.receive(b"wxyz")
    assert upstream.take().endswith(b"wxyz")
    upstream.receive(b"1\r\nb\r\n0\r\n\r\n")
    assert body(client.take()) == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    assert world.log.finished[0].error is None
    assert client.closing  # it was announced with the head


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"\r\n"])
@pytest.mark.parametrize(
    "response",
    [OK, CHUNKED + b"2\r\nok\r\n0\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n"],
    ids=["length", "chunked", "none"],
)
def test_octets_behind_a_response(response: bytes, surplus: bytes) -> None:
    """Octets behind a response are nobody's: the connection they came on is closed."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(response + surplus)
    assert b"evil" not in client.take()
    assert upstream.closing or upstream.aborted
    client.receive(GET)
    assert len(world.endpoint.accepted) == 2


def test_closing_upstream() -> None:
    """`Connection: close` of the upstream ends its connection and not the client's."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    got = client.take()
    assert b"Connection" not in got
    assert upstream.closing
    assert not client.closing


def test_answers_carry_a_date() -> None:
    """A response without Date gets one, and another's Date is kept (RFC 9110 §6.6.1)."""
    world = World()
    client, upstream = ask(world)
    upstream.receive(OK)
    assert client.take().count(b"Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n") == 1
    client.receive(GET)
    upstream.receive(b"HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 0\r\n\r\n")
    got = client.take()
    assert b"Date: then\r\n" in got
    assert got.count(b"Date") == 1


def test_unknown_host() -> None:
    """A host that no site has is answered 404, and the connection lives on."""
    world = World(Reply())
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 404 ")
    assert world.log.finished[0].error.reason == "unknown_host"  # type: ignore[union-attr]
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 200 ")
