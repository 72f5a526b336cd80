"""Answers to the challenge http-01 (RFC 8555 §8.3), given before every redirect, access rule and maintenance page.

Only on plain HTTP, only GET and HEAD, only for a token that an authority was told of: anything else is left to the
site, so that an app may have certificates of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.http.message import ResponseHead
from gateway.web.request import Request
from gateway.web.resource import Resource

_PREFIX: Final = b"/.well-known/acme-challenge/"
_FIELDS: Final = ((b"Content-Type", b"application/octet-stream"), (b"Cache-Control", b"no-store"))


class ChallengeAnswers(Resource):
    """Answers for tokens.

    Attributes:
        tokens: Key authorization by token; changes as challenges come and go.
    """

    __slots__ = ("tokens",)

    def __init__(self, tokens: Mapping[bytes, bytes]) -> None:
        self.tokens = tokens

    def takes(self, request: Request) -> bool:
        """Tell whether a request is an authority's look."""
        head = request.head
        return (
            head.target.startswith(_PREFIX)
            and head.method in (b"GET", b"HEAD")
            and not request.stream.secure
            and head.target[len(_PREFIX) :] in self.tokens
        )

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer one that `takes` took."""
        content = self.tokens[request.head.target[len(_PREFIX) :]]
        request.answer(ResponseHead.make(200, _FIELDS, len(content)), content)
