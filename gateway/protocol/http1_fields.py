"""Rules that every HTTP/1.1 field line obeys, in heads and in trailer sections (RFC 9112 §5; RFC 9110 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.errors import ProtocolError
from gateway.http.fields import TOKEN_OCTETS
from gateway.http.known import FORWARDING_NAMES
from gateway.units import ByteCount


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLimits:
    """What a head, or a trailer section, may weigh.

    Attributes:
        size: Octets of all field lines together; over it 431 (RFC 6585 §5).
        line: Octets of the request line; over it 414 (RFC 9110 §15.5.15).
        count: Number of field lines; over it 431.
    """

    size: ByteCount = ByteCount(16_000)
    line: ByteCount = ByteCount(8_000)
    count: int = 100


def check_name(name: bytes, colon: bytes) -> bytes:
    """Check what stands before the colon of a field line.

    Args:
        name: All octets before the first colon.
        colon: The colon; empty where the line has none.

    Returns:
        The name in lower case.

    Raises:
        ProtocolError: It is no token, has white space around it, or is a folded line.

    Source: RFC 9112 §5, §5.1, §5.2.
    """
    if not colon:
        raise ProtocolError("field line without a colon (RFC 9112 §5)")
    if not name or name.translate(None, TOKEN_OCTETS):
        raise ProtocolError("field name is not a token, or white space around it (RFC 9112 §5.1, §5.2)")
    return name.lower()


def imitates(name: bytes) -> bool:
    """Tell whether a lower-case name with an underscore equals a field that only the gateway may write.

    CGI-like servers fold hyphens and underscores together, so `x_forwarded_for` would reach an application as
    X-Forwarded-For. Source: RFC 3875 §4.1.18.
    """
    return b"_" in name and name.replace(b"_", b"-") in _WRITTEN_HERE


def has_forbidden_octet(lines: bytes, line_ends: int) -> bool:
    """Tell whether something else than HTAB, SP, visible ASCII or obs-text stands beside `line_ends` CRLFs.

    This finds a bare CR, a bare LF, NUL and all other controls at once. Source: RFC 9110 §5.5; RFC 9112 §2.2.
    """
    return len(lines.translate(None, VISIBLE)) != 2 * line_ends


VISIBLE: Final = bytes(octet for octet in range(256) if octet == 9 or (octet >= 32 and octet != 127))
_WRITTEN_HERE: Final = FORWARDING_NAMES | {b"x-request-id", b"x-client-cert", b"remote-user"}
