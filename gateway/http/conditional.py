"""Validators and preconditions (RFC 9110 §8.8, §13)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.http.dates import parse_http_date
from gateway.http.known import CONDITIONAL
from gateway.http.message import RequestHead


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a representation from another.

    Attributes:
        etag: Its strong entity tag, quotes included.
        modified: When it was last changed, in whole seconds since 1970; None where that is not known.
    """

    etag: bytes
    modified: int | None


class Outcome(Enum):
    """What the preconditions of a request allow."""

    PROCEED = "do as asked"
    NOT_MODIFIED = "304"
    FAILED = "412"


def evaluate(head: RequestHead, validators: Validators) -> Outcome:
    """Evaluate the preconditions of a request for something that exists, in the order of the RFC.

    To be called only where the answer without them would be 2xx (§13.2.1). If-Range is `is_range_valid`'s.

    Source: RFC 9110 §13.2.2.
    """
    if not head.known & CONDITIONAL:
        return _PROCEED
    conditions = _conditions(head)
    matches = conditions.get(b"if-match")
    if matches:
        if not _any_matches(matches, validators.etag, False):
            return _FAILED
    elif _changed_since(conditions.get(b"if-unmodified-since"), validators) is True:
        return _FAILED
    reads = head.method in (b"GET", b"HEAD")
    none_matches = conditions.get(b"if-none-match")
    if none_matches:
        if _any_matches(none_matches, validators.etag, True):
            return _NOT_MODIFIED if reads else _FAILED
    elif reads and _changed_since(conditions.get(b"if-modified-since"), validators) is False:
        return _NOT_MODIFIED
    return _PROCEED


def is_range_valid(head: RequestHead, validators: Validators) -> bool:
    """Tell whether Range counts: there is no If-Range, or it names this very state.

    Only a strong entity tag names it. A date never does, for a file may change twice within a second; the whole is sent
    then, which is always right.

    Source: RFC 9110 §13.1.5, §8.8.2.2.
    """
    values = head.get_all(b"if-range")
    return not values or values == [validators.etag]


def entity_tags(value: bytes) -> list[bytes] | None:
    """Read a list of entity tags, each with its quotes and perhaps its `W/`; None where it is malformed.

    A tag may hold commas. Source: RFC 9110 §8.8.3.
    """
    if not _TAG_LIST.fullmatch(value):
        return None
    return _TAG.findall(value)


def _conditions(head: RequestHead) -> dict[bytes, list[bytes]]:
    """Find the values of all fields whose names begin with `If-`, by lower-case name, in one pass."""
    raw = head.raw
    lower = raw.lower()
    found: dict[bytes, list[bytes]] = {}
    at = lower.find(b"\nif-")
    while at >= 0:
        end = lower.index(b"\r", at)
        colon = lower.index(b":", at)
        found.setdefault(lower[at + 1 : colon], []).append(raw[colon + 1 : end].strip(b" \t"))
        at = lower.find(b"\nif-", end)
    return found


def _any_matches(values: list[bytes], etag: bytes, weak: bool) -> bool:
    """Look for an entity tag, or `*`, in a field, perhaps by weak comparison; a malformed one matches nothing."""
    if values == [etag]:
        return True
    value = b", ".join(values).strip(b" \t")
    if value == b"*":
        return True
    tags = entity_tags(value)
    if tags is None:
        return False
    if weak:
        tags = [tag.removeprefix(b"W/") for tag in tags]
    return etag in tags


def _changed_since(values: list[bytes] | None, validators: Validators) -> bool | None:
    """Tell whether it changed after a date; None where there is no one valid date, or nothing to compare with."""
    since = parse_http_date(values[0]) if values and len(values) == 1 else None
    if since is None or validators.modified is None:
        return None
    return validators.modified > since


# Looked up here once: an attribute of an Enum costs several times a global.
_PROCEED, _NOT_MODIFIED, _FAILED = Outcome

_TAG: Final = re.compile(rb'(?:W/)?"[!\x23-\x7e\x80-\xff]*"')
# Each blank has one place in it, lest matching takes exponential time.
_TAG_LIST: Final = re.compile(
    rb"[ \t]*(?:,[ \t]*)*%b[ \t]*(?:,[ \t]*(?:%b[ \t]*)?)*" % (_TAG.pattern, _TAG.pattern),
)
