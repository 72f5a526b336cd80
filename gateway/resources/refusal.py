"""A leaf that refuses everything."""

from __future__ import annotations

from gateway.errors import HTTPError
from gateway.web.request import Request
from gateway.web.resource import Resource


class Refusal(Resource):
    """Answers every request with one error."""

    __slots__ = ("_error",)

    def __init__(self, status: int, reason: str, message: str) -> None:
        self._error = (status, reason, message)

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Refuse.

        Raises:
            HTTPError: Always.
        """
        status, reason, message = self._error
        raise HTTPError(status, reason, message=message)
