"""One exchange as resources see it."""

from __future__ import annotations

from gateway.web.request import Request
from tests.support.streams import FORWARDED, FakeRuntime, RecordingStream, get, location, request_head


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
