"""Dates as HTTP writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.dates import http_date, parse_http_date
from gateway.units import Seconds


@pytest.mark.parametrize(
    "text", [b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"]
)
def test_the_three_forms(text: bytes) -> None:
    """All forms of RFC 9110 §5.6.7 are read."""
    assert parse_http_date(text) == 784111777


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"784111777",
        b"1994-11-06T08:49:37Z",
        b"Sun, 06 Nov 1994 08:49:37",
        b"Sun, 06 Nov 1994 08:49:37 +0000",
        b"sun, 06 nov 1994 08:49:37 gmt",
        b"Sun, 6 Nov 1994 08:49:37 GMT",
        b"Sun, 31 Feb 1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 24:00:00 GMT",
        b"Sun, 06 Nov 1994 08:49:61 GMT",
        b" Sun, 06 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 0000 08:49:37 GMT",
    ],
)
def test_anything_else_is_none(text: bytes) -> None:
    """What is no such date is not guessed at."""
    assert parse_http_date(text) is None


def test_a_leap_second() -> None:
    """Second 60 is the next minute's first."""
    assert parse_http_date(b"Sat, 31 Dec 2016 23:59:60 GMT") == parse_http_date(b"Sun, 01 Jan 2017 00:00:00 GMT")


@given(st.integers(0, 4_000_000_000))
def test_dates_come_back(epoch: int) -> None:
    """A date that was written is read as the same time."""
    assert parse_http_date(http_date(Seconds(epoch))) == epoch
