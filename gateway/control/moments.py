"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.units import Seconds


def moment(at: Seconds) -> str:
    """Write a time of the epoch for people, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
