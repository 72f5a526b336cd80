"""Server-Timing: tells browsers' developer tools where the time to the first byte went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.filter import BaseFilter

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.web.request import Request


class TimingFilter(BaseFilter):
    """Adds Server-Timing: milliseconds from the request's head to the response's, and those spent on the upstream.

    Source: Server Timing (W3C) §2.
    """

    __slots__ = ()

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Add a field of our own beside the app's."""
        now = request.runtime.clock()
        metrics = b"gateway;dur=%.1f" % ((now - request.received) * 1000)
        if request.leased:
            metrics += b", upstream;dur=%.1f" % ((now - request.leased) * 1000)
        head.add(b"Server-Timing", metrics)
