"""Request targets and authorities: what a request asks for, and of whom (RFC 9112 §3.2; RFC 9110 §7.1, §7.2)."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from gateway.errors import ProtocolError
from gateway.protocol.http1_fields import remember


def is_origin_form(target: bytes) -> bool:
    """Tell whether `target` is a path with an optional query, of allowed octets only."""
    return target.startswith(b"/") and target.translate(_SIEVE) == target  # costs half of looking for others


def read_other_target(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Read a target that is not in origin-form.

    Args:
        method: The request's method, not CONNECT.
        target: What stands between the spaces of the request line.

    Returns:
        Path and query, or `*`; and the authority that overrides Host, empty for the asterisk-form.

    Raises:
        ProtocolError: The target has a forbidden octet or is in no known form.

    Source: RFC 9112 §3.2.2, §3.2.4; RFC 9110 §4.2.4 for user information.
    """
    if target.translate(None, _TARGET_OCTETS):
        raise ProtocolError("forbidden octet in the request target (RFC 9112 §3.2)")
    if target == b"*" and method == b"OPTIONS":
        return target, b""
    found = _ABSOLUTE_FORM.fullmatch(target)
    if found is None:
        raise ProtocolError("request target in no known form (RFC 9112 §3.2)")
    authority, rest = found[1], found[2]
    if not rest.startswith(b"/"):
        rest = b"*" if method == b"OPTIONS" and not rest else b"/" + rest
    return rest, authority


def read_hostname(authority: bytes) -> bytes:
    """Check a non-empty authority and fold it to the name that sites are found by.

    Args:
        authority: The value of Host, or the authority of a target in absolute-form.

    Returns:
        The host in lower case without port and one trailing dot; authorities met are remembered, up to a bound.

    Raises:
        ProtocolError: It is no host with an optional port, or has user information.

    Source: RFC 9110 §7.2; RFC 3986 §3.2.2.
    """
    hostname = _hostnames.get(authority)
    if hostname is None:
        found = _AUTHORITY.fullmatch(authority)
        if found is None or len(found[1]) > _MAX_HOST or int(found[2] or 0) > _MAX_PORT:
            raise _invalid(authority)
        hostname = found[1].lower().removesuffix(b".")
        if hostname.startswith(b"["):
            _check_ipv6(hostname, authority)
        remember(_hostnames, authority, hostname)
    return hostname


def _check_ipv6(literal: bytes, authority: bytes) -> None:
    try:
        IPv6Address(literal[1:-1].decode("ascii"))
    except AddressValueError:
        raise _invalid(authority) from None


def _invalid(authority: bytes) -> ProtocolError:
    return ProtocolError(f"invalid Host {authority[:80]!r} (RFC 9112 §3.2)")


_TARGET_OCTETS: Final = bytes(octet for octet in range(33, 127) if octet != ord("#"))
_SIEVE: Final = bytes(octet if octet in _TARGET_OCTETS else ord("?") for octet in range(256))
_ABSOLUTE_FORM: Final = re.compile(rb"(?i:https?)://([^/?@]+)((?:[/?].*)?)")
_LABEL: Final = rb"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_AUTHORITY: Final = re.compile(
    rb"(" + _LABEL + rb"(?:\." + _LABEL + rb")*\.?" + rb"|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?"
)
_MAX_HOST: Final = 254  # 253 octets of a domain name and its final dot (RFC 1035 §2.3.4)
_MAX_PORT: Final = 65_535
_hostnames: dict[bytes, bytes] = {}
