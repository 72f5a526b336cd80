"""Answers of an application that breaks the protocol, for tests and for comparing peers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What the client of a careful gateway sees."""

    REFUSED = "a whole 502, and nothing of the answer"
    CUT = "the head, then a connection that ends before the message does"
    PASSED = "the answer, without what does not belong to it"


@dataclass(frozen=True, slots=True)
class HostileResponse:
    """A broken answer; the connection it came on must never be used again.

    Attributes:
        name: Short and unique.
        parts: What the application sends; each part after the client has seen what the one before gave.
        outcome: What the client must see.
        section: The rule broken.
        closes: Whether the application closes after the last part.
        method: The request's method.
        status: The status passed, where it is.
        body: The content passed, where it is.
        absent: Octets that may not reach the client, in lower case.
    """

    name: str
    parts: tuple[bytes, ...]
    outcome: Outcome
    section: str
    closes: bool = False
    method: bytes = b"GET"
    status: int = 200
    body: bytes = b""
    absent: tuple[bytes, ...] = ()

    @property
    def refused_with(self) -> int:
        """The status sent in its place: an app that closes without a word is away, any other is broken."""
        return 503 if self.closes and not b"".join(self.parts) else 502


SECRET = b"SECRET-CONTENT"
TAIL = b"\r\nContent-Length: 14\r\n\r\n" + SECRET


def answer(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK", body: bytes = b"") -> bytes:
    """Write a response."""
    return b"\r\n".join([start, *lines, b"", b""]) + body


def refused(name: str, data: bytes, section: str, *, closes: bool = False) -> HostileResponse:
    """Make an answer that may not reach the client at all."""
    return HostileResponse(name, (data,), Outcome.REFUSED, section, closes, absent=(SECRET.lower(),))


def _status_lines() -> Iterator[HostileResponse]:
    lines = {
        "no space after the status": b"HTTP/1.1 200OK",
        "two spaces before the status": b"HTTP/1.1  200 OK",
        "tab before the status": b"HTTP/1.1\t200 OK",
        "tab after the status": b"HTTP/1.1 200\tOK",
        "two digits": b"HTTP/1.1 20 OK",
        "four digits": b"HTTP/1.1 2000 OK",
        "status below 100": b"HTTP/1.1 099 OK",
        "status 000": b"HTTP/1.1 000 OK",
        "status 600": b"HTTP/1.1 600 OK",
        "status 999": b"HTTP/1.1 999 OK",
        "status with a sign": b"HTTP/1.1 +20 OK",
        "status with a letter": b"HTTP/1.1 20x OK",
        "negative status": b"HTTP/1.1 -200 OK",
        "no status": b"HTTP/1.1",
        "no status but a space": b"HTTP/1.1 ",
        "lower case": b"http/1.1 200 OK",
        "HTTP/2.0": b"HTTP/2.0 200 OK",
        "HTTP/1.2": b"HTTP/1.2 200 OK",
        "HTTP/0.9": b"HTTP/0.9 200 OK",
        "HTTP/1.10": b"HTTP/1.10 200 OK",
        "ICY": b"ICY 200 OK",
        "CGI": b"Status: 200 OK",
        "space first": b" HTTP/1.1 200 OK",
        "NUL in the reason phrase": b"HTTP/1.1 200 O\x00K",
        "bare CR in the reason phrase": b"HTTP/1.1 200 O\rSet-Cookie: a=b",
        "bare LF in the reason phrase": b"HTTP/1.1 200 O\nSet-Cookie: a=b",
        "escape in the reason phrase": b"HTTP/1.1 200 \x1b[2J",
        "a request": b"GET / HTTP/1.1",
    }
    for name, line in lines.items():
        yield refused(f"status line: {name}", line + TAIL, "RFC 9112 §4")
    yield refused("status line: blank line before it", b"\r\n" + answer() + SECRET, "RFC 9112 §4", closes=True)
    yield refused("no HTTP: HTTP/0.9 content", b"<html>" + SECRET + b"</html>", "RFC 9112 §4", closes=True)
    yield refused("no HTTP: TLS alert", b"\x15\x03\x01\x00\x02\x02\x28", "RFC 9112 §4")
    yield refused("no HTTP: HTTP/2 settings", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", "RFC 9112 §4")
    yield refused("no HTTP: SMTP greeting", b"220 mail.example.com ESMTP " + SECRET + b"\r\n", "RFC 9112 §4")
    yield refused("no HTTP: SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n", "RFC 9112 §4")


def _fields() -> Iterator[HostileResponse]:
    lines = {
        "space before the colon": b"X : y",
        "tab before the colon": b"X\t: y",
        "obs-fold": b"X: y\r\n z",
        "obs-fold with a tab": b"X: y\r\n\tz",
        "space before the first name": b" X: y",
        "no colon": b"X",
        "empty name": b": y",
        "space in the name": b"X Y: z",
        "name is no token": b"X(): y",
        "obs-text in the name": b"X\xe9: y",
        "NUL in a value": b"X: \x00",
        "NUL in a name": b"X\x00: y",
        "delete in a value": b"X: \x7f",
        "bare CR in a value": b"X: y\rSet-Cookie: a=b",
        "header injection by a bare LF": b"X: y\nSet-Cookie: a=b",
        "two CRs": b"X: y\r\r\nZ: a",
    }
    for name, line in lines.items():
        yield refused(f"field: {name}", answer(line, b"Content-Length: 14", body=SECRET), "RFC 9112 §5, §2.2")
    yield refused("field: all lines end in LF", answer(b"X: y").replace(b"\r\n", b"\n") + SECRET, "RFC 9112 §2.2")
    sizes = {
        "a field of 70,000 octets": answer(b"X: " + b"y" * 70_000, body=SECRET),
        "an endless field": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        "endless fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        "an endless status line": b"HTTP/1.1 200 " + b"O" * 100_000,
        "300 fields": answer(*[b"X: y"] * 300, body=SECRET),
    }
    for name, data in sizes.items():
        yield refused(f"limits: {name}", data, "RFC 9110 §5.4")


def _framing() -> Iterator[HostileResponse]:
    chunks = b"e\r\n" + SECRET + b"\r\n0\r\n\r\n"
    lengths = {
        "plus sign": b"+14",
        "negative": b"-1",
        "hexadecimal": b"0xe",
        "list of unequal": b"14, 15",
        "list of equal": b"14, 14",
        "two numbers": b"14 14",
        "empty": b"",
        "letters": b"many",
        "overflow of 64 bits": b"18446744073709551630",
        "decimal point": b"14.0",
    }
    for name, value in lengths.items():
        yield refused(f"Content-Length: {name}", answer(b"Content-Length: " + value, body=SECRET), "RFC 9112 §6.3")
    yield refused(
        "Content-Length: unequal lines",
        answer(b"Content-Length: 14", b"Content-Length: 4", body=SECRET),
        "RFC 9112 §6.3",
    )
    codings = {
        "identity": b"identity",
        "gzip": b"gzip",
        "gzip, chunked": b"gzip, chunked",
        "chunked, gzip": b"chunked, gzip",
        "chunked twice": b"chunked, chunked",
        "xchunked": b"xchunked",
        "with a parameter": b"chunked;q=1",
        "vertical tab": b"\x0bchunked",
        "quoted": b'"chunked"',
        "empty": b"",
        "trailing comma": b"chunked,",
    }
    for name, value in codings.items():
        yield refused(
            f"Transfer-Encoding: {name}", answer(b"Transfer-Encoding: " + value, body=chunks), "RFC 9112 §6.1"
        )
    coding = b"Transfer-Encoding: chunked"
    both = {
        "two lines": (coding, coding),
        "beside Content-Length": (coding, b"Content-Length: 14"),
        "after Content-Length": (b"Content-Length: 4", coding),
    }
    for name, lines in both.items():
        yield refused(f"Transfer-Encoding: {name}", answer(*lines, body=chunks), "RFC 9112 §6.1, §6.3")
    yield refused(
        "Transfer-Encoding: in HTTP/1.0", answer(coding, start=b"HTTP/1.0 200 OK", body=chunks), "RFC 9112 §6.1"
    )


def _informational() -> Iterator[HostileResponse]:
    final = answer(b"Content-Length: 14", body=SECRET)
    yield refused("1xx: flood of 100", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000 + final, "RFC 9110 §15.2")
    yield refused(
        "1xx: flood of 103", answer(b"Link: </a>", start=b"HTTP/1.1 103 Early Hints") * 2000 + final, "RFC 9110 §15.2"
    )
    yield refused(
        "1xx: 101 not asked for",
        answer(b"Upgrade: x", b"Connection: upgrade", start=b"HTTP/1.1 101 S") + SECRET,
        "RFC 9110 §15.2.2",
    )
    yield refused("1xx: 101 without Upgrade", answer(start=b"HTTP/1.1 101 S") + SECRET, "RFC 9110 §15.2.2")
    yield refused("1xx: closed after 103", answer(start=b"HTTP/1.1 103 Early Hints"), "RFC 9110 §15.2", closes=True)
    yield refused("1xx: malformed", answer(b"X : y", start=b"HTTP/1.1 103 E") + final, "RFC 9112 §5.1")
    yield refused(
        "1xx: content after it",
        answer(b"Content-Length: 14", start=b"HTTP/1.1 103 E", body=SECRET) + final,
        "RFC 9110 §15.2",
    )


def _early_ends() -> Iterator[HostileResponse]:
    for name, data in {
        "before the first octet": b"",
        "in the version": b"HTT",
        "in the status line": b"HTTP/1.1 200",
        "after the status line": b"HTTP/1.1 200 OK\r\n",
        "in a field": b"HTTP/1.1 200 OK\r\nContent-Le",
        "before the blank line": b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n",
        "in the blank line": b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r",
    }.items():
        yield refused(f"closed {name}", data, "RFC 9112 §8", closes=True)
    length = answer(b"Content-Length: 14")
    chunked = answer(b"Transfer-Encoding: chunked")
    for name, data in {
        "in the content": length + b"begin",
        "before the content": length,
        "one octet before the end": length + SECRET[:-1],
        "in a chunk": chunked + b"e\r\nbegin",
        "in a chunk size": chunked + b"5\r\nbegin\r\n1",
        "before the last chunk": chunked + b"5\r\nbegin\r\n",
        "in the last chunk": chunked + b"5\r\nbegin\r\n0\r\n",
        "in a trailer": chunked + b"5\r\nbegin\r\n0\r\nX: y\r\n",
        "in the content of HTTP/1.0": answer(b"Content-Length: 14", start=b"HTTP/1.0 200 OK", body=b"begin"),
    }.items():
        yield HostileResponse(f"closed {name}", (data,), Outcome.CUT, "RFC 9112 §8", closes=True)


def _chunks() -> Iterator[HostileResponse]:
    head = answer(b"Transfer-Encoding: chunked")
    begin = b"5\r\nbegin\r\n"
    for name, rest in {
        "no size": b"\r\n",
        "size with a sign": b"+5\r\nhello\r\n",
        "size with a prefix": b"0x5\r\nhello\r\n",
        "size with a space": b"5 \r\nhello\r\n",
        "negative size": b"-1\r\nhello\r\n",
        "size of letters": b"xyz\r\nhello\r\n",
        "size of 17 digits": b"00000000000000005\r\nhello\r\n",
        "size ends in LF": b"5\nhello\r\n0\r\n\r\n",
        "data too long": b"5\r\nhello!\r\n0\r\n\r\n",
        "data too short": b"5\r\nhell\r\n0\r\n\r\n",
        "data ends in LF": b"5\r\nhello\n0\r\n\r\n",
        "endless extension": b"5;" + b"a" * 100_000,
        "LF in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        "malformed trailer": b"0\r\nX : y\r\n\r\n",
        "folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
        "endless trailers": b"0\r\n" + b"X: y\r\n" * 20_000,
        "another response": b"HTTP/1.1 200 OK\r\n\r\n",
    }.items():
        yield HostileResponse(f"chunked: {name}", (head + begin, rest), Outcome.CUT, "RFC 9112 §7.1")
    yield refused("chunked: no chunk with the head", head + b"<p>" + SECRET, "RFC 9112 §7.1")
    yield refused("chunked: bad size with the head", head + b"0xe\r\n" + SECRET + b"\r\n0\r\n\r\n", "RFC 9112 §7.1")


def _surplus() -> Iterator[HostileResponse]:
    length = answer(b"Content-Length: 5", body=b"hello")
    chunked = answer(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    second = answer(b"Content-Length: 14", body=SECRET)

    def passed(
        name: str, data: bytes, *, status: int = 200, body: bytes = b"", method: bytes = b"GET"
    ) -> HostileResponse:
        return HostileResponse(
            f"surplus: {name}",
            (data,),
            Outcome.PASSED,
            "RFC 9112 §6.3, §9.2",
            method=method,
            status=status,
            body=body,
            absent=(SECRET.lower(),),
        )

    yield passed("content longer than announced", length + SECRET, body=b"hello")
    yield passed("two responses", length + second, body=b"hello")
    yield passed("after the last chunk", chunked + SECRET, body=b"hello")
    yield passed("two responses, chunked first", chunked + second, body=b"hello")
    yield passed("zero length with content", answer(b"Content-Length: 0", body=SECRET))
    yield passed("204 with content", answer(start=b"HTTP/1.1 204 No Content", body=SECRET), status=204)
    yield passed("204 with a length", answer(b"Content-Length: 14", start=b"HTTP/1.1 204 N", body=SECRET), status=204)
    yield passed(
        "204 with chunks",
        answer(b"Transfer-Encoding: chunked", start=b"HTTP/1.1 204 N", body=b"e\r\n" + SECRET + b"\r\n0\r\n\r\n"),
        status=204,
    )
    yield passed("304 with content", answer(b"Content-Length: 14", start=b"HTTP/1.1 304 N", body=SECRET), status=304)
    yield passed("HEAD with content", answer(b"Content-Length: 14", body=SECRET), method=b"HEAD")
    yield passed("HEAD with a second response", answer(b"Content-Length: 14") + second, method=b"HEAD")


def _fields_not_ours() -> Iterator[HostileResponse]:
    yield HostileResponse(
        "hop-by-hop fields",
        (
            answer(
                b"Connection: close, X-Hop",
                b"X-Hop: " + SECRET,
                b"Keep-Alive: " + SECRET,
                b"Proxy-Connection: " + SECRET,
                b"Proxy-Authenticate: " + SECRET,
                b"Alt-Svc: " + SECRET,
                b"Upgrade: " + SECRET,
                b"Trailer: " + SECRET,
                b"TE: " + SECRET,
                b"Content_Length: " + SECRET,
                b"Content-Length: 5",
                body=b"hello",
            ),
        ),
        Outcome.PASSED,
        "RFC 9110 §7.6.1",
        body=b"hello",
        absent=(SECRET.lower(),),
    )
    yield HostileResponse(
        "forbidden trailers and extensions",
        (
            answer(
                b"Transfer-Encoding: chunked",
                body=b"5;a=" + SECRET + b"\r\nhello\r\n0\r\nContent-Length: 99\r\nSet-Cookie: " + SECRET + b"\r\n\r\n",
            ),
        ),
        Outcome.PASSED,
        "RFC 9110 §6.5.1",
        closes=True,
        body=b"hello",
        absent=(SECRET.lower(), b"content-length: 99"),
    )


HOSTILE_RESPONSES: tuple[HostileResponse, ...] = (
    *_status_lines(),
    *_fields(),
    *_framing(),
    *_informational(),
    *_early_ends(),
    *_chunks(),
    *_surplus(),
    *_fields_not_ours(),
)
"""All broken answers."""
