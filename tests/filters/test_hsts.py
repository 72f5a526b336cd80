from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.filters.hsts import YEAR, Hsts
from gateway.units import Seconds


def test_it_begins_with_a_day() -> None:
    """A day until the certificate has renewed once, then a year; what is set holds at once."""
    assert Hsts().value(renewed=False) == b"max-age=86400"
    assert Hsts().value(renewed=True) == b"max-age=31536000"
    assert Hsts(max_age=Seconds(300)).value(renewed=True) == b"max-age=300"
    assert Hsts(on=False).value(renewed=True) == b""


def test_more_only_on_request() -> None:
    """Names below are included, and the browsers' list is asked for, only where the file says so and it can hold."""
    both = Hsts(subdomains=True, preload=True)
    assert both.value(renewed=False) == b"max-age=86400; includeSubDomains"
    assert both.value(renewed=True) == b"max-age=31536000; includeSubDomains; preload"
    assert both.value(renewed=True, subdomains=False) == b"max-age=31536000"


@pytest.mark.parametrize("keys", [{"preload": True}, {"preload": True, "subdomains": True, "max_age": 300}])
def test_preload_needs_what_the_list_asks_for(keys: dict[str, object]) -> None:
    """The list takes whole domains for a year at least."""
    with pytest.raises(ValidationError, match="preload needs"):
        Hsts(**keys)  # type: ignore[arg-type]
    assert Hsts(preload=True, subdomains=True, max_age=YEAR).preload
