"""Parts with bugs, to see that a bug ends one exchange and nothing else."""

from __future__ import annotations

from gateway.http.message import ResponseHead
from gateway.web.filter import Filter
from gateway.web.request import Request
from gateway.web.resource import Resource


class Bug(Exception):
    """What broken parts raise."""


class BrokenLeaf(Resource):
    """Fails at once, or when content arrives."""

    __slots__ = ("_at_content",)

    def __init__(self, *, at_content: bool = False) -> None:
        self._at_content = at_content

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        if not self._at_content:
            raise Bug
        request.upstream = self  # type: ignore[assignment]  # a ClientStream as far as the test goes

    def send_data(self, data: bytes, end: bool) -> None:
        raise Bug

    def reset(self, error: Exception) -> None:
        pass


class BrokenFilter(Filter):
    """Fails for requests, or for responses; `times` says how often."""

    constant = False

    def __init__(self, *, on_request: bool = False, times: int = 1000) -> None:
        self._on_request = on_request
        self._left = times

    def on_request(self, request: Request) -> Resource | None:
        if self._on_request:
            raise Bug
        return None

    def on_response(self, request: Request, head: ResponseHead) -> None:
        self._left -= 1
        if not self._on_request and self._left >= 0:
            raise Bug
