"""The answer of all redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.http.message import ResponseHead
from gateway.web.resource import Resource

if TYPE_CHECKING:
    from gateway.web.request import Request


class Moved(Resource):
    """Answers with a redirect without content; the connection is kept.

    Args:
        location: Value of Location, safe to send.
        status: 301, 302, 303, 307 or 308.
    """

    __slots__ = ("location", "status")

    def __init__(self, location: bytes, status: int = 308) -> None:
        self.location = location
        self.status = status

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Send the redirect."""
        request.answer(ResponseHead.make(self.status, ((b"Location", self.location),), 0))
