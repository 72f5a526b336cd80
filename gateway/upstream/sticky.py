"""Sticky sessions: a cookie that names the upstream that a client was at, so that it comes there again.

Its value is an HMAC of the upstream's name and the site's under a key of the gateway: it tells nobody what is behind
the gateway, nobody can make one up, and whoever has the key finds the same upstream by it. So nothing is remembered of
clients, and workers agree without asking each other.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.http.known import COOKIE
from gateway.units import ByteCount

if TYPE_CHECKING:
    from gateway.http.message import RequestHead

KEY_SIZE: Final = ByteCount(32)
"""Octets of the key."""
LOOKED_AT: Final = 4
"""Cookies of our name in one request that are looked at: there should be one, and a hostile client may send many."""
_NAME: Final = b"gateway_sticky"
_OURS: Final = re.compile(rb"[ \t]*gateway_sticky(?:_[0-9a-f]{8})?[ \t]*=")
_LENGTH: Final = 32


class StickyKey:
    """The key of this process; whoever puts the process together may replace it before the first request.

    Attributes:
        octets: The key.
    """

    __slots__ = ("octets",)

    def __init__(self, octets: bytes = b"") -> None:
        self.octets = octets or secrets.token_bytes(KEY_SIZE)

    def __repr__(self) -> str:
        return "<StickyKey>"


class StickyCookie:
    """The cookie of one location.

    Args:
        key: Of the gateway.
        site: The site, so that cookies of two sites cannot be compared.
        upstreams: Names of the upstreams to choose from.
        prefix: Of the location that has these upstreams first; empty for the site's own app.
    """

    __slots__ = ("_key", "_name", "_site", "_upstreams", "_values")

    def __init__(self, key: StickyKey, site: str, upstreams: Iterable[str], prefix: str = "") -> None:
        self._key = key
        self._site = site
        self._upstreams = tuple(upstreams)
        self._name = _NAME + b"_" + sha256(prefix.encode()).hexdigest()[:8].encode() if prefix else _NAME
        self._values: dict[str, bytes] = {}

    def chosen(self, head: RequestHead) -> str:
        """Find the upstream that a request's cookie names; empty where it names none of ours."""
        if not head.known & COOKIE:
            return ""
        found = ""
        for value in self._sent(head):
            for upstream in self._upstreams:
                if hmac.compare_digest(value, self._value(upstream)):
                    found = found or upstream
        return found

    def field(self, upstream: str, *, secure: bool) -> bytes:
        """Make the value of Set-Cookie that names an upstream, until the browser is closed.

        Args:
            upstream: Its name.
            secure: Whether the client uses HTTPS; on plain HTTP browsers would drop a cookie that is `Secure`.
        """
        ending = b"; Secure" if secure else b""
        return b"%b=%b; Path=/; HttpOnly; SameSite=Lax%b" % (self._name, self._value(upstream), ending)

    def _sent(self, head: RequestHead) -> list[bytes]:
        mark = self._name + b"="
        crumbs = (crumb.strip(b" \t") for line in head.get_all(b"cookie") if mark in line for crumb in line.split(b";"))
        values = [crumb[len(mark) :] for crumb in crumbs if crumb.startswith(mark)]
        return [value for value in values[:LOOKED_AT] if len(value) == _LENGTH]

    def _value(self, upstream: str) -> bytes:
        value = self._values.get(upstream)
        if value is None:
            message = f"{self._site}\0{upstream}".encode()
            made = hmac.new(self._key.octets, message, sha256).hexdigest()[:_LENGTH].encode()
            value = self._values[upstream] = made
        return value


class OwnCookies:
    """Takes our cookies out of what goes to the app: they are none of its business, and it might log or repeat them."""

    __slots__ = ()

    def apply(self, block: bytes, known: int) -> bytes:
        """Take them out of a block of field lines; all other octets stay as they are."""
        if not known & COOKIE or _NAME not in block:
            return block
        lines = (_without(line) if _is_cookie(line) else line for line in block.split(b"\r\n"))
        return b"\r\n".join(line for line in lines if line is not None)


def _is_cookie(line: bytes) -> bool:
    return line[:7].lower() == b"cookie:" and _NAME in line


def _without(line: bytes) -> bytes | None:
    """Take our cookies out of a Cookie line; None where no other is left."""
    name, _, value = line.partition(b":")
    crumbs = value.split(b";")
    kept = [crumb for crumb in crumbs if not _OURS.match(crumb)]
    if len(kept) == len(crumbs):
        return line
    rest = b";".join(kept).strip(b" \t")
    return b"%b: %b" % (name, rest) if rest else None
