"""Byte ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.ranges import MAX_RANGES, ByteRange, parse_ranges
from gateway.units import ByteCount

WHOLE = None
NOTHING: list[tuple[int, int]] = []


@pytest.mark.parametrize(
    ("value", "size", "expected"),
    [
        (b"bytes=0-0", 10, [(0, 0)]),
        (b"bytes=0-", 10, [(0, 9)]),
        (b"bytes=9-", 10, [(9, 9)]),
        (b"bytes=2-5", 10, [(2, 5)]),
        (b"bytes=2-500", 10, [(2, 9)]),
        (b"bytes=-3", 10, [(7, 9)]),
        (b"bytes=-30", 10, [(0, 9)]),
        (b"BYTES=1-2", 10, [(1, 2)]),
        (b"bytes= 1-2 ,\t4-5,", 10, [(1, 2), (4, 5)]),
        (b"bytes=4-5,1-2", 10, [(4, 5), (1, 2)]),
        (b"bytes=1-2,50-60", 10, [(1, 2)]),
        (b"bytes=10-", 10, NOTHING),
        (b"bytes=-0", 10, NOTHING),
        (b"bytes=10-20,30-", 10, NOTHING),
        (b"bytes=0-", 0, NOTHING),
        (b"bytes=-5", 0, WHOLE),
        (b"bytes=5-2", 10, WHOLE),
        (b"bytes=1-2,5-2", 10, WHOLE),
        (b"bytes=-", 10, WHOLE),
        (b"bytes=", 10, WHOLE),
        (b"bytes=,", 10, WHOLE),
        (b"bytes", 10, WHOLE),
        (b"bytes=a-b", 10, WHOLE),
        (b"bytes=1 - 2", 10, WHOLE),
        (b"bytes=+1-2", 10, WHOLE),
        (b"bytes=1-2-3", 10, WHOLE),
        (b"bytes=--1", 10, WHOLE),
        (b"bytes=1-" + b"9" * 20, 10, WHOLE),
        ("bytes=1-²".encode(), 10, WHOLE),
        (b"lines=1-2", 10, WHOLE),
        (b"bytes=0-,0-", 10, WHOLE),
        (b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(MAX_RANGES)), 50, [(n, n) for n in range(MAX_RANGES)]),
        (b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(MAX_RANGES + 1)), 50, WHOLE),
    ],
)
def test_ranges(value: bytes, size: int, expected: list[tuple[int, int]] | None) -> None:
    """Valid ranges are cut to what exists; what is malformed or greedy gets the whole (RFC 9110 §14.2)."""
    found = parse_ranges([value], ByteCount(size))
    assert (found if found is None else [(each.first, each.last) for each in found]) == expected


def test_two_range_fields_are_none() -> None:
    """Range is no list field: where it came twice, it does not count."""
    assert parse_ranges([b"bytes=0-1", b"bytes=0-1"], ByteCount(10)) is None


def test_content_range() -> None:
    """A part names its offsets and the whole's size (RFC 9110 §14.4)."""
    part = ByteRange(2, 5)
    assert (part.length, part.content_range(ByteCount(10))) == (4, b"bytes 2-5/10")


@given(st.text("0123456789-, \tbytes=", max_size=40).map(str.encode), st.integers(0, 1000))
def test_parts_lie_within(value: bytes, size: int) -> None:
    """Whatever is asked, no part leaves the representation, and all parts together are no longer than it."""
    for text in (value, b"bytes=" + value):
        found = parse_ranges([text], ByteCount(size)) or []
        assert all(0 <= each.first <= each.last < size for each in found)
        assert len(found) <= MAX_RANGES
        assert len(found) < 2 or sum(each.length for each in found) <= size


@given(st.integers(1, 1000), st.data())
def test_one_part_is_the_slice(size: int, data: st.DataObject) -> None:
    """A single range is that slice of the content."""
    content = bytes(n % 251 for n in range(size))
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size + 5))
    (part,) = parse_ranges([b"bytes=%d-%d" % (first, last)], ByteCount(size)) or []
    assert content[part.first : part.last + 1] == content[first : last + 1]
