"""Header edits: set, add and remove fields of responses and of requests on their way upstream.

Responses are edited whatever made them: an application, an error page, a redirect, a 304. What frames a message,
belongs to one connection, or is written by the gateway itself cannot be edited.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from gateway.http.fields import make_line, without
from gateway.http.known import BITS, FORWARDING_NAMES, HOP_BY_HOP, NEVER_WRITTEN
from gateway.http.message import ResponseHead
from gateway.settings import FieldName, FieldValue, settings
from gateway.web.filter import BaseFilter
from gateway.web.request import Request
from gateway.web.tree import AddedFields


@settings
class HeaderEdits:
    """Settings, the tables `[headers]` and `[request_headers]` of a site file.

    Attributes:
        set: Fields put in place of what was there.
        add: Fields added beside what is there.
        remove: Names of fields dropped.
    """

    set: dict[FieldName, FieldValue] = Field(default_factory=dict)
    add: dict[FieldName, FieldValue] = Field(default_factory=dict)
    remove: tuple[FieldName, ...] = ()

    def __post_init__(self) -> None:
        """Check what names and values do not say by themselves.

        Raises:
            ValueError: A field cannot be edited, or is edited in two ways.
        """
        BlockEdits(self)


class BlockEdits:
    """Edits prepared for a block of field lines.

    Args:
        edits: What to do, one after the other: a route's come after its site's and win.
        protected: Lower-case names that cannot be edited, beside those that never can.

    Attributes:
        dropped: Lower-case names removed first.
        lines: Field lines appended then.
        known: Mask of the well-known fields among `lines`.
        mask: Mask of the well-known fields among `dropped`.
        others: The names of `dropped` that have no bit.

    Raises:
        ValueError: A field cannot be edited, or is edited in two ways at once.
    """

    __slots__ = ("dropped", "known", "lines", "mask", "others")

    def __init__(self, *edits: HeaderEdits, protected: frozenset[bytes] = frozenset()) -> None:
        dropped: frozenset[bytes] = frozenset()
        appended: list[tuple[bytes, bytes]] = []
        for each in edits:
            _check(each, protected)
            gone = _lower(each.set) | _lower(each.remove)
            dropped |= gone
            appended = [(name, line) for name, line in appended if name not in gone]
            appended += [
                (name.lower().encode("ascii"), make_line(name.encode("ascii"), value.encode("utf-8")))
                for name, value in (*each.set.items(), *each.add.items())
            ]
        self.dropped = dropped
        self.mask = _mask(dropped)
        self.others = tuple(name for name in dropped if name not in BITS)
        self.lines = b"".join(line for _, line in appended)
        self.known = _mask(frozenset(name for name, _ in appended))

    def may_drop(self, block: bytes, known: int) -> bool:
        """Tell cheaply whether a block may hold a field to drop.

        Args:
            block: Field lines.
            known: Mask of the well-known fields among them.
        """
        if known & self.mask:
            return True
        if not self.others:
            return False
        lower = block.lower()
        return any(name in lower for name in self.others)

    def apply(self, block: bytes, known: int) -> bytes:
        """Edit the fields of a request on its way upstream.

        Args:
            block: Field lines.
            known: Mask of the well-known fields among them.
        """
        if self.may_drop(block, known):
            block = without(block, self.dropped)
        return block + self.lines


class HeaderFilter(BaseFilter):
    """Edits every response's fields.

    Args:
        edits: The tables `[headers]`, the site's first.

    Raises:
        ValueError: A field cannot be edited.
    """

    __slots__ = ("_edits",)
    constant = True

    def __init__(self, *edits: HeaderEdits) -> None:
        self._edits = BlockEdits(*edits)

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Remove first, then append."""
        edits = self._edits
        if edits.may_drop(head.fields, head.known):
            head.remove(edits.dropped)
        head.fields += edits.lines
        head.known |= edits.known

    def prepared(self, added: AddedFields) -> AddedFields | None:
        """Fold the edits into fields added before; None where a field to drop has no bit in the mask of known ones."""
        edits = self._edits
        return None if edits.others else _Folded(added, edits).added


class _Folded:
    """Added fields and the edits after them.

    Args:
        before: What is added first.
        edits: Edits whose dropped fields all have a bit.
    """

    __slots__ = ("_before", "_edits", "added")

    def __init__(self, before: AddedFields, edits: BlockEdits) -> None:
        self._before = before
        self._edits = edits
        lines, known = self._edited(before.lines, before.known)
        self.added = AddedFields(lines, known, before.guard | edits.mask, self._choose)

    def _edited(self, lines: bytes, known: int) -> tuple[bytes, int]:
        edits = self._edits
        if known & edits.mask:
            lines = without(lines, edits.dropped)
        return lines + edits.lines, known & ~edits.mask | edits.known

    def _choose(self, head: ResponseHead) -> tuple[bytes, int]:
        before, edits = self._before, self._edits
        lines, known = before.choose(head) if head.known & before.guard else (before.lines, before.known)
        if head.known & edits.mask:
            head.remove(edits.dropped)
        return self._edited(lines, known)


def edited_names(*edits: HeaderEdits) -> frozenset[bytes]:
    """Give the lower-case names of the fields that are set or removed, whatever was there before."""
    return BlockEdits(*edits).dropped


def request_edits(*edits: HeaderEdits) -> BlockEdits:
    """Prepare the tables `[request_headers]`, the site's first, for `BlockEdits.apply`.

    Raises:
        ValueError: A field cannot be edited.
    """
    return BlockEdits(*edits, protected=_WRITTEN_UPSTREAM)


def check_request_edits(edits: HeaderEdits) -> HeaderEdits:
    """Check a table `[request_headers]` when the file is read.

    Raises:
        ValueError: A field cannot be edited.
    """
    request_edits(edits)
    return edits


def _check(edits: HeaderEdits, protected: frozenset[bytes]) -> None:
    for name in (*edits.set, *edits.add, *edits.remove):
        lower = name.lower().encode("ascii")
        if lower in _FRAMING or lower.startswith(b"sec-websocket-"):
            raise ValueError(f"{name} cannot be edited: it belongs to the connection, not to the message")
        if lower in _WRITTEN or lower in protected:
            raise ValueError(f"{name} cannot be edited: the gateway writes it itself")
    put, added, removed = _lower(edits.set), _lower(edits.add), _lower(edits.remove)
    for doubled, what in (
        (put & removed, "set and removed"),
        (added & removed, "added and removed"),
        (put & added, "set and added"),
    ):
        if doubled:
            raise ValueError(f"{min(doubled).decode('ascii')} is both {what}")


def _lower(names: Iterable[str]) -> frozenset[bytes]:
    """Fold names to lower case.

    Raises:
        ValueError: A name is there twice.
    """
    found: set[bytes] = set()
    for name in names:
        lower = name.lower().encode("ascii")
        if lower in found:
            raise ValueError(f"{name} is there twice, in different spellings")
        found.add(lower)
    return frozenset(found)


def _mask(names: frozenset[bytes]) -> int:
    mask = 0
    for name in names:
        mask |= BITS.get(name, 0)
    return mask


_FRAMING: Final = HOP_BY_HOP | {b"host", b"content-length", b"expect"}
_WRITTEN: Final = frozenset({b"x-request-id"})
_WRITTEN_UPSTREAM: Final = (FORWARDING_NAMES - NEVER_WRITTEN) | {b"via", b"proxy", b"x-request-start"}
