"""Field lines dropped from a block, by both forms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http import fields, removal

FORMS = [removal.without, fields.without]
NAMES = st.sampled_from(
    [b"server", b"Server", b"SERVER", b"x-powered-by", b"X-Powered-By", b"serve", b"server-x", b"x", b"X"]
)
VALUES = st.binary(max_size=12).map(lambda value: bytes(octet for octet in value if octet not in b"\r\n"))
BLOCKS = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(
    lambda found: b"".join(b"%b:%b\r\n" % each for each in found)
)
WANTED = st.frozensets(NAMES.map(bytes.lower) | st.integers(0, 12).map(lambda number: b"x-%d" % number), max_size=12)


@pytest.mark.parametrize("without", FORMS)
@pytest.mark.parametrize(
    ("block", "names", "kept"),
    [
        (b"", {b"a"}, b""),
        (b"A: 1\r\n", {b"a"}, b""),
        (b"A: 1\r\nB: 2\r\n", {b"c"}, b"A: 1\r\nB: 2\r\n"),
        (b"A: 1\r\nB: 2\r\na:3\r\nC: 4\r\n", {b"a"}, b"B: 2\r\nC: 4\r\n"),
        (b"AB: 1\r\nA: a:\r\nB: A: 1\r\n", {b"a"}, b"AB: 1\r\nB: A: 1\r\n"),
        (b"X-A: 1\r\nX@A: 2\r\nx-a:\r\n", {b"x-a", b"b"}, b"X@A: 2\r\n"),
        (b"A: 1\r\nB: 2\r\nC: 3\r\n", {b"%d" % number for number in range(9)} | {b"a", b"c"}, b"B: 2\r\n"),
    ],
)
def test_without(
    without: Callable[[bytes, frozenset[bytes]], bytes], block: bytes, names: set[bytes], kept: bytes
) -> None:
    """Whole lines go, by their whole name in any spelling; all others stay as they are."""
    assert without(block, frozenset(names)) == kept


@given(BLOCKS, WANTED)
def test_both_forms_agree(block: bytes, names: frozenset[bytes]) -> None:
    """The form in use gives what looking every line up gives, and so does plain Python."""
    lines = [line + b"\r\n" for line in block.split(b"\r\n")[:-1]]
    kept = b"".join(line for line in lines if line.partition(b":")[0].lower() not in names)
    assert fields.without(block, names) == removal.without(block, names) == kept
