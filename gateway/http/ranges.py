"""Byte ranges: which parts of a representation a request asks for (RFC 9110 §14)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.http.fields import split_list
from gateway.units import ByteCount

MAX_RANGES: Final = 10
"""Parts of one answer; who asks for more gets the whole (RFC 9110 §14.2 on many small ranges)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a representation.

    Attributes:
        first: Offset of its first octet.
        last: Offset of its last octet, `first` or more.
    """

    first: int
    last: int

    @property
    def length(self) -> ByteCount:
        """How many octets it has."""
        return ByteCount(self.last - self.first + 1)

    def content_range(self, size: ByteCount) -> bytes:
        """Write the value of Content-Range, within a representation of `size` octets."""
        return b"bytes %d-%d/%d" % (self.first, self.last, size)


def parse_ranges(values: Sequence[bytes], size: ByteCount) -> list[ByteRange] | None:
    """Find the parts that a Range field asks for.

    Args:
        values: Its field values; more than one is no valid Range.
        size: Octets of the whole representation.

    Returns:
        The parts, in the order asked; empty where the field is valid but nothing of it exists (416); None where
        the whole is to be sent: the field is malformed or of another unit, asks for too many parts, or for
        more octets than the whole has, or for the end of what is empty.

    Source: RFC 9110 §14.1.2, §14.2.
    """
    unit, equals, specs = values[0].partition(b"=") if len(values) == 1 else (b"", b"", b"")
    if not equals or unit.strip(b" \t").lower() != b"bytes":
        return None
    members = split_list(specs)
    found = [_RANGE.fullmatch(member) for member in members]
    if not members or len(members) > MAX_RANGES:
        return None
    ranges = []
    for match in found:
        if match is None:
            return None
        first, last = match.groups()
        if not first:
            if not last:
                return None
            if int(last) and not size:
                return None
            start, end = max(0, size - int(last)), size - 1
        else:
            start, end = int(first), int(last) if last else size
            if end < start and last:
                return None
            end = min(end, size - 1)
        if start <= end:
            ranges.append(ByteRange(start, end))
    if len(ranges) > 1 and sum(each.length for each in ranges) > size:
        return None
    return ranges


_RANGE: Final = re.compile(rb"(\d{0,19})-(\d{0,19})")
