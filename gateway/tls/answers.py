"""What an authority answers, as plain data (RFC 8555 §7.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import requests
from acme import messages

from gateway.tls.schedule import LONGEST_HOLD
from gateway.units import Seconds


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as the authority sees it (RFC 8555 §7.1.3).

    Attributes:
        url: Its URL.
        status: `pending`, `ready`, `processing`, `valid` or `invalid`.
        authorizations: URLs.
        finalize: URL.
        certificate: URL; empty before it is valid.
        error: What made it invalid; empty for nothing.
        retry_after: Seconds after which to ask again; None if it did not say.
    """

    url: str
    status: str
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str = ""
    error: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationState:
    """An authorization (RFC 8555 §7.1.4).

    Attributes:
        status: `pending`, `valid`, `invalid`, `deactivated`, `expired` or `revoked`.
        challenges: URL and token by type.
        error: What made it invalid.
        retry_after: Seconds after which to ask again; None if it did not say.
    """

    status: str
    challenges: dict[str, tuple[str, str]] = field(repr=False)
    error: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class RenewalInfo:
    """When the authority would like a certificate renewed (RFC 9773 §4.2)."""

    start: Seconds
    end: Seconds
    explanation: str
    retry_after: float | None


def read_order(response: requests.Response, url: str) -> OrderState:
    """Read an order."""
    body = messages.Order.from_json(response.json())
    return OrderState(
        url,
        body.status.name,
        tuple(body.authorizations or ()),
        body.finalize or "",
        body.certificate or "",
        told(body.error) if body.error is not None else "",
        retry_after(response),
    )


def told(error: messages.Error) -> str:
    """Say what the authority said: the type and its sentence."""
    code = str(error.typ).rsplit(":", maxsplit=1)[-1]
    parts = [f"{code}: {error.detail or error.title or ''}"]
    parts += [told(each) for each in error.subproblems or ()]
    return clean("; ".join(parts))


def clean(text: object) -> str:
    """Shorten what others said, and take out what would forge log lines."""
    return "".join(each if each.isprintable() else " " for each in str(text)[:_SHOWN]).strip()


def retry_after(response: requests.Response) -> float | None:
    """Read Retry-After as seconds from now (RFC 9110 §10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), LONGEST_HOLD))
    when = http_date(value)
    now = http_date(response.headers.get("Date", ""))
    if when is None:
        return None
    return min(max(0.0, when - (now if now is not None else datetime.now(UTC).timestamp())), LONGEST_HOLD)


def http_date(value: str) -> Seconds | None:
    """Read a date of HTTP as seconds of the epoch; None where it is none."""
    try:
        return Seconds(parsedate_to_datetime(value).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def rfc3339(value: str) -> Seconds:
    """Read a date of JSON as seconds of the epoch."""
    return Seconds(datetime.fromisoformat(value).timestamp())


_SHOWN: Final = 400
