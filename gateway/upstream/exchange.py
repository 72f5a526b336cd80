"""The HTTP/1.1 client side of one exchange: an upstream connection as a `ClientStream` (RFC 9112).

Its receiving half is `gateway.upstream.http1_responses`. The connection returns to the pool before it reports the end
of the response.

The states and their changes stand in `gateway.upstream.connection`, the deadlines in `gateway.upstream.deadlines`.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gateway.errors import GatewayError
from gateway.http.message import Framing, RequestHead
from gateway.http.stream import ResponseSink
from gateway.protocol.chunked import encode_content, encode_last_chunk
from gateway.protocol.http1_write import write_request
from gateway.units import Seconds
from gateway.upstream.connection import CLOSED, HEAD, IDLE, TUNNEL
from gateway.upstream.deadlines import Progress
from gateway.upstream.http1_responses import HTTP1Responses

# Looked up here once: an attribute of an Enum costs several times a global.
_CHUNKED_FRAMING = Framing.CHUNKED


class UpstreamConnection(HTTP1Responses):
    """One connection to an upstream.

    Args:
        home: The pool it belongs to.

    Attributes:
        pooled: Whether it has been idle in the pool, where the upstream may have closed it unnoticed.
    """

    @property
    def fileno(self) -> Callable[[], int] | None:
        """The transport's descriptor, where it has one."""
        return getattr(self._transport, "fileno", None)

    @property
    def request_done(self) -> bool:
        """Whether the end of the last request was sent, trailers included."""
        return self._request_done

    # The transport's side.

    def connectionMade(self) -> None:
        """Register for back-pressure and deadlines."""
        super().connectionMade()
        self.home.sweeper.add(self)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone."""
        self.home.sweeper.remove(self)
        self.home.forget(self)
        self.let_go()
        self._ended(clean=reason is not None and isinstance(reason.value, ConnectionDone))
        self.state = CLOSED

    def pauseProducing(self) -> None:
        """Stop the request's content: the upstream reads slowly (IPushProducer)."""
        self.writing_paused = True
        if self._sink is not None:
            self._sink.pause_body()

    def resumeProducing(self) -> None:
        """Let the request's content come again (IPushProducer)."""
        self.writing_paused = False
        if self._sink is not None:
            self._sink.resume_body()

    # Requests.

    def send_request(
        self, sink: ResponseSink, head: RequestHead, target: bytes, fields: bytes, data: bytes, end: bool
    ) -> None:
        """Begin an exchange with the head and the content that came along, in one write.

        Args:
            sink: Who takes the response.
            head: The client's request; gives method, framing, expectation, upgrade, and Host if the upstream has none.
            target: Request target to send.
            fields: All other end-to-end field lines to send.
            data: First content, without framing.
            end: Whether that is all of it.
        """
        self._sink = sink
        self._request = head
        self.state = HEAD
        self.exchanges += 1
        self._received = self._sent = 0
        self._informational = 0
        self._continued = False
        self._request_done = end
        self._request_chunked = head.framing is _CHUNKED_FRAMING
        self._write(write_request(head, target, self.home.host or head.host, fields, data, end))

    def send_data(self, data: bytes, end: bool) -> None:
        """Send request content, or opaque octets in a tunnel."""
        self._sent += len(data)
        if self.state is TUNNEL:
            self._write(data)
            if end and self._sink is None:
                self._drop(abort=self.writing_paused)
            elif end:
                self._request_done = True
                self.half_close()
            return
        self._request_done = self._request_done or end
        if self._request_chunked:
            data = encode_content(data, end)
        if data:
            self._write(data)

    def send_trailers(self, block: bytes) -> None:
        """Send the request's trailer section and end its content."""
        self._request_done = True
        if self._request_chunked:
            self._write(encode_last_chunk(block))

    def pass_to(self, sink: ResponseSink) -> None:
        """Give what comes from now on to another sink: that of an open tunnel, in place of the one that opened it."""
        self._sink = sink

    def reset(self, error: GatewayError) -> None:
        """Give the exchange up: the connection is closed, the sink is not called again.

        A tunnel whose far half is closed has no sink any more, but still a connection.
        """
        if self._sink is not None or self.state is TUNNEL:
            self._sink = None
            self._drop(abort=True)

    def pause_body(self) -> None:
        """Stop the response's content; of no effect once it is complete, for the connection may be idle by then."""
        if self._sink is not None:
            self.pause_reading()

    def resume_body(self) -> None:
        """Let the response's content come again."""
        self.resume_reading()

    # The end of an exchange, and of the connection.

    def _finish(self) -> None:
        """End the exchange: back to the pool, or closed where another one would not be safe."""
        self._sink = self._request = None
        if self._reusable and self._request_done and not self.writing_paused:
            if self.reading_paused:
                self.resume_reading()
            self.state = IDLE
            if self.home.put_back(self):
                return
        self._drop(abort=not self._request_done)

    def fail(self, error: GatewayError) -> None:
        """End the exchange under way with an error."""
        sink, self._sink = self._sink, None
        self._drop(abort=True)
        if sink is not None:
            sink.fail(error)

    def _drop(self, abort: bool = False) -> None:
        """Close the connection; it is never used again."""
        if self.state is CLOSED:
            return
        self.state = CLOSED
        self._request = None
        self._content = None
        self._buffer = b""
        self.home.forget(self)
        if abort:
            self.abort()
        else:
            self.close()

    def drop(self) -> None:
        """Close the connection, which is idle or to be given up."""
        self._drop()

    # What the deadlines look at and do.

    def sweep(self, now: Seconds) -> None:
        """Act on what has stood still for too long."""
        self._deadlines.sweep(self, now)

    @property
    def progress(self) -> Progress:
        """How far the exchange has come."""
        request = self._request
        in_head = self.state is HEAD
        return Progress(
            exchange=self.exchanges,
            in_head=in_head,
            received=self._informational if in_head else self._received,  # a head that drips is no progress
            sent=self._sent,
            request_done=self._request_done,
            unsent=self.waiting_octets() if self.writing_paused else 0,
            awaited=request is not None and request.expects_continue and not self._continued and not self._sent,
        )

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for anything from this connection."""
        return self.state is CLOSED or self._sink is None
