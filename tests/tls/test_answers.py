"""What an authority answers is read with suspicion: it is a stranger's."""

from __future__ import annotations

import pytest
import requests
from acme import messages

from gateway.tls.answers import clean, http_date, retry_after, told

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
LATER = "Sun, 22 Nov 2026 10:02:00 GMT"
SECONDS = 1_795_341_600.0


def answer(**fields: str) -> requests.Response:
    made = requests.Response()
    made.headers.update({name.replace("_", "-"): value for name, value in fields.items()})
    return made


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        (LATER, 120.0),
        (DATE, 0.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("99999999", 30 * 86400.0),
        ("9" * 5000, 30 * 86400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 30 * 86400.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\u0661\u0662", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """Seconds or a date by the authority's own clock, never in the past, at most 30 days; all else says nothing."""
    assert retry_after(answer(Retry_After=value, Date=DATE)) == seconds


def test_retry_after_is_not_there() -> None:
    """An authority need not say when."""
    assert retry_after(answer(Date=DATE)) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "Sun, 22 Nov 2026",
        "Sun, 40 Nov 2026 10:00:00 GMT",
        "Sun, 22 Nov 2026 25:00:00 GMT",
        "Sun, 99999999999999999999 Nov 2026 10:00:00 GMT",
        "Sun, 22 Nov 99999999999999999999 10:00:00 GMT",
        "Sun, 22 Nov 2026 10:00:00 +99999999999999999999",
        "Sun, " + "9" * 5000 + " Nov 2026 10:00:00 GMT",
    ],
)
def test_what_is_no_date(value: str) -> None:
    """A date that is none, whatever its numbers, is as good as absent."""
    assert http_date(value) in (None, SECONDS - 10 * 3600)
    assert retry_after(answer(Date=value, Retry_After="5")) == 5.0


def test_a_date() -> None:
    """Dates are seconds of the epoch."""
    assert http_date(DATE) == SECONDS


def test_what_strangers_say_forges_no_log_line() -> None:
    """Line ends, escapes and what else is not printed become spaces, and long texts are cut."""
    assert clean(" one\r\n2026 [info] two\x1b[31m\u202e\0 ") == "one  2026 [info] two [31m"
    assert len(clean("x" * 10_000)) == 400


def test_an_error_and_its_parts() -> None:
    """The type without its prefix, the sentence, and the same of each part."""
    part = messages.Error(typ="urn:ietf:params:acme:error:caa", detail="CAA\nforbids it")
    whole = messages.Error(typ="urn:ietf:params:acme:error:compound", detail="two names", subproblems=(part,))
    assert told(whole) == "compound: two names; caa: CAA forbids it"
