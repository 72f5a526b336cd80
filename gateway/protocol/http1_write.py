"""Writes HTTP/1.1 messages: start line, fields, framing, and the first content in one piece (RFC 9112)."""

from __future__ import annotations

from typing import Final

from gateway.http.known import TE
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.http.prepared import FinishedAnswer
from gateway.protocol.chunked import encode_content


def write_request(head: RequestHead, target: bytes, host: bytes, fields: bytes, data: bytes, end: bool) -> bytes:
    """Write a request with the content that came along, framed as the client framed it.

    Args:
        head: The client's request; gives method, framing, expectation and upgrade.
        target: Request target to send.
        host: Host to send.
        fields: All other end-to-end field lines to send.
        data: First content, without framing.
        end: Whether that is all of it.
    """
    framing = b""
    if head.framing is _LENGTH:
        framing = b"Content-Length: %d\r\n" % head.content_length
    elif head.framing is _CHUNKED:
        framing = b"Transfer-Encoding: chunked\r\n"
        data = encode_content(data, end)
    if head.upgrade or head.expects_continue or head.known & TE:
        framing += _connection_fields(head)
    return b"".join((head.method, b" ", target, b" HTTP/1.1\r\nHost: ", host, b"\r\n", fields, framing, b"\r\n", data))


def write_response(
    head: ResponseHead, extra: bytes, data: bytes, end: bool, method: bytes, http11: bool, persistent: bool
) -> tuple[bytes, bool, bool]:
    """Write a response with its first content.

    Args:
        head: Status and fields.
        extra: Further field lines.
        data: First content, without framing.
        end: Whether that is all of it.
        method: The request's method.
        http11: Whether the client speaks HTTP/1.1, not 1.0.
        persistent: Whether the connection may stay open after it.

    Returns:
        The octets; whether further content is sent in chunks; whether the connection may still stay open.

    Source: RFC 9112 §6.3, §9.3.
    """
    status, length, chunked = head.status, head.content_length, False
    framing = b""
    if status in _NO_CONTENT or method == b"HEAD":
        data = b""
        if length is not None and status != 204:
            framing = b"Content-Length: %d\r\n" % length
    elif length is not None:
        framing = b"Content-Length: %d\r\n" % length
    elif end:
        framing = b"Content-Length: %d\r\n" % len(data)
    elif http11:
        chunked = True
        framing = b"Transfer-Encoding: chunked\r\n"
        data = encode_content(data, False)
    else:
        persistent = False
    if not persistent:
        framing += b"Connection: close\r\n"
    elif not http11:
        framing += b"Connection: keep-alive\r\n"
    start = _STARTS[status]
    octets = b"".join((start, head.reason, b"\r\n", head.fields, extra, framing, b"\r\n", data))
    return octets, chunked, persistent


def write_finished(answer: FinishedAnswer, extra: bytes, whole: bool) -> bytes:
    """Write a response made beforehand, on a connection of HTTP/1.1 that stays open, as `write_response` does.

    Args:
        answer: The response; what is the same each time is kept there.
        extra: Further field lines.
        whole: Whether its content is sent.
    """
    start = answer.start
    if not start:
        head = answer.head
        start = b"HTTP/1.1 %d %b\r\n%b%b" % (head.status, head.reason, head.fields, answer.lines)
        octets, _, _ = write_response(head, answer.lines, b"", True, method=b"GET", http11=True, persistent=True)
        answer.start, answer.framing = start, octets[len(start) :]
    return b"".join((start, extra, answer.framing, answer.data if whole else b""))


def write_informational(head: ResponseHead) -> bytes:
    """Write a 1xx response other than 101."""
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, head.fields)


def write_switch(head: ResponseHead, extra: bytes, data: bytes) -> bytes:
    """Write a 101 with the first octets of the new protocol (RFC 9110 §7.8)."""
    start = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %b\r\n" % head.upgrade
    return b"%b%b%b\r\n%b" % (start, head.fields, extra, data)


def _connection_fields(head: RequestHead) -> bytes:
    fields = b""
    if head.expects_continue:
        fields += b"Expect: 100-continue\r\n"
    if head.upgrade == b"websocket":
        return fields + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    if head.known & TE and head.takes_trailers:
        fields += b"TE: trailers\r\nConnection: TE\r\n"
    return fields


_LENGTH: Final = Framing.LENGTH
_CHUNKED: Final = Framing.CHUNKED
_NO_CONTENT: Final = frozenset((*range(100, 200), 204, 304))
_STARTS: Final = {status: b"HTTP/1.1 %d " % status for status in range(100, 1000)}
