"""Dates as HTTP writes them (RFC 9110 §5.6.7)."""

from __future__ import annotations

from email.utils import formatdate

from gateway.units import Seconds


def http_date(epoch: Seconds) -> bytes:
    """Write a time, in seconds since 1970, as an IMF-fixdate."""
    return formatdate(epoch, usegmt=True).encode("ascii")
