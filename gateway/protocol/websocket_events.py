"""What reading WebSocket frames may bring to light besides octets to pass on (RFC 6455 §5, §7.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Code(IntEnum):
    """Close codes that the gateway sends of itself; never 1000, which Phoenix's client takes as final."""

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012


@dataclass(frozen=True, slots=True)
class Close:
    """A whole close frame, taken out of the stream.

    Attributes:
        payload: Code and reason without the mask; never a single octet.
    """

    payload: bytes


@dataclass(frozen=True, slots=True)
class MalformedClose:
    """After a violation, a close frame that is itself broken."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The sender broke a rule; nothing of it passes from here on.

    Attributes:
        code: 1002 or 1009.
        message: What was found, with the section broken.
    """

    code: Code
    message: str


Event = Close | MalformedClose | Violation
