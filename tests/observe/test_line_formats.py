"""Lines of the access log octet by octet: the compiled form writes what plain Python writes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core import Core
from gateway.http.message import Framing, RequestHead
from gateway.observe import line_formats
from gateway.web.request import Request
from gateway.web.resource import Resource
from gateway.web.tree import LocationResource

compiled = pytest.importorskip("gateway.observe._line_formats", reason="nothing is compiled here")

WORDS = st.sampled_from([b"", b"a", b"GET", b"/a/b", b"x" * 60, b"y" * 1600])
MOMENTS = st.floats(0, 1e10) | st.floats(0, 2).map(lambda value: round(value, 5)) | st.sampled_from([0.0, 1e-9, 1e15])
COUNTS = st.integers(0, 2**40)
TEXT = st.tuples(WORDS, WORDS, WORDS, WORDS, WORDS, WORDS)
TIMES = st.tuples(MOMENTS, MOMENTS, MOMENTS, MOMENTS)
NUMBERS = st.tuples(COUNTS, COUNTS, st.integers(0, 9), st.sampled_from([0, 101, 200, 404, 599]))
SOCKETS = st.sampled_from([None, (b"open", b"-"), (b"close", b"1006")])
CLIENTS = st.sampled_from(["203.0.113.9", "2001:db8::1", "", "ä"])
RAWS = st.lists(
    st.sampled_from(
        [
            b"User-Agent: a",
            b"User-Agent:b",
            b"user-agent: c",
            b"\nUser-Agent: d",
            b"User-Agent: ",
            b"X: User-Agent: e",
            b"\r",
        ]
    ),
    max_size=5,
).map(lambda found: b"".join(line + b"\r\n" for line in found))


def made(
    text: tuple[bytes, ...], times: tuple[float, ...], numbers: tuple[int, ...], client: str, version: int, secure: bool
) -> Request:
    """An exchange that is over."""
    head = RequestHead(text[0], text[1], version, b"", text[2], b"\r\n", b"", 0, Framing.NONE, 0, False, b"", False, 0)
    stream = SimpleNamespace(peer=SimpleNamespace(host=client), secure=secure, forwarded=b"", handler=None)
    runtime = SimpleNamespace(new_id=lambda: b"X-Request-Id: 0123456789abcdef\r\n", clock=lambda: 0.0)
    nowhere = LocationResource(Resource(), cast("Core", None))
    request = Request(cast("object", stream), head, cast("Core", runtime), nowhere)  # type: ignore[arg-type]  # fakes
    request.received, request.leased, request.first_byte, request.finished = times
    request.bytes_in, request.bytes_out, request.retries, request.status = numbers
    return request


@given(TEXT, TIMES, NUMBERS, SOCKETS, CLIENTS, st.sampled_from([0, 1, 20, 30]), st.booleans())
@example((b"GET", b"/", b"a", b"", b"", b"b"), (0.0, 0.0, 0.000005, 0.000015), (0, 0, 0, 200), None, "", 1, False)
def test_both_forms_agree(
    text: tuple[bytes, ...],
    times: tuple[float, ...],
    numbers: tuple[int, ...],
    socket: tuple[bytes, bytes] | None,
    client: str,
    version: int,
    secure: bool,
) -> None:
    """Whatever an exchange was like, the two forms write one line."""
    request = made(text, times, numbers, client, version, secure)
    parts = (b"22/Nov/2026:10:00:00 +0000", text[1], text[3], text[4], text[5], socket, text[2])
    assert compiled.combined(request, *parts) == line_formats.combined(request, *parts)
    assert compiled.json(request, *parts, text[0]) == line_formats.json(request, *parts, text[0])


@given(RAWS | st.binary(max_size=40))
@example(b"\nUser-Agent: a\r\n")
@example(b"\r\nUser-Agent: a")
@example(b"\r\nUser-Agent: ")
def test_both_forms_find_the_same(raw: bytes) -> None:
    """A field is found by its usual spelling at the start of a line, and only there."""
    assert compiled.usual_field(raw, b"User-Agent") == line_formats.usual_field(raw, b"User-Agent")


@given(st.binary(max_size=60) | st.text("abc/-_.%", max_size=60).map(str.encode))
def test_both_forms_find_the_same_targets_plain(target: bytes) -> None:
    """What may stand in a line as it is, is the same for both."""
    assert compiled.is_plain(target) == line_formats.is_plain(target)
