"""A response sink that remembers."""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.http.message import ResponseHead
from gateway.http.stream import BulkSink


class RecordingSink:
    """A `ResponseSink` that keeps what it is given, and takes nothing behind the end.

    Attributes:
        informational: Statuses of the 1xx heads.
        status: Of the head; 0 before it.
        data: Content.
        trailers: The trailer section, where one came.
        ended: Whether the response is complete.
        error: What it failed with.
        paused: Whether the request's content is stopped.
        bulk_sink: What takes content from descriptors.
    """

    def __init__(self) -> None:
        self.informational: list[int] = []
        self.status = 0
        self.data = b""
        self.trailers = b""
        self.ended = False
        self.error: GatewayError | None = None
        self.paused = False
        self.bulk_sink: BulkSink | None = None

    def send_informational(self, head: ResponseHead) -> None:
        assert not self.status
        self.informational.append(head.status)

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        assert not self.status
        self.status = head.status
        self.send_data(data, end)

    def send_data(self, data: bytes, end: bool) -> None:
        assert not self.ended
        assert self.error is None
        self.data += data
        self.ended = end

    def bulk(self) -> BulkSink | None:
        return self.bulk_sink

    def send_trailers(self, block: bytes) -> None:
        assert not self.ended
        self.trailers = block
        self.ended = True

    def fail(self, error: GatewayError) -> None:
        assert not self.ended
        assert self.error is None
        self.error = error

    def pause_body(self) -> None:
        self.paused = True

    def resume_body(self) -> None:
        self.paused = False
