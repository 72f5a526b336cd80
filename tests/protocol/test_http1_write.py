"""Messages as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.message import Framing, ResponseHead
from gateway.http.prepared import FinishedAnswer
from gateway.protocol.content import ContentReader
from gateway.protocol.http1_fields import HeadLimits
from gateway.protocol.http1_head import parse_request, parse_response
from gateway.protocol.http1_write import (
    write_finished,
    write_informational,
    write_request,
    write_response,
    write_switch,
)
from tests.support.streams import request_head

LIMITS = HeadLimits()


@given(st.binary(max_size=300), st.sampled_from([b"Content-Length: %d", b"Transfer-Encoding: chunked"]))
def test_a_written_request_is_read_as_it_was_meant(content: bytes, framing: bytes) -> None:
    """Method, target, host, fields and content come out again, framed as the client framed them (RFC 9112 §6)."""
    line = framing % len(content) if b"%" in framing else framing
    head = request_head(b"POST /a?b HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\n%b\r\n\r\n" % line)
    octets = write_request(head, b"/c", b"app.internal", head.fields, content, True)
    read = parse_request(octets, LIMITS)
    assert read is not None
    assert (read.method, read.target, read.host, read.fields) == (b"POST", b"/c", b"app.internal", b"X-A: 1\r\n")
    assert read.framing is head.framing
    reader = ContentReader(LIMITS)
    reader.begin(read.framing, read.content_length)
    assert (reader.receive(octets[read.size :]), reader.done, reader.rest) == (content, True, b"")


@pytest.mark.parametrize(
    ("status", "length", "end", "method", "http11", "expected"),
    [
        (200, 5, True, b"GET", True, (b"Content-Length: 5\r\n", b"hello", False, True)),
        (200, 5, True, b"HEAD", True, (b"Content-Length: 5\r\n", b"", False, True)),
        (200, None, True, b"GET", True, (b"Content-Length: 5\r\n", b"hello", False, True)),
        (200, None, False, b"GET", True, (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", True, True)),
        (200, None, False, b"GET", False, (b"Connection: close\r\n", b"hello", False, False)),
        (200, 5, True, b"GET", False, (b"Content-Length: 5\r\nConnection: keep-alive\r\n", b"hello", False, True)),
        (204, 5, True, b"GET", True, (b"", b"", False, True)),
        (304, 5, True, b"GET", True, (b"Content-Length: 5\r\n", b"", False, True)),
    ],
)
def test_framing_of_responses(
    status: int,
    length: int | None,
    end: bool,
    method: bytes,
    http11: bool,
    expected: tuple[bytes, bytes, bool, bool],
) -> None:
    """The framing follows status, method, length and version (RFC 9112 §6.3)."""
    head = ResponseHead(status, b"", b"", 0, Framing.NONE, length, True, b"", 0)
    octets, chunked, persistent = write_response(
        head, b"", b"hello", end, method=method, http11=http11, persistent=True
    )
    start, _, rest = octets.partition(b"\r\n")
    fields, _, content = rest.rpartition(b"\r\n\r\n") if b"\r\n\r\n" in rest else (b"", b"", rest.removeprefix(b"\r\n"))
    if expected[1].startswith(b"5\r\n"):
        fields, _, content = rest.partition(b"\r\n\r\n")
    assert start == b"HTTP/1.1 %d " % status
    assert (fields + b"\r\n" if fields else b"", content, chunked, persistent) == expected


def test_a_connection_that_ends_says_so() -> None:
    """A connection that does not persist is announced (RFC 9112 §9.6)."""
    octets, _, persistent = write_response(
        ResponseHead.make(200, (), 0), b"", b"", True, method=b"GET", http11=True, persistent=False
    )
    assert b"\r\nConnection: close\r\n" in octets
    assert not persistent


def test_heads_without_content() -> None:
    """1xx heads and the switch of protocols are read back as what they are."""
    early = parse_response(write_informational(ResponseHead.make(103, ((b"Link", b"</a>"),))), LIMITS, b"GET")
    assert early is not None
    assert (early.status, early.fields) == (103, b"Link: </a>\r\n")
    head = ResponseHead(101, b"", b"X-A: 1\r\n", 0, Framing.NONE, None, True, b"websocket", 0)
    octets = write_switch(head, b"X-B: 2\r\n", b"\x81\x00")
    switch = parse_response(octets, LIMITS, b"GET")
    assert switch is not None
    assert (switch.status, switch.upgrade, switch.fields) == (101, b"websocket", b"X-A: 1\r\nX-B: 2\r\n")
    assert octets[switch.size :] == b"\x81\x00"


@pytest.mark.parametrize("status", [200, 204, 206, 304, 404])
@pytest.mark.parametrize("whole", [True, False])
def test_a_response_made_beforehand(status: int, whole: bool) -> None:
    """It is written as any other, each time with the fields of the one exchange."""
    length = None if status in (204, 304) else 7
    head, data = ResponseHead.make(status, ((b"ETag", b'"x"'),), length), b"content" if length else b""
    answer = FinishedAnswer(head, b"X-A: 1\r\n", data, None, None)
    for extra in (b"X-B: 2\r\n", b"X-B: 3\r\n", b""):
        method = b"GET" if whole else b"HEAD"
        wanted, _, _ = write_response(
            head, b"X-A: 1\r\n" + extra, data, True, method=method, http11=True, persistent=True
        )
        assert write_finished(answer, extra, whole) == wanted
