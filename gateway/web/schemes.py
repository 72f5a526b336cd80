"""The root of the tree where HTTPS and plain HTTP differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.resource import Resource

if TYPE_CHECKING:
    from gateway.web.request import Request


class Schemes(Resource):
    """Passes requests on by their scheme, which a trusted proxy may have told.

    Args:
        secure: Takes what came over HTTPS.
        plain: Takes what came over plain HTTP.
    """

    __slots__ = ("_plain", "_secure")

    def __init__(self, secure: Resource, plain: Resource) -> None:
        self._secure = secure
        self._plain = plain

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Pass the request on."""
        (self._secure if request.secure else self._plain).render(request, data, end)
