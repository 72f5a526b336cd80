"""Response heads, section by section. What must be refused stands in the corpus of hostile answers too."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ResponseHeaderTooLarge, ResponseInvalid
from gateway.http.fields import make_line, pairs
from gateway.http.known import CONTENT_TYPE, DATE, SET_COOKIE
from gateway.http.message import Framing, ResponseHead
from gateway.protocol.http1_head import HeadLimits, parse_response
from gateway.units import ByteCount

LIMITS = HeadLimits()


def parse(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK", method: bytes = b"GET") -> ResponseHead:
    head = parse_response(b"\r\n".join([start, *lines, b"", b""]), LIMITS, method)
    assert head is not None
    return head


def refuse(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK", method: bytes = b"GET") -> None:
    data = b"\r\n".join([start, *lines, b"", b""])
    with pytest.raises(ResponseInvalid):
        parse_response(data, LIMITS, method)
    feed_octets(data, method)


def feed_octets(data: bytes, method: bytes) -> None:
    """Check that octets which come one by one are refused too."""
    for end in range(1, len(data) + 1):
        try:
            assert parse_response(data[:end], LIMITS, method) is None
        except ResponseInvalid:
            return
    raise AssertionError(f"{data!r} passes octet by octet")


class TestStatusLine:
    """RFC 9112 §4."""

    @pytest.mark.parametrize(
        ("start", "status", "reason"),
        [
            (b"HTTP/1.1 200 OK", 200, b"OK"),
            (b"HTTP/1.0 404 Not  Found", 404, b"Not  Found"),
            (b"HTTP/1.1 299 ", 299, b""),
            (b"HTTP/1.1 500", 500, b""),
            (b"HTTP/1.1 599 \xfcber\tx", 599, b"\xfcber\tx"),
        ],
    )
    def test_parts(self, start: bytes, status: int, reason: bytes) -> None:
        """Status and reason phrase come out; the phrase, and its space, may be missing."""
        head = parse(start=start)
        assert (head.status, head.reason) == (status, reason)

    @pytest.mark.parametrize(
        "start",
        [
            b"HTTP/1.1",
            b"HTTP/1.1 ",
            b"HTTP/1.1 2 OK",
            b"HTTP/1.1 20x",
            b"HTTP/1.1 2000",
            b"HTTP/1.1 600 OK",
            b"HTTP/1.1 099 OK",
            b"HTTP/1.1  200 OK",
            b"HTTP/1.1 200OK",
            b"HTTP/1.1 200\tOK",
            b"HTTP/1.2 200 OK",
            b"HTTP/2.0 200 OK",
            b"http/1.1 200 OK",
            b"ICY 200 OK",
            b"HTTP/1.1 200 O\x00K",
            b"HTTP/1.1 200 O\rK",
            b"HTTP/1.1 200 O\nK",
            b"",
        ],
    )
    def test_malformed(self, start: bytes) -> None:
        """Another version, another status, other spaces: refused."""
        refuse(start=start)

    @pytest.mark.parametrize(
        "start", [b"<", b"HTTX", b"\x15\x03", b"220 mail", b"HTTP/2", b"HTTP/1.1 200 O\x00", b"HTTP/1.1 200 O\nX"]
    )
    def test_certain_error_is_refused_early(self, start: bytes) -> None:
        """What cannot become a status line is not waited for."""
        with pytest.raises(ResponseInvalid):
            parse_response(start, LIMITS, b"GET")


class TestFieldLines:
    """RFC 9112 §5; RFC 9110 §5, §7.6.1."""

    @pytest.mark.parametrize(
        "line", [b"X : y", b"X", b": y", b" X: y", b"X: y\r\n z", b"X: \x00", b"X: a\nY: b", b"X: a\rY: b", b"X(): y"]
    )
    def test_malformed(self, line: bytes) -> None:
        """An answer that two clients could read differently is refused."""
        refuse(line)

    def test_end_to_end_fields_keep_their_octets_and_order(self) -> None:
        """Nothing is folded, sorted or rewritten."""
        lines = [b"Date: x", b"set-cookie: a", b"Set-Cookie: b", b"content-type:text/html", b"X: \xff "]
        head = parse(*lines)
        assert head.fields == b"".join(line + b"\r\n" for line in lines)
        assert head.known == DATE | SET_COOKIE | CONTENT_TYPE

    def test_fields_of_one_connection_are_not_passed_on(self) -> None:
        """Hop-by-hop fields, framing, Alt-Svc, and what Connection names are left out."""
        names = b"Keep-Alive Proxy-Connection Proxy-Authenticate TE Trailer Upgrade Alt-Svc X-Request-Id X-A"
        head = parse(b"Connection: x-a", b"Content-Length: 1", *[name + b": a" for name in names.split()], b"X: y")
        assert head.fields == b"X: y\r\n"


class TestFraming:
    """RFC 9112 §6.3."""

    @pytest.mark.parametrize(
        ("start", "method", "lines", "framing", "length"),
        [
            (b"HTTP/1.1 200 OK", b"GET", [b"Content-Length: 5"], Framing.LENGTH, 5),
            (b"HTTP/1.1 200 OK", b"GET", [b"Content-Length: 5"] * 2, Framing.LENGTH, 5),
            (b"HTTP/1.1 200 OK", b"GET", [b"Transfer-Encoding: Chunked"], Framing.CHUNKED, None),
            (b"HTTP/1.1 200 OK", b"GET", [], Framing.CLOSE, None),
            (b"HTTP/1.0 200 OK", b"GET", [], Framing.CLOSE, None),
            (b"HTTP/1.1 200 OK", b"HEAD", [b"Content-Length: 5"], Framing.NONE, 5),
            (b"HTTP/1.1 200 OK", b"HEAD", [b"Transfer-Encoding: chunked"], Framing.NONE, None),
            (b"HTTP/1.1 200 OK", b"HEAD", [], Framing.NONE, None),
            (b"HTTP/1.1 304 N", b"GET", [b"Content-Length: 5"], Framing.NONE, 5),
            (b"HTTP/1.1 204 N", b"GET", [], Framing.NONE, None),
            (b"HTTP/1.1 103 E", b"GET", [], Framing.NONE, None),
        ],
    )
    def test_rules(self, start: bytes, method: bytes, lines: list[bytes], framing: Framing, length: int | None) -> None:
        """Method, status and fields say how the content ends."""
        head = parse(*lines, start=start, method=method)
        assert (head.framing, head.content_length) == (framing, length)

    @pytest.mark.parametrize(
        "lines",
        [
            [b"Content-Length: 5", b"Content-Length: 6"],
            [b"Content-Length: +5"],
            [b"Content-Length: 5, 5"],
            [b"Content-Length:"],
            [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
            [b"Transfer-Encoding: gzip, chunked"],
            [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
            [b"Transfer-Encoding: identity"],
            [b"Transfer-Encoding:"],
        ],
    )
    @pytest.mark.parametrize("method", [b"GET", b"HEAD"])
    def test_ambiguous(self, lines: list[bytes], method: bytes) -> None:
        """Two lengths, or a coding not known, are refused even where no content follows (§6.1, §6.2)."""
        refuse(*lines, method=method)

    def test_transfer_encoding_in_http_1_0(self) -> None:
        """HTTP/1.0 knows no transfer coding (§6.1)."""
        refuse(b"Transfer-Encoding: chunked", start=b"HTTP/1.0 200 OK")


class TestPersistence:
    """RFC 9112 §9.3."""

    @pytest.mark.parametrize(
        ("start", "lines", "kept"),
        [
            (b"HTTP/1.1 200 OK", [b"Content-Length: 5"], True),
            (b"HTTP/1.1 200 OK", [b"Content-Length: 5", b"Connection: close"], False),
            (b"HTTP/1.1 200 OK", [], False),
            (b"HTTP/1.0 200 OK", [b"Content-Length: 5"], False),
            (b"HTTP/1.0 200 OK", [b"Content-Length: 5", b"Connection: keep-alive"], True),
            (b"HTTP/1.0 200 OK", [b"Connection: keep-alive"], False),
        ],
    )
    def test_keep_alive(self, start: bytes, lines: list[bytes], kept: bool) -> None:
        """A connection is kept only where the content's end is known without closing it."""
        assert parse(*lines, start=start).keep_alive is kept


class TestLimits:
    """RFC 9110 §5.4."""

    SMALL = HeadLimits(size=ByteCount(60), count=3)

    def check(self, fitting: bytes, over: bytes) -> None:
        for end in range(len(fitting)):
            assert parse_response(fitting[:end], self.SMALL, b"GET") is None
        assert parse_response(fitting, self.SMALL, b"GET") is not None
        with pytest.raises(ResponseHeaderTooLarge):
            parse_response(over, self.SMALL, b"GET")

    def test_size(self) -> None:
        """Status line and fields together may have just as many octets, in every split."""
        start = b"HTTP/1.1 200 OK\r\nX: "
        self.check(start + b"y" * 40 + b"\r\n\r\n", start + b"y" * 41 + b"\r\n\r\n")
        with pytest.raises(ResponseHeaderTooLarge):
            parse_response(start + b"y" * 60, self.SMALL, b"GET")

    def test_count(self) -> None:
        """Just as many field lines may come."""
        start = b"HTTP/1.1 200 OK\r\n"
        self.check(start + b"X: y\r\n" * 3 + b"\r\n", start + b"X: y\r\n" * 4 + b"\r\n")


NAMES = st.sampled_from([b"X-A", b"date", b"Server", b"set-cookie", b"Vary", b"x_y", b"ETag"])
VALUES = st.binary(max_size=20).map(lambda value: bytes(octet for octet in value if 32 < octet != 127))


@given(st.integers(200, 599), st.lists(st.tuples(NAMES, VALUES), max_size=6), st.binary(max_size=6))
def test_reads_back_what_was_written(status: int, fields: list[tuple[bytes, bytes]], junk: bytes) -> None:
    """What we write as a response is read back as it was meant, by this parser and by h11."""
    block = b"".join(make_line(name, value) for name, value in fields)
    data = b"HTTP/1.1 %d OK\r\n%bContent-Length: 0\r\n\r\n" % (status, block)
    head = parse_response(data + junk, LIMITS, b"GET")
    assert head is not None
    assert (head.status, head.reason, head.fields, head.size) == (status, b"OK", block, len(data))
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("host", "reader")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(data)
    response = reader.next_event()
    assert isinstance(response, h11.Response)
    ours = [(name.lower(), value) for name, value in pairs(head.fields)]
    assert ours == [pair for pair in response.headers if pair[0] != b"content-length"]
