"""The maintenance switch: while it is on, everybody but a few addresses gets the site's maintenance page.

It is on by `maintenance = true`, by `on = true` in the table, or by a flag file: `example.com.down` beside
`example.com.toml`, whose content, if any, is the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from gateway.errors import RETRY_AFTER, UnderMaintenance
from gateway.http.addresses import Network as AnyNetwork
from gateway.http.addresses import read_address
from gateway.settings import FilePath, Network, settings
from gateway.units import Seconds
from gateway.web.filter import BaseFilter
from gateway.web.request import Request
from gateway.web.resource import Resource

LONGEST_WAIT: Final = Seconds(86_400)
"""The most that Retry-After names: crawlers and clients shall look again within a day."""

Until = time | datetime | None


def _until(value: Any) -> Until:
    if isinstance(value, (time, datetime)) or value is None:
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day).astimezone()
    if isinstance(value, str):
        for kind in (time, datetime):
            try:
                return kind.fromisoformat(value)
            except ValueError:
                continue
    raise ValueError(f'expected a time such as "14:00" or "2027-01-31 14:00", got {value!r}')


def _message(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


UntilForm = Annotated[
    Until, PlainValidator(_until), WithJsonSchema({"type": "string", "description": '"14:00" or "2027-01-31 14:00"'})
]


@settings
class Maintenance:
    """Settings, the key or table `maintenance` of a site file.

    The short forms `"page.html"` and `true` mean the keys `page` and `on`.

    Attributes:
        page: Page shown while the app is away or maintenance is on; the built-in one where empty.
        on: Whether the site is under maintenance now.
        message: Shown while maintenance is on, in place of the usual sentence.
        until: When it will be over, for Retry-After: a time of day within the next twelve hours, or a date with a
            time; the machine's own time where no other is named. The site does not return by itself.
        allow: Addresses and networks that see the site all the same.
    """

    page: FilePath = ""
    on: bool = False
    message: Annotated[str, BeforeValidator(_message)] = ""
    until: UntilForm = None
    allow: tuple[Network, ...] = ()


def expand_maintenance(value: Any) -> Any:
    """`"page.html"` → `{ page = "page.html" }`; `true` → `{ on = true }`."""
    if isinstance(value, bool):
        return {"on": value}
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected a page's path, true, false, or a table, got {value!r}")
    return {"page": value}


class MaintenanceFilter(BaseFilter):
    """Refuses requests while maintenance is on; the site's error pages show the maintenance page.

    Args:
        allow: Networks of those who see the site.
        until: When it will be over.
        wall_clock: Seconds since 1970.
    """

    __slots__ = ("_allow", "_until", "_wall_clock")
    constant = True

    def __init__(self, allow: Sequence[AnyNetwork], until: Until, wall_clock: Callable[[], Seconds]) -> None:
        self._allow = tuple(allow)
        self._until = until
        self._wall_clock = wall_clock

    def on_request(self, request: Request) -> Resource | None:
        """Let those pass who may.

        Raises:
            UnderMaintenance: All others.
        """
        address = read_address(request.client) if self._allow else None
        if address is not None and any(address in network for network in self._allow):
            return None
        raise UnderMaintenance(retry_after(self._until, self._wall_clock()))


def retry_after(until: Until, now: Seconds) -> int:
    """Tell in how many seconds it is worth trying again.

    Args:
        until: When maintenance will be over. A time of day more than twelve hours ahead is one that has passed.
        now: Seconds since 1970.

    Returns:
        1 to `LONGEST_WAIT`; `RETRY_AFTER` where the end is not known or has passed.
    """
    if until is None:
        return RETRY_AFTER
    present = datetime.fromtimestamp(now).astimezone()
    if isinstance(until, time):
        zone = until.tzinfo or present.tzinfo
        end = datetime.combine(present.astimezone(zone).date(), until.replace(tzinfo=None), zone)
        if end <= present:
            end += timedelta(days=1)
        if end - present > timedelta(hours=12):
            return RETRY_AFTER
    else:
        end = until if until.tzinfo else until.replace(tzinfo=present.tzinfo)
    left = (end - present).total_seconds()
    return max(1, round(min(left, LONGEST_WAIT))) if left > 0 else RETRY_AFTER


def read_message(content: bytes) -> str:
    """Read the message in a flag file: its text in one line, of bounded length; empty where there is none."""
    return _CONTROL.sub("", " ".join(content[:MESSAGE_SIZE].decode("utf-8", "replace").split()))


MESSAGE_SIZE: Final = 2000
"""Octets of a flag file that are read."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
