"""Replacing an app's own error answers by the site's maintenance page, where the operator asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import ResponseReplaced
from gateway.resources.passing import PassingSink

if TYPE_CHECKING:
    from collections.abc import Set

    from gateway.http.message import ResponseHead
    from gateway.http.stream import ResponseSink


class Interceptor(PassingSink):
    """A response sink in front of another: answers with some statuses become errors.

    Args:
        sink: Who gets all other answers.
        statuses: Statuses replaced.
    """

    __slots__ = ("_statuses",)

    def __init__(self, sink: ResponseSink, statuses: Set[int]) -> None:
        super().__init__(sink)
        self._statuses = statuses

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Pass a response on, or fail in its place; the app's connection is given up unless all has come."""
        if head.status in self._statuses:
            self._replaced = True
            self._sink.fail(ResponseReplaced(head.status))
        else:
            super().send_head(head, data, end)
