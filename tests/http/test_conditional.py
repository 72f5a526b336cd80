"""Validators and preconditions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.conditional import Outcome, Validators, entity_tags, evaluate, is_range_valid
from tests.support.effort import without_end_is_an_error
from tests.support.streams import get

NOW = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
EARLIER = b"Sun, 06 Nov 1994 08:49:36 GMT"
SAME = b"Sun, 06 Nov 1994 08:49:37 GMT"
LATER = b"Sun, 06 Nov 1994 08:49:38 GMT"
VALIDATORS = Validators(b'"a,b"', NOW)

# What each field says of the representation: True where its condition holds, None where the field does not count.
IF_MATCH = {b"": None, b"*": True, b'"a,b"': True, b'"x", "a,b"': True, b'"x"': False, b'W/"a,b"': False, b"a,b": False}
UNMODIFIED = {b"": None, EARLIER: False, SAME: True, LATER: True, b"yesterday": None}
NONE_MATCH = {b"": None, b"*": False, b'"a,b"': False, b'W/"a,b"': False, b'"x", "y"': True, b"a,b": True}
MODIFIED = {b"": None, EARLIER: True, SAME: False, LATER: False, b"1994-11-06": None}


def fields(*given: tuple[bytes, bytes]) -> list[bytes]:
    return [name + b": " + value for name, value in given if value]


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT"])
def test_all_combinations(method: bytes) -> None:
    """Every combination of the four fields gives what the six steps of RFC 9110 §13.2.2 say."""
    reads = method in (b"GET", b"HEAD")
    seen = set()
    for one, two, three, four in itertools.product(IF_MATCH, UNMODIFIED, NONE_MATCH, MODIFIED):
        if_match, unmodified = IF_MATCH[one], UNMODIFIED[two]
        none_match, modified = NONE_MATCH[three], MODIFIED[four]
        expected = Outcome.PROCEED
        if if_match is False or (if_match is None and unmodified is False):
            expected = Outcome.FAILED
        elif none_match is False:
            expected = Outcome.NOT_MODIFIED if reads else Outcome.FAILED
        elif none_match is None and reads and modified is False:
            expected = Outcome.NOT_MODIFIED
        lines = fields(
            (b"If-Match", one), (b"If-Unmodified-Since", two), (b"If-None-Match", three), (b"If-Modified-Since", four)
        )
        assert evaluate(get(b"/", *lines, method=method), VALIDATORS) is expected, lines
        seen.add(expected)
    assert seen == (set(Outcome) if reads else {Outcome.PROCEED, Outcome.FAILED})


def test_without_a_date_dates_do_not_count() -> None:
    """Where it is not known when something changed, only entity tags are compared."""
    undated = Validators(b'"a"', None)
    for line in (b"If-Modified-Since: " + LATER, b"If-Unmodified-Since: " + EARLIER):
        assert evaluate(get(b"/", line), undated) is Outcome.PROCEED
    assert evaluate(get(b"/", b'If-None-Match: "a"'), undated) is Outcome.NOT_MODIFIED


def test_fields_in_several_lines_are_one_list() -> None:
    """A list may be spread over lines (RFC 9110 §5.3); two dates are no date."""
    assert evaluate(get(b"/", b'If-None-Match: "x"', b'If-None-Match: "a,b"'), VALIDATORS) is Outcome.NOT_MODIFIED
    twice = (b"If-Modified-Since: " + SAME,) * 2
    assert evaluate(get(b"/", *twice), VALIDATORS) is Outcome.PROCEED


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (b"", True),
        (b'"a,b"', True),
        (b'W/"a,b"', False),
        (b'"x"', False),
        (b'"a,b", "x"', False),
        (SAME, False),
        (LATER, False),
    ],
)
def test_if_range(value: bytes, valid: bool) -> None:
    """Only the very entity tag, compared strongly, makes a range of the old state fit (RFC 9110 §13.1.5)."""
    assert is_range_valid(get(b"/", *fields((b"If-Range", value))), VALIDATORS) is valid


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (b'"a"', [b'"a"']),
        (b'"a,b" , W/"c"', [b'"a,b"', b'W/"c"']),
        (b', "a",, "b",', [b'"a"', b'"b"']),
        (b'""', [b'""']),
        (b'"\xff"', [b'"\xff"']),
        (b'w/"a"', None),
        (b'"a" "b"', None),
        (b'"a', None),
        (b"", None),
        (b'"a b"', None),
    ],
)
def test_entity_tags(value: bytes, tags: list[bytes] | None) -> None:
    """Entity tags are quoted, and may hold commas (RFC 9110 §8.8.3)."""
    assert entity_tags(value) == tags


def test_hostile_lists_end() -> None:
    """A list of nothing but blanks and commas is refused, though there are ever so many ways to read it."""
    with without_end_is_an_error():
        assert entity_tags(b" ,\t" * 3000 + b"x") is None
        assert entity_tags(b'"a"' + b" , " * 3000 + b"x") is None


@given(st.lists(st.binary(max_size=8).map(lambda raw: b'"' + raw.translate(None, bytes(range(33)) + b'"\x7f') + b'"')))
def test_entity_tags_come_back(tags: list[bytes]) -> None:
    """What is written as a list is read as the same list."""
    assert entity_tags(b", ".join(tags)) == (tags or None)
