"""Dates as HTTP writes them (RFC 9110 §5.6.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from gateway.units import Seconds


def http_date(epoch: Seconds) -> bytes:
    """Write a time, in seconds since 1970, as an IMF-fixdate."""
    return formatdate(epoch, usegmt=True).encode("ascii")


@lru_cache(maxsize=1024)
def parse_http_date(text: bytes) -> int | None:
    """Read a date in any of the three forms that HTTP knows, in seconds since 1970; None where it is none of them.

    Years of two digits are taken for 1970 to 2069: no file is older.
    """
    for form in (_IMF_FIXDATE, _RFC850, _ASCTIME):
        found = form.fullmatch(text)
        if found:
            break
    else:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 2000 if year < 70 else 1900
    hour, minute, second = (int(part) for part in found["time"].split(b":"))
    try:
        # A leap second (60) is the next minute's first.
        moment = datetime(year, _MONTHS.index(found["month"]) + 1, int(found["day"]), hour, minute, 0, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) + second if second <= 60 else None


_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH: Final = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_TIME: Final = rb"(?P<time>\d\d:\d\d:\d\d)"
_DAY: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_IMF_FIXDATE: Final = re.compile(_DAY + rb", (?P<day>\d\d) " + _MONTH + rb" (?P<year>\d{4}) " + _TIME + rb" GMT")
_RFC850: Final = re.compile(
    rb"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?P<day>\d\d)-" + _MONTH + rb"-(?P<year>\d\d) " + _TIME + rb" GMT"
)
_ASCTIME: Final = re.compile(_DAY + rb" " + _MONTH + rb" (?P<day>[ \d]\d) " + _TIME + rb" (?P<year>\d{4})")
