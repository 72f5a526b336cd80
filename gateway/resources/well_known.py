"""Small texts that a site's settings stand for: robots.txt and security.txt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.errors import HTTPError
from gateway.http.message import ResponseHead
from gateway.units import Seconds
from gateway.web.request import Request
from gateway.web.resource import Resource

ROBOTS_TXT: Final = b"User-agent: *\nDisallow: /\n"
"""Keeps all crawlers away (RFC 9309 §2.2)."""


class TextFile(Resource):
    """A leaf that answers GET and HEAD with a short plain text.

    Args:
        make: Makes the text.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer with the text.

        Raises:
            HTTPError: 405 for any other method.
        """
        if request.head.method not in (b"GET", b"HEAD"):
            raise HTTPError(405, "method", ((b"Allow", b"GET, HEAD"),))
        content = self._make()
        fields = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"max-age=3600"))
        request.answer(ResponseHead.make(200, fields, len(content)), content)


def security_txt(contact: str, now: Seconds) -> bytes:
    """Write /.well-known/security.txt; it expires before the year that the RFC allows.

    Args:
        contact: `mailto:`, `https:` or `tel:` URI of those to tell about a hole.
        now: Seconds since 1970.

    Source: RFC 9116 §2.5.3, §2.5.5.
    """
    day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    expires = (day + _VALID).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"Contact: {contact}\nExpires: {expires}\n".encode()


_VALID: Final = timedelta(days=180)
