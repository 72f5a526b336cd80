"""The base of the response sinks that stand in front of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.errors import GatewayError
    from gateway.http.message import ResponseHead
    from gateway.http.stream import BulkSink, ResponseSink


class PassingSink:
    """A response sink that passes all on to another; derived ones look at what comes.

    Once `_replaced` is set, another answer has taken the place of the one that comes, which ends here.

    Args:
        sink: Who gets what passes.
    """

    __slots__ = ("_replaced", "_sink")

    def __init__(self, sink: ResponseSink) -> None:
        self._sink = sink
        self._replaced = False

    def send_informational(self, head: ResponseHead) -> None:
        """Pass a 1xx head on."""
        self._sink.send_informational(head)

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Pass the head on."""
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
        if not self._replaced:
            self._sink.fail(error)

    def pause_body(self) -> None:
        """Stop the request's content."""
        self._sink.pause_body()

    def resume_body(self) -> None:
        """Let it come again."""
        self._sink.resume_body()
