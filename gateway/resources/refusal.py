"""Leaves that refuse everything."""

from __future__ import annotations

from gateway.errors import HTTPError, ProtocolError, Unanswered
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


class Silence(Resource):
    """Closes connections of requests for hosts that nobody has, without an answer."""

    __slots__ = ()

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Refuse.

        Raises:
            Unanswered: Always, but:
            ProtocolError: 400 where the request names no host.
        """
        if not request.head.hostname:
            raise ProtocolError("no Host and no default site (RFC 9112 §3.2)")
        raise Unanswered(f"no site for host {request.head.hostname!r}")
