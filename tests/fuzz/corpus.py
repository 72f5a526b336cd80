"""Seeds: every message of the hostile and odd corpora, and the words that heads are made of."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.http.known import BITS, DROPPED_FROM_REQUESTS, DROPPED_FROM_RESPONSES
from gateway.protocol.websocket_frames import PING_TOKEN
from tests.corpora.hostile_requests import HOSTILE_REQUESTS
from tests.corpora.hostile_responses import HOSTILE_RESPONSES
from tests.corpora.tamed_requests import TAMED_REQUESTS
from tests.fuzz.forms import Case
from tests.support.websocket import BINARY, CONTINUATION, PING, PONG, TEXT, close, frame

LONGEST = 20_000
UPGRADE = b"Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
GOOD = (
    Case(b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nCookie: a=b; c=d\r\nConnection: close\r\n\r\n"),
    Case(b"POST /in HTTP/1.1\r\nHost: a:80\r\nContent-Length: 11\r\nX-A: b\r\n\r\nhello worldGET / HTTP/1.1\r\n"),
    Case(b"PUT /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    Case(b"PUT /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nffffffffffffffff\r\nb"),
    Case(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
    Case(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: Cowboy\r\nDate: now\r\n\r\nok", response=True),
    Case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", response=True),
    Case(b"HTTP/1.0 304 \r\nETag: a\r\nConnection: keep-alive\r\n\r\n", response=True),
    Case(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"\r\n\x81\x80abcd"),
    Case(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"Content-Length: 1\r\n\r\na"),
    Case(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"Upgrade: h2c\r\n\r\n"),
    Case(b"GET / HTTP/1.0\r\nHost: a\r\n" + UPGRADE + b"\r\n"),
    Case(b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00", response=True),
)


FRAMES = (
    frame(TEXT, b"hello", masked=True) + close(1000, b"bye", masked=True),
    frame(BINARY, b"x" * 126) + frame(PING, b"p") + frame(PONG, PING_TOKEN) + close(1001),
    frame(TEXT, b"a", masked=True, fin=False) + frame(PING, masked=True) + frame(CONTINUATION, b"b", masked=True),
    frame(BINARY, b"x" * 70_000, masked=True)[:20],
    b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffabcd",
)


def seeds() -> Iterator[Case]:
    """All of them, whole."""
    yield from GOOD
    yield from (Case(entry.data) for entry in (*HOSTILE_REQUESTS, *TAMED_REQUESTS) if len(entry.data) <= LONGEST)
    for entry in HOSTILE_RESPONSES:
        data = b"".join(entry.parts)
        if len(data) <= LONGEST:
            yield Case(data, response=True, method=entry.method)


def words() -> list[bytes]:
    """What a fuzzer should put in at once instead of octet by octet."""
    names = sorted({*BITS, *DROPPED_FROM_REQUESTS, *DROPPED_FROM_RESPONSES})
    values = (b"chunked", b"close", b"keep-alive", b"upgrade", b"100-continue", b"0", b"18", b"999999999999999999")
    values += (b"Connection: upgrade", b"Upgrade: websocket", b"WebSocket", b"h2c")
    ends = (b"\r\n", b"\r\n\r\n", b"\n\r\n", b"\r\n ", b": ", b" :", b"\x00", b"\x7f", b"\xff", b"\t")
    lines = (b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"HTTP/1.1 200 OK\r\n", b"Host: a\r\n")
    targets = (b"GET /", b"POST /", b"OPTIONS *", b"http://a/", b"[::1]")
    titled = [b"-".join(part.capitalize() for part in name.split(b"-")) for name in names]
    return [*titled, *names, *values, *ends, *lines, *targets]
