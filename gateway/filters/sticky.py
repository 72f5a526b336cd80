"""Set-Cookie of sticky sessions: clients learn which upstream answered, unless they know it already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.http.known import CACHE_CONTROL
from gateway.web.filter import BaseFilter

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.upstream.sticky import StickyCookie
    from gateway.web.request import Request


class StickyFilter(BaseFilter):
    """Names the upstream to a client that was at no other, or at one that could not be used any more.

    Answers that caches may keep for others are left alone, for they would send everybody to one upstream.

    Args:
        cookie: The location's cookie.
    """

    __slots__ = ("_cookie",)

    def __init__(self, cookie: StickyCookie) -> None:
        self._cookie = cookie

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Add Set-Cookie to an answer of the app."""
        lease = request.lease
        if lease is None or request.error is not None or _is_shared(head):
            return
        if self._cookie.chosen(request.head) != lease.name:
            head.add(b"Set-Cookie", self._cookie.field(lease.name, secure=request.secure))


def _is_shared(head: ResponseHead) -> bool:
    """Tell whether the app says that shared caches may keep its answer (RFC 9111 §5.2.2)."""
    if not head.known & CACHE_CONTROL:
        return False
    directives = b",".join(head.get_all(b"cache-control")).lower().split(b",")
    return any(each.strip(b" \t").partition(b"=")[0] in (b"public", b"s-maxage") for each in directives)
