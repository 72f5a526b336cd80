"""One exchange as resources see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ClientDisconnected, GatewayError, ResponseIncomplete, ResponseInvalid
from gateway.http.message import ResponseHead
from gateway.http.prepared import PreparedAnswer
from gateway.units import ByteCount
from gateway.web.filter import BaseFilter
from gateway.web.request import Request
from gateway.web.tree import LocationResource
from tests.support.streams import (
    FORWARDED,
    FakeRuntime,
    RecordingStream,
    Reply,
    StatusOnly,
    get,
    location,
    request_head,
)


def test_an_untrusted_request_is_forwarded_with_its_host() -> None:
    """The connection's lines and the request's authority make the four fields."""
    request = Request(RecordingStream(), get(b"/", host=b"example.com:81"), FakeRuntime(), location())
    assert request.forwarded_fields() == FORWARDED + b"X-Forwarded-Host: example.com:81\r\n"


def test_a_request_without_a_host_forwards_none() -> None:
    """HTTP/1.0 may come without Host; an empty X-Forwarded-Host would say something else."""
    request = Request(RecordingStream(), request_head(b"GET / HTTP/1.0\r\n\r\n"), FakeRuntime(), location())
    assert request.forwarded_fields() == FORWARDED


def test_the_lines_of_a_trusted_proxy_are_whole() -> None:
    """What was read from a trusted proxy's request is sent as it is."""
    stream = RecordingStream()
    stream.trusted = True
    request = Request(stream, get(b"/"), FakeRuntime(), location())
    request.forwarded = b"X-Forwarded-For: 1.1.1.1\r\n"
    assert request.forwarded_fields() == b"X-Forwarded-For: 1.1.1.1\r\n"


class Upstream:
    """A `ClientStream` that remembers how it was ended."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def send_data(self, data: bytes, end: bool) -> None:
        self.calls.append((data, end))

    def send_trailers(self, block: bytes) -> None:
        self.calls.append(block)

    def reset(self, error: GatewayError) -> None:
        self.calls.append(error)

    def pause_body(self) -> None:
        self.calls.append("pause")

    def resume_body(self) -> None:
        self.calls.append("resume")


class Lease:
    name = "127.0.0.1:4000"

    def __init__(self) -> None:
        self.released: list[GatewayError | None] = []

    def release(self, error: GatewayError | None) -> None:
        self.released.append(error)


def under_way(**limits: ByteCount) -> tuple[Request, RecordingStream, Upstream, Lease, FakeRuntime]:
    """Make an exchange that has an upstream."""
    stream, runtime, upstream, lease = RecordingStream(), FakeRuntime(), Upstream(), Lease()
    place = LocationResource(Reply(), StatusOnly(), **limits)
    request = Request(stream, get(b"/"), runtime, place)
    request.upstream, request.lease = upstream, lease
    return request, stream, upstream, lease, runtime


HEAD = ResponseHead.make(200, (), None)


def test_a_whole_exchange() -> None:
    """Content goes both ways, and at the end the lease is given back and the exchange noted, once each."""
    request, stream, upstream, lease, runtime = under_way()
    request.data_received(b"in", False)
    request.trailers_received(b"X: 1\r\n")
    request.pause_writing()
    request.resume_writing()
    request.send_head(HEAD, b"o", False)
    request.send_data(b"ut", True)
    assert upstream.calls == [(b"in", False), b"X: 1\r\n", "pause", "resume"]
    assert (stream.status, stream.body, stream.ended) == (200, b"out", True)
    assert lease.released == [None]
    assert runtime.log.finished == [request]
    assert (request.bytes_in, request.bytes_out, request.upstream_name) == (2, 3, "127.0.0.1:4000")


def test_content_from_a_descriptor(tmp_path: Path) -> None:
    """It is counted as far as the client took it, and offered only where the client's connection takes such."""
    request, stream, _, _, runtime = under_way()
    assert request.bulk() is None
    stream.takes_descriptors, stream.room = True, 4
    (tmp_path / "file").write_bytes(b"0123456789")
    output = request.bulk()
    assert output is not None
    request.send_head(HEAD, b"o", False)
    with (tmp_path / "file").open("rb") as file:
        assert output.send_from(file.fileno(), 2, 6, 0) == 4
    request.send_data(b"", True)
    assert stream.body == b"o2345"
    assert request.bytes_out == 5
    assert runtime.log.finished == [request]
    assert output.send_from(0, 0, 6, 0) == 0, "after the end nothing is sent"
    assert request.bulk() is None


@pytest.mark.parametrize("late", ["stream_lost", "fail", "finish", "stream_broken"])
def test_what_comes_after_the_end(late: str) -> None:
    """Nothing that comes after the end gives the lease back or notes the exchange again."""
    request, stream, upstream, lease, runtime = under_way()
    request.send_head(HEAD, b"", True)
    getattr(request, late)(ClientDisconnected("late"))
    assert len(lease.released) == 1
    assert len(runtime.log.finished) == 1
    assert upstream.calls == []
    assert stream.error is None
    assert request.error is None


@pytest.mark.parametrize("begun", [False, True])
def test_a_failure(begun: bool) -> None:
    """Before the head an error is answered, after it the stream is reset; the upstream is given up in any case."""
    request, stream, upstream, lease, runtime = under_way()
    if begun:
        request.send_head(HEAD, b"x", False)
    error = ResponseInvalid("nonsense")
    request.fail(error)
    assert upstream.calls == [error]
    assert lease.released == [error]
    assert request.error is error
    assert len(runtime.log.finished) == 1
    if begun:
        assert isinstance(stream.error, ResponseIncomplete)
        assert not stream.ended
    else:
        assert (stream.status, stream.ended) == (502, True)
        assert stream.error is None


def test_a_client_that_is_lost() -> None:
    """The upstream learns of it, and is not blamed."""
    request, stream, upstream, lease, runtime = under_way()
    error = ClientDisconnected("gone")
    request.stream_lost(error)
    assert upstream.calls == [error]
    assert lease.released == [None]
    assert stream.events == []
    assert runtime.log.finished == [request]


def test_content_over_the_limit() -> None:
    """Content is counted, and refused with what goes over the limit."""
    request, stream, upstream, _, _ = under_way(max_body=ByteCount(3))
    request.data_received(b"abc", False)
    assert stream.status == 0
    request.data_received(b"d", True)
    assert stream.status == 413
    assert upstream.calls[0] == (b"abc", False)
    assert (b"d", True) not in upstream.calls


def test_an_error_keeps_no_frames() -> None:
    """An error that was raised does not keep its request alive."""
    request, *_ = under_way()
    try:
        raise ResponseInvalid("nonsense")
    except ResponseInvalid as error:
        request.fail(error)
    assert request.error is not None
    assert request.error.__traceback__ is None


class Seeing(BaseFilter):
    """Counts responses."""

    def __init__(self) -> None:
        self.seen = 0

    def on_response(self, request: Request, head: ResponseHead) -> None:
        self.seen += 1
        head.add(b"X-Seen", b"%d" % self.seen)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("filters", [(), (Seeing(),)])
def test_a_prepared_answer(method: bytes, filters: tuple[Seeing, ...]) -> None:
    """It is sent and noted as any other, again and again; a filter that must see each one does."""
    prepared = PreparedAnswer(200, ((b"ETag", b"x"),), ByteCount(2), b"ok")
    place, runtime = location(Reply(), *filters), FakeRuntime()
    for number in range(1, 4):
        stream = RecordingStream()
        request = Request(stream, get(b"/", method=method), runtime, place)
        request.answer_prepared(prepared)
        content = b"ok" if method == b"GET" else b""
        assert (stream.status, stream.body, stream.ended, stream.get(b"etag")) == (200, content, True, b"x")
        assert stream.get(b"x-request-id") == b"%020d" % number
        assert (request.status, request.bytes_out, len(runtime.log.finished)) == (200, len(content), number)
        assert stream.head
        assert stream.head.content_length == 2
    assert [step.seen for step in filters] in ([], [3], [6])
