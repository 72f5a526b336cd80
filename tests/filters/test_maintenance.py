"""The maintenance switch."""

from __future__ import annotations

from datetime import UTC, datetime, time
from ipaddress import ip_network

import pytest

from gateway.errors import UnderMaintenance
from gateway.filters.maintenance import Maintenance, MaintenanceFilter, Until, read_message, retry_after
from gateway.units import Seconds
from gateway.web.request import Request
from tests.support.streams import exchange, get, location

NOW = Seconds(datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp())


def outcome(client: str, *allow: str) -> int:
    switch = MaintenanceFilter([ip_network(each) for each in allow], None, lambda: NOW)
    request = exchange(location(), get(b"/")).handler
    assert isinstance(request, Request)
    request.client = client
    try:
        switch.on_request(request)
    except UnderMaintenance as error:
        return error.retry_after
    return 0


def test_everybody_is_kept_away() -> None:
    """Without a list nobody passes."""
    assert outcome("203.0.113.9") == 10


@pytest.mark.parametrize(
    ("client", "passes"),
    [("203.0.113.9", True), ("::ffff:203.0.113.9", True), ("2001:db8::5", True), ("203.0.113.8", False), ("", False)],
)
def test_allowed_addresses_see_the_site(client: str, passes: bool) -> None:
    """Addresses and networks of both families pass."""
    assert (outcome(client, "203.0.113.9/32", "2001:db8::/32") == 0) is passes


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        (None, 10),
        (time(14, 0, tzinfo=UTC), 7200),
        (time(11, 0, tzinfo=UTC), 10),
        (time(12, 0, tzinfo=UTC), 10),
        (time(0, 0, tzinfo=UTC), 43200),
        (datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC), 30),
        (datetime(2026, 11, 22, 12, 0, 0, 100, tzinfo=UTC), 1),
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 10),
        (datetime(2027, 11, 22, tzinfo=UTC), 86400),
    ],
)
def test_retry_after_comes_from_the_end(until: Until, seconds: int) -> None:
    """The time left, at most a day; a moment where the end is unknown or over."""
    assert retry_after(until, NOW) == seconds


def test_times_without_a_zone_are_the_machines() -> None:
    """What one writes is the time on one's clock."""
    local = datetime.fromtimestamp(NOW).astimezone()
    assert retry_after(local.replace(tzinfo=None, hour=(local.hour + 1) % 24).time(), NOW) == 3600
    assert retry_after(datetime.fromtimestamp(NOW + 60), NOW) == 60  # noqa: DTZ006  (local on purpose)


def test_forms_of_until() -> None:
    """Text and TOML's own times are both read."""
    assert Maintenance(until="14:00").until == time(14, 0)  # type: ignore[arg-type]
    assert Maintenance(until="2027-01-31 14:00").until == datetime(2027, 1, 31, 14)  # type: ignore[arg-type]  # noqa: DTZ001
    assert Maintenance(until=time(9)).until == time(9)
    midnight = Maintenance(until=datetime(2027, 1, 31).date()).until  # type: ignore[arg-type]  # noqa: DTZ001
    assert isinstance(midnight, datetime)
    assert (midnight.hour, midnight.day) == (0, 31)


def test_messages_are_one_line_of_text() -> None:
    """A flag file's content is bounded and free of control characters, whatever was written into it."""
    assert read_message("Wir sind\n gleich\tzurück.\n".encode()) == "Wir sind gleich zurück."
    assert read_message(b"\xff\x00a\x1b[31m") == "\ufffda[31m"
    assert len(read_message(b"x" * 5000)) == 2000
    assert read_message(b" \n") == ""
