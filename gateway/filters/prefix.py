"""Puts a stripped prefix back into responses, so that an app below a path need not know of it.

An app that was told `/users` while the client asked for `/shop/users` redirects to `/login` and sets cookies for `/`;
the client has to see `/shop/login` and `/shop`. What begins with the prefix already is left alone: such an app reads
X-Forwarded-Prefix.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gateway.http import fields as field_lines
from gateway.http.known import LOCATION, SET_COOKIE
from gateway.web.filter import BaseFilter

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.web.request import Request


class PrefixFilter(BaseFilter):
    """Rewrites Location, Content-Location, Refresh, and the path of cookies in the app's responses.

    Args:
        prefix: Decoded path prefix that is taken off requests, without trailing slash.
    """

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str) -> None:
        self._prefix = quote(prefix, safe="/:@!$&'()*+=~-._").encode("ascii")

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Rewrite the fields of an upstream's response; the gateway's own answers know the prefix."""
        if not head.size:
            return
        if not head.known & (LOCATION | SET_COOKIE) and not _RARE.search(head.fields):
            return
        head.fields = b"".join(self._rewrite(line, request) for line in head.fields.splitlines(keepends=True))

    def _rewrite(self, line: bytes, request: Request) -> bytes:
        name, _, value = line.partition(b":")
        lower = name.lower()
        if lower not in _REWRITTEN:
            return line
        value = value.strip(b" \t\r\n")
        if lower == b"set-cookie":
            value = self._cookie(value)
        elif lower == b"refresh":
            delay, mark, target = _split_refresh(value)
            value = delay + mark + self._location(target, request.head.host)
        else:
            value = self._location(value, request.head.host)
        return field_lines.make_line(name, value)

    def _location(self, value: bytes, host: bytes) -> bytes:
        found = _REFERENCE.match(value)
        if found is None:
            return value
        origin, scheme, authority, path, rest = found.group("origin", "scheme", "authority", "path", "rest")
        if not origin and not path:  # relative to the page, which lies below the prefix
            return value
        if origin and _bare(authority, scheme or b"") != _bare(host, scheme or b""):
            return value
        return (origin or b"") + self._with_prefix(path or b"/") + rest

    def _cookie(self, value: bytes) -> bytes:
        if value[:7].lower() == b"__host-":  # browsers refuse it with any path but "/"
            return value
        return _COOKIE_PATH.sub(lambda found: found[1] + self._cookie_path(found[2]), value)

    def _cookie_path(self, path: bytes) -> bytes:
        # Not "/shop/": that would not match "/shop" itself (RFC 6265 §5.1.4).
        return self._prefix if path == b"/" else self._with_prefix(path)

    def _with_prefix(self, path: bytes) -> bytes:
        prefix = self._prefix
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/"):
            return path
        return prefix + path


def _bare(authority: bytes, scheme: bytes) -> bytes:
    """Bring an authority to a form that can be compared: lower case, without the default port."""
    default = b":443" if scheme.lower() == b"https:" else b":80"
    return authority.lower().removesuffix(default)


def _split_refresh(value: bytes) -> tuple[bytes, bytes, bytes]:
    found = _REFRESH.match(value)
    return (found[1], found[2], found[3]) if found else (value, b"", b"")


_REWRITTEN: Final = frozenset({b"location", b"content-location", b"refresh", b"set-cookie"})
_RARE: Final = re.compile(rb"(?:\A|\n)(?:content-location|refresh):", re.IGNORECASE)
_REFERENCE: Final = re.compile(
    rb"(?P<origin>(?P<scheme>https?:)?//(?P<authority>[^/?#\\]*))?(?P<path>/[^?#]*)?(?P<rest>(?:[?#].*)?)\Z",
    re.IGNORECASE | re.DOTALL,
)
_COOKIE_PATH: Final = re.compile(rb"(;[ \t]*path[ \t]*=[ \t]*)(/[^;]*?)(?=[ \t]*(?:;|\Z))", re.IGNORECASE)
_REFRESH: Final = re.compile(rb"([0-9.]+[ \t]*)([;,][ \t]*url[ \t]*=[ \t]*)([^'\"].*)\Z", re.IGNORECASE | re.DOTALL)
