"""The fakes keep what tests rely on."""

from __future__ import annotations

import pytest

from gateway.errors import HTTPError
from gateway.http.message import ResponseHead
from gateway.web.request import Request
from gateway.web.resource import Resource
from tests.support.streams import FakeRuntime, RecordingStream, Reply, exchange, get, location, request_head


class Refusing(Resource):
    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise HTTPError(403, fields=((b"X-Why", b"no"),))


def test_an_exchange_is_recorded_whole() -> None:
    """Status, fields, content, end and the finished request are there after an answer."""
    runtime = FakeRuntime()
    stream = exchange(location(Reply(201, ((b"X-A", b"1"),), b"made")), get(b"/a"), runtime=runtime)
    assert (stream.status, stream.body, stream.ended, stream.events) == (201, b"made", True, ["head"])
    assert stream.get(b"x-a") == b"1"
    assert stream.get(b"x-request-id") == b"00000000000000000001"
    assert [request.status for request in runtime.log.finished] == [201]


def test_a_raised_error_is_answered_with_its_fields() -> None:
    """A leaf's error reaches the stream as a response."""
    stream = exchange(Refusing(), request_head(b"GET /"))
    assert (stream.status, stream.get(b"x-why")) == (403, b"no")


def test_a_second_head_is_a_failure() -> None:
    """The recording stream does not let a broken order of events pass."""
    stream = RecordingStream()
    stream.send_head(ResponseHead.make(200), b"", b"", False)
    with pytest.raises(AssertionError):
        stream.send_head(ResponseHead.make(200), b"", b"", False)
