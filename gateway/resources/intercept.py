"""Replacing an app's own error answers by the site's maintenance page, where the operator asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import GatewayError, ResponseReplaced

if TYPE_CHECKING:
    from collections.abc import Set

    from gateway.http.message import ResponseHead
    from gateway.http.stream import BulkSink, ResponseSink


class Interceptor:
    """A response sink in front of another: answers with some statuses become errors.

    Args:
        sink: Who gets all other answers.
        statuses: Statuses replaced.
    """

    __slots__ = ("_replaced", "_sink", "_statuses")

    def __init__(self, sink: ResponseSink, statuses: Set[int]) -> None:
        self._sink = sink
        self._statuses = statuses
        self._replaced = False

    def send_informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on."""
        self._sink.send_informational(head)

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Pass a response on, or fail in its place; the app's connection is given up unless all has come."""
        if head.status in self._statuses:
            self._replaced = True
            self._sink.fail(ResponseReplaced(head.status))
        else:
            self._sink.send_head(head, data, end)

    def send_data(self, data: bytes, end: bool) -> None:
        """Pass content on."""
        if not self._replaced:
            self._sink.send_data(data, end)

    def bulk(self) -> BulkSink | None:
        """Give what takes content from descriptors."""
        return None if self._replaced else self._sink.bulk()

    def send_trailers(self, block: bytes) -> None:
        """Pass the trailer section on."""
        if not self._replaced:
            self._sink.send_trailers(block)

    def fail(self, error: GatewayError) -> None:
        """Pass an error on."""
        self._sink.fail(error)

    def pause_body(self) -> None:
        """Stop the request's content."""
        self._sink.pause_body()

    def resume_body(self) -> None:
        """Let it come again."""
        self._sink.resume_body()
