"""Host names of site files: the one form in which they are compared."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

import idna


def normal_host(text: str) -> str:
    """Bring a host name into the form that sites are found by.

    Args:
        text: A name or an IP address, as A-label or U-label, perhaps with a final dot.

    Returns:
        Lower case, A-labels, no final dot; an IPv6 address in brackets.

    Raises:
        ValueError: It is no host name.

    Source: RFC 1123 §2.1, RFC 5891 §4, UTS 46.
    """
    name = text.removesuffix(".").lower()
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        return _normal_name(name, text)
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def normal_pattern(text: str) -> str:
    """Bring a host name or a wildcard such as `*.example.com` into its normal form.

    Raises:
        ValueError: It is neither.
    """
    if text == "*":
        raise ValueError(
            f'expected a host name; "{text}" has a file of its own: _default.toml answers for all other hosts'
        )
    if not text.startswith("*."):
        return normal_host(text)
    suffix = normal_host(text[2:])
    if _is_address(suffix):
        raise ValueError(f"expected a name behind the wildcard, got {text!r}")
    return f"*.{suffix}"


def www_name(host: str) -> str:
    """Make the `www.` name that belongs to a host; empty where none makes sense."""
    return "" if "." not in host or host.startswith(("www.", "*.")) or _is_address(host) else f"www.{host}"


def apex_name(host: str) -> str:
    """Make the name without `www.`."""
    return host.removeprefix("www.")


def _normal_name(name: str, text: str) -> str:
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError as error:
            raise ValueError(f"expected a host name, got {text!r}: {error}") from None
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError(f'expected a host name such as "example.com", without scheme, port or path, got {text!r}')
    return name


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.ASCII)
