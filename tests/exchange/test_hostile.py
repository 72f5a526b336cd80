"""Both hostile corpora against a whole gateway in memory."""

from __future__ import annotations

import h11
import pytest

from gateway.http.fields import pairs
from gateway.http.message import Framing
from gateway.protocol.chunked import ChunkedDecoder
from gateway.protocol.http1_head import HeadLimits, parse_request
from tests.corpora.hostile_requests import HOSTILE_REQUESTS
from tests.corpora.hostile_responses import HOSTILE_RESPONSES, HostileResponse, Outcome
from tests.corpora.messages import HostileRequest, TamedRequest, chunked
from tests.corpora.tamed_requests import TAMED_REQUESTS
from tests.support.transports import FakeTransport, World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

LIMITS = HeadLimits()
TRAILERS = TamedRequest(
    "trailers",
    chunked(b"5\r\nhello\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"),
    (b"x-a: 1\r\nx-b: 2\r\n",),
    (),
    "RFC 9112 §7.1.2",
)


def statuses(answers: bytes) -> list[int]:
    """Read the final responses that a client got, strictly."""
    found = []
    while answers:
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="GET", target="/", headers=[("host", "reader")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(answers)
        head = reader.next_event()
        assert isinstance(head, h11.Response), head
        while isinstance(event := reader.next_event(), h11.Data):
            pass
        assert isinstance(event, h11.EndOfMessage), event
        found.append(head.status_code)
        answers = bytes(reader.trailing_data[0])
    return found


@pytest.mark.parametrize("entry", HOSTILE_REQUESTS, ids=lambda entry: entry.name)
def test_hostile_request(entry: HostileRequest) -> None:
    """It is answered once, nothing reaches the upstream, and the connection closes after a broken head or body."""
    world = World()
    client = world.client()
    client.receive(entry.data)
    assert statuses(client.take()) == [entry.status]
    assert world.endpoint.accepted == []
    if not entry.above_parser:
        assert client.closing or client.half_closed or client.aborted
        client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert client.take() == b""
        assert world.endpoint.accepted == []


@pytest.mark.parametrize("entry", HOSTILE_REQUESTS, ids=lambda entry: entry.name)
def test_hostile_request_behind_a_good_one(entry: HostileRequest) -> None:
    """A pipelined hostile request changes nothing for the one before it, and is refused in its turn."""
    world = World()
    client = world.client()
    client.receive(b"GET /good HTTP/1.1\r\nHost: example.com\r\n\r\n" + entry.data)
    sent = world.endpoint.last.take()
    assert sent.startswith(b"GET /good HTTP/1.1\r\n")
    assert [request[1] for request in understood(sent)] == [b"/good"]
    world.endpoint.last.receive(OK)
    assert statuses(client.take()) == [200, entry.status]
    assert world.endpoint.last.take() == b""
    assert len(world.endpoint.accepted) == 1


@pytest.mark.parametrize("entry", TAMED_REQUESTS, ids=lambda entry: entry.name)
def test_tamed_request(entry: TamedRequest) -> None:
    """It reaches the upstream once, and only in the form that cannot be misread."""
    world = World()
    client = world.client("127.0.0.1")
    client.receive(entry.data)
    assert len(world.endpoint.accepted) == 1
    sent = world.endpoint.last.take().lower()
    for octets in entry.present:
        assert octets in sent
    for octets in entry.absent:
        assert octets not in sent
    world.endpoint.last.receive(OK)
    assert statuses(client.take()) == [200]


def understood(sent: bytes) -> list[tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes, bytes]]:
    """Read the requests that an upstream got: method, target, fields, content and trailers of each."""
    found = []
    while sent:
        head = parse_request(sent, LIMITS)
        assert head is not None, sent
        content, trailers, sent = b"", b"", sent[head.size :]
        if head.framing is Framing.LENGTH:
            content, sent = sent[: head.content_length], sent[head.content_length :]
            assert len(content) == head.content_length
        elif head.framing is Framing.CHUNKED:
            decoder = ChunkedDecoder(LIMITS)
            content = decoder.receive(sent)
            assert decoder.done, sent
            trailers, sent = decoder.trailers, decoder.rest
        found.append((head.method, head.target, list(pairs(head.raw.partition(b"\r\n")[2])), content, trailers))
    return found


@pytest.mark.parametrize("entry", [*TAMED_REQUESTS, TRAILERS], ids=lambda entry: entry.name)
def test_any_split_reaches_the_upstream_the_same(entry: TamedRequest) -> None:
    """However a request is split, the upstream gets the same one, once."""
    expected = None
    size = len(entry.data)
    for cut in [*range(0, size, 9), *range(max(0, size - 30), size), -1]:
        world = World()
        client = world.client("127.0.0.1")
        if cut == -1:
            client.receive(entry.data, 1)
        else:
            client.receive(entry.data[:cut])
            client.receive(entry.data[cut:])
        got = understood(world.endpoint.last.take())
        assert len(world.endpoint.accepted) == 1
        assert len(got) == 1
        expected = expected or got
        assert got == expected, cut


def ask(world: World, method: bytes) -> FakeTransport:
    client = world.client()
    client.receive(method + b" / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    return client


@pytest.mark.parametrize("entry", HOSTILE_RESPONSES, ids=lambda entry: entry.name)
def test_hostile_response(entry: HostileResponse) -> None:
    """The client gets a 502, a cut or a clean answer, and the connection it came on is never used again."""
    world = World()
    client = ask(world, entry.method)
    upstream = world.endpoint.last
    for part in entry.parts:
        upstream.receive(part)
    if entry.closes and upstream.connected and not upstream.closing:
        upstream.lose(clean=True)
    got = client.take()
    for octets in entry.absent:
        assert octets not in got.lower()
    if entry.outcome is Outcome.CUT:
        assert got.startswith(b"HTTP/1.1 200 ")
        assert client.aborted
    else:
        expected = entry.refused_with if entry.outcome is Outcome.REFUSED else entry.status
        head, _, body = strip_informational(got).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % expected)
        if entry.outcome is Outcome.PASSED:
            assert body in (entry.body, b"5\r\nhello\r\n0\r\n\r\n")
        elif entry.method == b"GET":
            assert statuses(strip_informational(got)) == [entry.refused_with]
    client = ask(world, b"GET")
    assert len(world.endpoint.accepted) == 2
    world.endpoint.last.receive(OK)
    assert statuses(client.take()) == [200]


@pytest.mark.parametrize(
    "entry",
    [entry for entry in HOSTILE_RESPONSES if sum(map(len, entry.parts)) < 1000],
    ids=lambda entry: entry.name,
)
def test_hostile_response_octet_by_octet(entry: HostileResponse) -> None:
    """No split makes a broken answer a whole one, or lets through what must not pass."""
    world = World()
    client = ask(world, entry.method)
    upstream = world.endpoint.last
    for octet in b"".join(entry.parts):
        if upstream.connected and not upstream.closing:
            upstream.receive(bytes([octet]))
    if entry.closes and upstream.connected and not upstream.closing:
        upstream.lose(clean=True)
    got = strip_informational(client.take())
    for octets in entry.absent:
        assert octets not in got.lower()
    if entry.outcome is Outcome.PASSED:
        assert got.startswith(b"HTTP/1.1 %d " % entry.status)
        assert not client.aborted
    else:
        assert client.aborted or got.startswith(b"HTTP/1.1 %d " % entry.refused_with)
    ask(world, b"GET")
    assert len(world.endpoint.accepted) == 2


def strip_informational(answers: bytes) -> bytes:
    while answers.startswith(b"HTTP/1.1 1"):
        answers = answers.partition(b"\r\n\r\n")[2]
    return answers


def test_response_before_the_request() -> None:
    """Octets on an idle upstream connection are nobody's answer: the connection is dropped."""
    world = World()
    client = ask(world, b"GET")
    world.endpoint.last.receive(OK)
    assert statuses(client.take()) == [200]
    world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    client.receive(b"GET /next HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert len(world.endpoint.accepted) == 2
    assert client.take() == b""
    world.endpoint.last.receive(OK)
    assert statuses(client.take()) == [200]
