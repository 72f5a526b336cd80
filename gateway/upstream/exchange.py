"""The HTTP/1.1 client side of one exchange: an upstream connection as a `ClientStream` (RFC 9112).

The states and their changes stand in `gateway.upstream.connection`, the deadlines in `gateway.upstream.deadlines`.
The connection returns to the pool before it reports the end of the response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.error import ConnectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import (
    ConnectionReset,
    GatewayError,
    ProtocolError,
    ResponseIncomplete,
    ResponseInvalid,
)
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.http.stream import ResponseSink
from gateway.net.paced_protocol import PacedProtocol
from gateway.net.splicing import splice
from gateway.protocol.chunked import encode_content, encode_last_chunk
from gateway.protocol.content import ContentReader
from gateway.protocol.http1_head import parse_response
from gateway.protocol.http1_write import write_request
from gateway.units import ByteCount, Seconds
from gateway.upstream.connection import Home, State
from gateway.upstream.deadlines import ExchangeDeadlines, Progress

log = Logger()


# Looked up here once: an attribute of an Enum costs several times a global.
_IDLE, _HEAD, _BODY, _TUNNEL, _CLOSED = State
_LENGTH_FRAMING, _CHUNKED_FRAMING, _CLOSE_FRAMING = Framing.LENGTH, Framing.CHUNKED, Framing.CLOSE
_LARGE: Final = ByteCount(131_072)  # so much still to come goes from socket to socket: that was cheaper from there on


class UpstreamConnection(PacedProtocol):
    """One connection to an upstream.

    Args:
        home: The pool it belongs to.

    Attributes:
        pooled: Whether it has been idle in the pool, where the upstream may have closed it unnoticed.
    """

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.home = home
        self.state = _IDLE
        self.exchanges = 0
        self.pooled = False
        self._sink: ResponseSink | None = None
        self._request: RequestHead | None = None
        self._buffer = b""
        self._content: ContentReader | None = None
        self._until_close = False
        self._request_chunked = False
        self._request_done = True
        self._reusable = False
        self._informational = 0
        self._continued = False
        self._received = 0
        self._sent = 0
        self._deadlines = ExchangeDeadlines()

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

    def dataReceived(self, data: bytes) -> None:
        """Take octets from the upstream."""
        state, sink = self.state, self._sink
        try:
            if state is _HEAD:
                self._head_received(self._buffer + data if self._buffer else data)
            elif state is _BODY:
                self._body_received(data)
            elif state is _TUNNEL:
                self._received += len(data)
                if sink is not None:
                    sink.send_data(data, False)
            elif state is _IDLE:
                self._drop()
        except ProtocolError as error:
            self._fail_both(sink, ResponseInvalid(str(error)))
        except GatewayError as error:
            self._fail_both(sink, error)
        except Exception:
            log.failure("a response of {upstream} could not be passed on", upstream=self.home.name)
            self._fail_both(sink, GatewayError("the response could not be passed on"))

    def readConnectionLost(self) -> None:
        """Learn that the upstream will send no more (IHalfCloseableProtocol)."""
        if self.state is _TUNNEL:
            sink, self._sink = self._sink, None
            if sink is not None:
                sink.send_data(b"", True)
            if self._request_done:
                self._drop()
        else:
            self._ended(clean=True)
            self._drop()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone."""
        self.home.sweeper.remove(self)
        self.home.forget(self)
        self.let_go()
        self._ended(clean=reason is not None and isinstance(reason.value, ConnectionDone))
        self.state = _CLOSED

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
        self, sink: ResponseSink, head: RequestHead, target: bytes, host: bytes, fields: bytes, data: bytes, end: bool
    ) -> None:
        """Begin an exchange with the head and the content that came along, in one write.

        Args:
            sink: Who takes the response.
            head: The client's request; gives method, framing, expectation and upgrade.
            target: Request target to send.
            host: Host to send.
            fields: All other end-to-end field lines to send.
            data: First content, without framing.
            end: Whether that is all of it.
        """
        self._sink = sink
        self._request = head
        self.state = _HEAD
        self.exchanges += 1
        self._received = self._sent = 0
        self._informational = 0
        self._continued = False
        self._request_done = end
        self._request_chunked = head.framing is _CHUNKED_FRAMING
        self._write(write_request(head, target, host, fields, data, end))

    def send_data(self, data: bytes, end: bool) -> None:
        """Send request content, or opaque octets in a tunnel."""
        self._sent += len(data)
        if self.state is _TUNNEL:
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
        if self._sink is not None or self.state is _TUNNEL:
            self._sink = None
            self._drop(abort=True)

    def pause_body(self) -> None:
        """Stop the response's content; of no effect once it is complete, for the connection may be idle by then."""
        if self._sink is not None:
            self.pause_reading()

    def resume_body(self) -> None:
        """Let the response's content come again."""
        self.resume_reading()

    # Responses.

    def _head_received(self, data: bytes) -> None:
        request, sink = self._request, self._sink
        if request is None or sink is None:
            return
        self._received += len(data)
        while True:
            head = parse_response(data, self.home.limits.head, request.method)
            if head is None:
                self._buffer = data
                return
            data = data[head.size :]
            if head.status >= 200 or head.status == 101:
                break
            self._pass_informational(head, request, sink)
        self._buffer = b""
        if head.status == 101:
            self._open_tunnel(head, data, request, sink)
            return
        self._reusable = head.keep_alive
        if head.framing is _LENGTH_FRAMING and head.content_length == len(data):  # nothing to read, nothing behind it
            self._finish()
            sink.send_head(head, data, True)
            return
        self._until_close = head.framing is _CLOSE_FRAMING
        self.state = _BODY
        reader = self._content
        if reader is None:
            reader = self._content = ContentReader(self.home.limits.head)
        reader.begin(head.framing, head.content_length or 0)
        content, end, trailers = self._read_content(reader, data)
        sink.send_head(head, content, end and not trailers)
        if trailers:
            sink.send_trailers(trailers)
        elif not end and reader.left >= _LARGE and self.home.pipes is not None:
            output = sink.bulk()
            if output is not None and self._sink is sink:
                splice(self._transport, output, self, self.home.pipes)

    def _pass_informational(self, head: ResponseHead, request: RequestHead, sink: ResponseSink) -> None:
        self._informational += 1
        if self._informational > self.home.limits.informational:
            raise ResponseInvalid("too many informational responses")
        if head.status == 100:
            if self._continued or not request.expects_continue:
                return
            self._continued = True
        sink.send_informational(head)

    def _open_tunnel(self, head: ResponseHead, data: bytes, request: RequestHead, sink: ResponseSink) -> None:
        if request.upgrade != b"websocket" or head.upgrade != b"websocket":
            raise ResponseInvalid("101 to a request without Upgrade (RFC 9110 §15.2.2)")
        self.state = _TUNNEL
        self._request_done = False
        sink.send_head(head, data, False)

    def _read_content(self, reader: ContentReader, data: bytes) -> tuple[bytes, bool, bytes]:
        """Take content, its end and its trailers out of `data`; at the end the exchange is over.

        Octets behind the end make the connection unusable.
        """
        content = reader.receive(data)
        if not reader.done:
            return content, False, b""
        if reader.rest:
            self._reusable = False
        trailers = reader.trailers
        reader.forget()
        self._finish()
        return content, True, trailers

    def _body_received(self, data: bytes) -> None:
        sink, reader = self._sink, self._content
        if sink is None or reader is None:
            return
        self._received += len(data)
        content, end, trailers = self._read_content(reader, data)
        if content or (end and not trailers):
            sink.send_data(content, end and not trailers)
        if trailers:
            sink.send_trailers(trailers)

    # Large content, which goes from socket to socket (`SpliceOwner`).

    @property
    def content_left(self) -> int:
        """How many octets of content are still to come from the socket."""
        return 0 if self._content is None else self._content.left

    def content_moved(self, count: int) -> None:
        """Learn that so many of them have come."""
        self._received += count
        if self._content is not None:
            self._content.skip(count)

    def content_complete(self, more: bool) -> None:
        """Learn that all of it has gone out, and whether something came behind it, which nobody asked for."""
        if more:
            self._reusable = False
        self.dataReceived(b"")

    def _finish(self) -> None:
        """End the exchange: back to the pool, or closed where another one would not be safe."""
        self._sink = self._request = None
        if self._reusable and self._request_done and not self.writing_paused:
            if self.reading_paused:
                self.resume_reading()
            self.state = _IDLE
            if self.home.put_back(self):
                return
        self._drop(abort=not self._request_done)

    def _ended(self, clean: bool) -> None:
        """Judge what the end of the connection means for the exchange under way."""
        sink = self._sink
        if sink is None:
            return
        ends_by_close = self.state is _TUNNEL or (self.state is _BODY and self._until_close)
        if ends_by_close and clean:
            self._sink = None
            sink.send_data(b"", True)
        elif self.state in (_BODY, _TUNNEL):
            self.fail(ResponseIncomplete(f"{self.home.name} closed in the middle of its response"))
        elif self._received:
            self.fail(ResponseInvalid(f"{self.home.name} closed in the middle of its response head"))
        else:
            error = ConnectionReset(f"{self.home.name} closed the connection without an answer")
            error.retryable = self.pooled
            self.fail(error)

    def fail(self, error: GatewayError) -> None:
        """End the exchange under way with an error."""
        sink, self._sink = self._sink, None
        self._drop(abort=True)
        if sink is not None:
            sink.fail(error)

    def _fail_both(self, sink: ResponseSink | None, error: GatewayError) -> None:
        """Fail the exchange whose octets were at fault, and the next one if that has the connection already."""
        self.fail(error)
        if sink is not None:
            sink.fail(error)

    def _drop(self, abort: bool = False) -> None:
        """Close the connection; it is never used again."""
        if self.state is _CLOSED:
            return
        self.state = _CLOSED
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
        in_head = self.state is _HEAD
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
        return self.state is _CLOSED or self._sink is None
