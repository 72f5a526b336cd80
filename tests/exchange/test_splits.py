"""Octets may arrive in any pieces: what the other side gets is the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.chunked import ChunkedDecoder
from gateway.protocol.http1_fields import HeadLimits
from gateway.protocol.http1_head import parse_request, parse_response
from tests.support.transports import FakeTransport, World

HEADLINE = b"/%d HTTP/1.1\r\nHost: example.com\r\nX-Some: thing\r\n"
REQUESTS = (
    b"GET " + HEADLINE + b"\r\n",
    b"\r\nDELETE " + HEADLINE + b"\r\n",
    b"POST " + HEADLINE + b"Content-Length: 7\r\n\r\ncontent",
    b"PUT " + HEADLINE + b"Content-Length: 0\r\n\r\n",
    b"PUT " + HEADLINE + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\ncon\r\n4\r\ntent\r\n0\r\n\r\n",
    b"POST " + HEADLINE + b"Transfer-Encoding: chunked\r\n\r\n7\r\ncontent\r\n0\r\nX-Sum: 1\r\n\r\n",
)
RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nans\r\n3;x\r\nwer\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\nX-Sum: 2\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
)
LIMITS = HeadLimits()


def deliver(data: bytes, cuts: list[int], to: FakeTransport) -> None:
    """Let octets arrive in pieces."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        to.receive(data[start:end])


def content_of(head_size: int, chunked: bool, data: bytes, length: int) -> tuple[bytes, bytes, bytes]:
    """Take content, trailers and what follows out of octets that begin with a head."""
    data = data[head_size:]
    if not chunked:
        return data[:length], b"", data[length:]
    decoder = ChunkedDecoder(LIMITS)
    content = decoder.receive(data)
    assert decoder.done
    return content, decoder.trailers, decoder.rest


def normal_requests(data: bytes) -> list[tuple[bytes, ...]]:
    """Read what an upstream got: heads as they are, content without its chunks."""
    found = []
    while data:
        head = parse_request(data, LIMITS)
        assert head is not None
        chunked = head.framing.value == "chunked"
        content, trailers, data = content_of(head.size, chunked, data, head.content_length)
        found.append((head.raw, content, trailers))
    return found


def normal_responses(data: bytes) -> list[tuple[object, ...]]:
    """Read what a client got: framing chosen by what arrived together does not count."""
    found = []
    while data:
        head = parse_response(data, LIMITS, b"GET")
        assert head is not None
        chunked = head.framing.value == "chunked"
        content, trailers, data = content_of(head.size, chunked, data, head.content_length or 0)
        found.append((head.status, head.fields, content, trailers))
    return found


def run(numbers: list[tuple[int, int]], request_cuts: list[int], response_cuts: list[int]) -> tuple[object, object]:
    """Pipeline the requests, answer each, and give what both sides got."""
    world = World()
    client = world.client()
    deliver(b"".join(REQUESTS[ask] % order for order, (ask, _) in enumerate(numbers)), request_cuts, client)
    got = b""
    for _, answer in numbers:
        (upstream,) = world.endpoint.accepted
        got += upstream.take()
        deliver(RESPONSES[answer], response_cuts, upstream)
    assert len(world.log.finished) == len(numbers)
    assert all(request.error is None for request in world.log.finished)
    assert world.upstreams[0].in_flight == 0
    assert world.upstreams[0].idle == 1
    return normal_requests(got), normal_responses(client.take())


cuts = st.lists(st.integers(0, 2000), max_size=30)


@given(
    st.lists(st.tuples(st.integers(0, len(REQUESTS) - 1), st.integers(0, len(RESPONSES) - 1)), min_size=1, max_size=4),
    cuts,
    cuts,
)
def test_any_split(numbers: list[tuple[int, int]], request_cuts: list[int], response_cuts: list[int]) -> None:
    """Requests and responses cut anywhere mean the same as whole ones."""
    assert run(numbers, request_cuts, response_cuts) == run(numbers, [], [])


@given(cuts, st.sampled_from(RESPONSES[:3]), st.integers(0, 200))
def test_any_split_of_a_response_cut_short(cuts: list[int], response: bytes, size: int) -> None:
    """A response cut short is never complete for the client, wherever it is cut and however it arrives."""
    size %= len(response)
    world = World()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    upstream = world.endpoint.last
    deliver(response[:size], cuts, upstream)
    upstream.lose(clean=True)
    got = client.take()
    head = response.index(b"\r\n\r\n") + 4
    if size < head:
        assert got.startswith(b"HTTP/1.1 502 " if size else b"HTTP/1.1 503 ")
    else:
        assert client.aborted
        assert got.startswith(b"HTTP/1.1 200 ")
        assert not got.endswith((b"answer", b"0\r\n\r\n"))
    assert world.upstreams[0].in_flight == 0
    assert len(world.log.finished) == 1
