"""The compiled form of the heads gives what plain Python gives, for any octets in any pieces."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import forms
from tests.fuzz.corpus import FRAMES, seeds, words
from tests.fuzz.forms import LIMITS, METHODS, Case, FormsDifferError, compare, compare_frames

pytestmark = pytest.mark.skipif(not forms.THERE, reason="nothing is compiled here")

SEEDS = list(seeds())
WORDS = words()

TOKENS = st.text("abcXYZ019-_!#$%&'*+.^`|~", min_size=1, max_size=70).map(str.encode)
OFTEN = st.sampled_from([b"Host", b"Content-Length", b"Connection", b"Upgrade"])
NAMES = st.one_of(st.sampled_from(WORDS[: len(WORDS) // 2]), TOKENS, OFTEN)
VALUES = st.one_of(
    st.sampled_from([b"", b"chunked", b"close", b"keep-alive", b"close, x", b"a", b"a:80", b"[::1]", b"\tx \t"]),
    st.sampled_from(
        [b"upgrade", b"Upgrade, close", b"keep-alive, upgrade", b"websocket", b"WebSocket", b"h2c, websocket"]
    ),
    st.integers(-1, 10**19).map(lambda number: b"%d" % number),
    st.binary(max_size=20),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
)
SPACES = st.sampled_from([b"", b" ", b"\t", b" \t "])
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n ", b"\r\r\n", b""])
FIELDS = st.builds(
    lambda name, colon, value, end: name + colon + value + end,
    NAMES,
    st.builds(lambda space: b":" + space, SPACES) | st.sampled_from([b" :", b"", b"::"]),
    VALUES,
    ENDS,
)
TARGETS = st.one_of(
    st.sampled_from([b"/", b"/a?b=c", b"*", b"http://a/", b"//a", b"a", b"/#"]),
    st.binary(max_size=30).map(lambda octets: b"/" + octets),
    st.integers(30, 45).map(lambda length: b"/" + b"a" * length),
)
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0"] * 2 + [b"HTTP/2.0", b"http/1.1", b"HTTP/1.", b"HTTP/1.2"])
SEPARATORS = st.sampled_from([b" "] * 10 + [b"  ", b"\t", b""])
REQUEST_LINES = st.builds(
    lambda method, one, target, two, version, end: method + one + target + two + version + end,
    st.sampled_from([*METHODS, b"PATCH", b"CONNECT", b"TRACE", b"get", b"M-SEARCH", b"", b"G ET"]),
    SEPARATORS,
    TARGETS,
    SEPARATORS,
    VERSIONS,
    ENDS,
)
STATUS_LINES = st.builds(
    lambda version, one, status, two, reason, end: version + one + status + two + reason + end,
    VERSIONS,
    SEPARATORS,
    st.integers(0, 700).map(lambda status: b"%d" % status) | st.sampled_from([b"200", b"204", b"304", b"20", b"2x0"]),
    SEPARATORS,
    st.binary(max_size=10) | st.just(b"OK"),
    ENDS,
)
BLOCKS = st.lists(FIELDS, max_size=8).map(b"".join)
BODIES = st.sampled_from([b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n", b"5\r\nh"])
CUTS = st.lists(st.integers(0, 400), max_size=3).map(tuple)
BUILT = st.builds(
    lambda lines, host, block, body, cuts, response, method, limits: Case(
        lines[response] + host + block + b"\r\n" + body, cuts, response, method, limits
    ),
    st.tuples(REQUEST_LINES, STATUS_LINES),
    st.sampled_from([b"Host: a\r\n", b"", b"hOST:\texample.com:8080\r\n"]),
    BLOCKS,
    BODIES,
    CUTS,
    st.booleans(),
    st.sampled_from(METHODS),
    st.sampled_from(LIMITS),
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["put", "insert", "delete"]),
        st.integers(0, 500),
        st.sampled_from(WORDS) | st.binary(max_size=3),
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    for kind, position, piece in edits:
        at = position % (len(data) + 1)
        end = at if kind == "insert" else at + (len(piece) if kind == "put" else 1)
        data = data[:at] + (b"" if kind == "delete" else piece) + data[end:]
    return data


@pytest.mark.parametrize("limits", LIMITS, ids=["usual", "small", "two fields"])
def test_corpora(limits: forms.HeadLimits) -> None:
    """Every message of the corpora gives the same, at once and octet by octet."""
    for case in SEEDS:
        compare(Case(case.data, (), case.response, case.method, limits))
        if len(case.data) < 400:
            compare(Case(case.data, tuple(range(len(case.data))), case.response, case.method, limits))


def test_corpora_hold_heads_that_pass() -> None:
    """The comparison is about more than refusals."""
    assert sum(compare(case) for case in SEEDS) > 40


@settings(max_examples=1500, deadline=None)
@given(BUILT)
def test_built_heads(case: Case) -> None:
    """Heads built of likely and unlikely parts give the same."""
    compare(case)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from([case for case in SEEDS if len(case.data) < 2000]), EDITS, CUTS, st.sampled_from(LIMITS))
def test_damaged_heads(
    case: Case, edits: list[tuple[str, int, bytes]], cuts: tuple[int, ...], limits: forms.HeadLimits
) -> None:
    """Damaged messages of the corpora give the same."""
    compare(Case(edited(case.data, edits), cuts, case.response, case.method, limits))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_octets(data: bytes, response: bool) -> None:
    """Octets that are no message give the same."""
    compare(Case(data, (len(data) // 2,), response))


FRAME = st.builds(
    lambda first, second, rest: bytes([first, second]) + rest,
    st.sampled_from([0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0xC1]) | st.integers(0, 255),
    st.sampled_from([0x80, 0x85, 0x05, 0xFE, 0x7E, 0xFF, 0x7F, 0x92]) | st.integers(0, 255),
    st.binary(max_size=12)
    | st.just(b"\x00" * 6 + b"\x01\x00")
    | st.sampled_from([b"\xff" * 8, b"\x00\x7e" + b"x" * 126]),
)
STREAMS = st.lists(st.sampled_from(FRAMES) | FRAME, max_size=5).map(b"".join)
INJECTED = st.sampled_from([b"", b"\x89\x00", b"\x88\x02\x03\xe9"])


@settings(max_examples=1500, deadline=None)
@given(STREAMS, CUTS, st.booleans(), st.booleans(), st.sampled_from([0, 100, 2**40]), INJECTED)
def test_frames(
    data: bytes, cuts: tuple[int, ...], masked: bool, extended: bool, max_frame: int, injected: bytes
) -> None:
    """Frames of a WebSocket, good and broken, pass on the same and are taken out the same."""
    case = Case(data, cuts)
    compare_frames(case, masked=masked, extended=extended, max_frame=max_frame, injected=injected)


@pytest.mark.parametrize("case", SEEDS[:8], ids=lambda case: repr(case.data[:15]))
def test_seeds_pass_through_the_fuzzers_form(case: Case) -> None:
    """What is written as a seed is read as the same case."""
    assert forms.decode(forms.encode(case)) == case


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled form that gives something else is told from plain Python."""
    compiled = forms.COMPILED.heads.parse_request

    class Other:
        @staticmethod
        def parse_request(data: bytes, limits: forms.HeadLimits) -> object:
            head = compiled(data, limits)
            if head is not None:
                head.known |= 1 << 20
            return head

    monkeypatch.setattr(forms.COMPILED, "heads", Other)
    with pytest.raises(FormsDifferError, match="plain Python gives"):
        compare(SEEDS[0])


def test_plain_python_is_plain() -> None:
    """What the extensions are held against is made of sources alone, and leaves the modules in use as they were."""
    assert not forms.PLAIN.compiled
    assert forms.PLAIN.message.RequestHead is not forms.COMPILED.message.RequestHead
    assert sys.modules["gateway.http.message"] is forms.COMPILED.message
