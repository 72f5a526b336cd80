"""Damaged requests: whatever passes means the same to another strict parser, in any split."""

from __future__ import annotations

import h11
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProtocolError
from gateway.http.fields import pairs
from gateway.http.message import Framing, RequestHead
from gateway.protocol.chunked import ChunkedDecoder
from gateway.protocol.http1_head import HeadLimits, parse_request

LIMITS = HeadLimits()

BASES = (
    b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nCookie: a=b; c=d\r\nConnection: close\r\n\r\n",
    b"POST /in HTTP/1.1\r\nHost: example.com\r\nContent-Length: 11\r\nX-A: b\r\n\r\nhello world",
    b"PUT /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n \r\n0\r\nX: y\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    b"GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\nTransfer_Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX: y\r\n\r\n",
)
PIECES = (
    *[bytes([octet]) for octet in b'\r\n\t :;,0159aAf/?#%@[]\x00\x0b\x7f\x80\xff"-_+'],
    *(b"\r\n", b"\r\n\r\n", b"\r\n ", b" :", b"0\r\n\r\n", b"\r\nHost: b", b"\r\nContent-Length: 5", b", chunked"),
    *(b"\r\nTransfer-Encoding: chunked", b"chunked", b"Transfer-Encoding", b"Content-Length", b"HTTP/1.1", b"GET "),
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["put", "insert", "delete"]), st.integers(0, 200), st.sampled_from(PIECES)), max_size=4
)


def edit(data: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    for kind, position, piece in edits:
        at = position % (len(data) + 1)
        end = at if kind == "insert" else at + (len(piece) if kind == "put" else 1)
        data = data[:at] + (b"" if kind == "delete" else piece) + data[end:]
    return data


def content_of(head: RequestHead, data: bytes) -> bytes | None:
    """Read a request's content; None where it is not complete."""
    if head.framing is Framing.LENGTH:
        return data[: head.content_length] if len(data) >= head.content_length else None
    if head.framing is Framing.NONE:
        return b""
    decoder = ChunkedDecoder(LIMITS)
    content = decoder.receive(data)
    return content if decoder.done else None


def read_with_h11(data: bytes) -> tuple[h11.Request, bytes]:
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    reader.receive_data(data)
    request = reader.next_event()
    assert isinstance(request, h11.Request), request
    content = b""
    while isinstance(event := reader.next_event(), h11.Data):
        content += event.data
    assert isinstance(event, h11.EndOfMessage), event
    return request, content


@given(st.sampled_from(BASES), EDITS)
def test_what_passes_means_the_same_to_h11(base: bytes, edits: list[tuple[str, int, bytes]]) -> None:
    """A damaged request that passes has the method, target, fields and content that another strict parser finds."""
    data = edit(base, edits)
    try:
        head = parse_request(data, LIMITS)
        content = content_of(head, data[head.size :]) if head is not None else None
    except ProtocolError:
        return
    if head is None or content is None:
        return
    request, expected = read_with_h11(data)
    target = data.split(b" ")[1]
    assert (request.method, request.target, request.http_version) == (head.method, target, b"1.%d" % head.version)
    ours = [(name.lower(), value) for name, value in pairs(head.raw.partition(b"\r\n")[2])]
    assert without_repeated_length(ours) == without_repeated_length(list(request.headers))
    assert content == expected


def without_repeated_length(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Leave one Content-Length, as h11 does where several are equal."""
    lengths = [pair for pair in fields if pair[0] == b"content-length"]
    return [pair for pair in fields if pair[0] != b"content-length"] + lengths[:1]


@given(st.sampled_from(BASES), EDITS, st.lists(st.integers(0, 200), max_size=5))
def test_any_split_gives_the_same_head(base: bytes, edits: list[tuple[str, int, bytes]], cuts: list[int]) -> None:
    """Octets that come bit by bit never pass, or are refused, other than at once."""
    data = edit(base, edits)

    def outcome(ends: list[int]) -> object:
        for end in ends:
            try:
                head = parse_request(data[:end], LIMITS)
            except ProtocolError:
                return "refused"
            if head is not None:
                return [getattr(head, name) for name in RequestHead.__slots__]
        return None

    assert outcome([*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]) == outcome([len(data)])
