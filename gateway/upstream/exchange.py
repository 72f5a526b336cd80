"""The HTTP/1.1 client side of one exchange: an upstream connection as a `ClientStream` (RFC 9112).

    state    meaning                                        next
    IDLE     in the pool; any octet is an error              HEAD, CLOSED
    HEAD     a request is out, the response's head is not in  BODY, TUNNEL, IDLE, CLOSED
    BODY     response content is coming                      IDLE, CLOSED
    TUNNEL   opaque octets both ways after a 101             CLOSED
    CLOSED   the transport is gone or being closed

The connection returns to the pool before it reports the end of the response.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, cast

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.errors import (
    ConnectionReset,
    GatewayError,
    ProtocolError,
    ResponseIncomplete,
    ResponseInvalid,
    ResponseStalled,
    ResponseTimeout,
)
from gateway.http.known import TE
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.http.stream import ResponseSink
from gateway.net.endpoints import write_buffer_size
from gateway.net.stream_transport import UNCONNECTED, StreamTransport
from gateway.net.sweeper import Stillness, Sweeper
from gateway.protocol.chunked import ChunkedDecoder, encode_content, encode_last_chunk
from gateway.protocol.http1_fields import HeadLimits
from gateway.protocol.http1_head import parse_response
from gateway.units import ByteCount, Seconds

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeLimits:
    """What an upstream may cost.

    Attributes:
        head: Limits of a response's head.
        response_timeout: From the last progress of the request to the response's head.
        idle_timeout: How long content may stand still, either way.
        keep_alive: How long an idle connection is kept.
        informational: Number of 1xx responses to one request.
    """

    head: HeadLimits = field(
        default_factory=lambda: HeadLimits(size=ByteCount(64_000), line=ByteCount(8_000), count=200)
    )
    response_timeout: Seconds = Seconds(60)
    idle_timeout: Seconds = Seconds(60)
    keep_alive: Seconds = Seconds(50)
    informational: int = 32


class State(Enum):
    """See the table in the module's docstring."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    TUNNEL = "tunnel"
    CLOSED = "closed"


# Looked up here once: an attribute of an Enum costs several times a global.
_IDLE, _HEAD, _BODY, _TUNNEL, _CLOSED = State
_NONE_FRAMING, _LENGTH_FRAMING, _CHUNKED_FRAMING, _CLOSE_FRAMING = Framing


class Home(Protocol):
    """Where connections live between exchanges; implemented by `upstream.pool.Upstream`."""

    name: str
    limits: ExchangeLimits
    sweeper: Sweeper

    def put_back(self, connection: UpstreamConnection) -> bool:
        """Take a connection that may be used again; False where it is to be closed."""

    def forget(self, connection: UpstreamConnection) -> None:
        """Drop a connection that is gone."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class UpstreamConnection(TwistedProtocol):
    """One connection to an upstream.

    Args:
        home: The pool it belongs to.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.state = _IDLE
        self.exchanges = 0
        self._sink: ResponseSink | None = None
        self._request: RequestHead | None = None
        self._transport: StreamTransport = UNCONNECTED
        self._write = UNCONNECTED.write
        self._buffer = b""
        self._remaining = 0
        self._decoder: ChunkedDecoder | None = None
        self._framing = _NONE_FRAMING
        self._request_chunked = False
        self._request_done = True
        self._reusable = False
        self._informational = 0
        self._continued = False
        self._received = 0
        self._sent = 0
        self._reading_paused = False
        self._writing_paused = False
        self._stillness = Stillness()

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
        self._transport = cast("StreamTransport", self.transport)
        self._write = self._transport.write
        self._transport.registerProducer(self, True)
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

    def writeConnectionLost(self) -> None:
        """Ignore that our own half is closed (IHalfCloseableProtocol)."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone."""
        self.home.sweeper.remove(self)
        self.home.forget(self)
        self._transport = UNCONNECTED
        self._write = UNCONNECTED.write
        self._ended(clean=reason is not None and isinstance(reason.value, ConnectionDone))
        self.state = _CLOSED

    def pauseProducing(self) -> None:
        """Stop the request's content: the upstream reads slowly (IPushProducer)."""
        self._writing_paused = True
        if self._sink is not None:
            self._sink.pause_body()

    def resumeProducing(self) -> None:
        """Let the request's content come again (IPushProducer)."""
        self._writing_paused = False
        if self._sink is not None:
            self._sink.resume_body()

    def stopProducing(self) -> None:
        """Ignore: `connectionLost` follows (IPushProducer)."""

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
        if head.framing is _NONE_FRAMING:
            framing = b""
            self._request_chunked = False
        elif head.framing is _LENGTH_FRAMING:
            framing = b"Content-Length: %d\r\n" % head.content_length
            self._request_chunked = False
        else:
            framing = b"Transfer-Encoding: chunked\r\n"
            self._request_chunked = True
            data = encode_content(data, end)
        if head.upgrade or head.expects_continue or head.known & TE:
            framing += _connection_fields(head)
        self._write(b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b\r\n%b" % (head.method, target, host, fields, framing, data))

    def send_data(self, data: bytes, end: bool) -> None:
        """Send request content, or opaque octets in a tunnel."""
        self._sent += len(data)
        if self.state is _TUNNEL:
            self._write(data)
            if end and self._sink is None:
                self._drop(abort=self._writing_paused)
            elif end:
                self._request_done = True
                self._transport.loseWriteConnection()
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

    def reset(self, error: GatewayError) -> None:
        """Give the exchange up: the connection is closed, the sink is not called again.

        A tunnel whose far half is closed has no sink any more, but still a connection.
        """
        if self._sink is not None or self.state is _TUNNEL:
            self._sink = None
            self._drop(abort=True)

    def pause_body(self) -> None:
        """Stop the response's content; of no effect once it is complete, for the connection may be idle by then."""
        if not self._reading_paused and self._sink is not None:
            self._reading_paused = True
            self._transport.pauseProducing()

    def resume_body(self) -> None:
        """Let the response's content come again."""
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resumeProducing()

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
        self._framing = head.framing
        self.state = _BODY
        if head.framing is _LENGTH_FRAMING:
            self._remaining = head.content_length or 0
        elif head.framing is _CHUNKED_FRAMING:
            self._decoder = ChunkedDecoder(self.home.limits.head)
        content, end = self._content(data)
        if end:
            decoder, trailers = self._decoder, b""
            if decoder is not None:
                trailers = decoder.trailers
            self._finish()
            if trailers:
                sink.send_head(head, content, False)
                sink.send_trailers(trailers)
                return
        sink.send_head(head, content, end)

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

    def _content(self, data: bytes) -> tuple[bytes, bool]:
        """Take the response's content out of `data`; octets behind its end make the connection unusable."""
        framing = self._framing
        if framing is _LENGTH_FRAMING:
            size = len(data)
            if size < self._remaining:
                self._remaining -= size
                return data, False
            if size > self._remaining:
                self._reusable = False
                data = data[: self._remaining]
            return data, True
        if framing is _CHUNKED_FRAMING and self._decoder is not None:
            content = self._decoder.receive(data)
            if self._decoder.done and self._decoder.rest:
                self._reusable = False
            return content, self._decoder.done
        if framing is _NONE_FRAMING:
            if data:
                self._reusable = False
            return b"", True
        return data, False

    def _body_received(self, data: bytes) -> None:
        sink = self._sink
        if sink is None:
            return
        self._received += len(data)
        content, end = self._content(data)
        if end:
            trailers = self._decoder.trailers if self._decoder is not None else b""
            self._finish()
            if trailers:
                if content:
                    sink.send_data(content, False)
                sink.send_trailers(trailers)
                return
        if content or end:
            sink.send_data(content, end)

    def _finish(self) -> None:
        """End the exchange: back to the pool, or closed where another one would not be safe."""
        self._sink = self._request = self._decoder = None
        if self._reusable and self._request_done and not self._writing_paused:
            self.resume_body()
            self.state = _IDLE
            if self.home.put_back(self):
                return
        self._drop(abort=not self._request_done)

    def _ended(self, clean: bool) -> None:
        """Judge what the end of the connection means for the exchange under way."""
        sink = self._sink
        if sink is None:
            return
        ends_by_close = self.state is _TUNNEL or (self.state is _BODY and self._framing is _CLOSE_FRAMING)
        if ends_by_close and clean:
            self._sink = None
            sink.send_data(b"", True)
        elif self.state in (_BODY, _TUNNEL):
            self._fail(ResponseIncomplete(f"{self.home.name} closed in the middle of its response"))
        elif self._received:
            self._fail(ResponseInvalid(f"{self.home.name} closed in the middle of its response head"))
        else:
            error = ConnectionReset(f"{self.home.name} closed the connection without an answer")
            error.retryable = self.exchanges > 1
            self._fail(error)

    def _fail(self, error: GatewayError) -> None:
        sink, self._sink = self._sink, None
        self._drop(abort=True)
        if sink is not None:
            sink.fail(error)

    def _fail_both(self, sink: ResponseSink | None, error: GatewayError) -> None:
        """Fail the exchange whose octets were at fault, and the next one if that has the connection already."""
        self._fail(error)
        if sink is not None:
            sink.fail(error)

    def _drop(self, abort: bool = False) -> None:
        """Close the connection; it is never used again."""
        if self.state is _CLOSED:
            return
        self.state = _CLOSED
        self._request = self._decoder = None
        self._buffer = b""
        self.home.forget(self)
        self._transport.unregisterProducer()
        if abort:
            self._transport.abortConnection()
        else:
            self._transport.loseConnection()

    def close(self) -> None:
        """Close an idle connection."""
        self._drop()

    # Deadlines.

    def sweep(self, now: Seconds) -> None:
        """Act on what has stood still for too long."""
        limits = self.home.limits
        state = self.state
        if state is _IDLE:
            if self._stillness.lasted(("idle", self.exchanges), now) >= limits.keep_alive:
                self._drop()
        elif state is _CLOSED or self._sink is None:
            if self._stillness.lasted("closing", now) >= limits.idle_timeout:
                self._drop()
                self._transport.abortConnection()
        elif state is _TUNNEL or self._reading_paused:
            self._stillness.lasted(None, now)
        else:
            self._sweep_exchange(now)

    def _sweep_exchange(self, now: Seconds) -> None:
        limits = self.home.limits
        waiting = write_buffer_size(self._transport) if self._writing_paused else 0
        in_head = self.state is _HEAD
        progress = self._informational if in_head else self._received  # a head that drips is no progress
        mark = (self.exchanges, in_head, progress, self._sent, self._request_done, waiting)
        still = self._stillness.lasted(mark, now)
        if not in_head or waiting:
            if still >= limits.idle_timeout:
                self._fail(ResponseStalled(f"{self.home.name} stood still for {limits.idle_timeout:g} s"))
        elif still >= limits.response_timeout and (self._request_done or self._is_awaited()):
            self._fail(ResponseTimeout(f"{self.home.name} sent no answer for {limits.response_timeout:g} s"))

    def _is_awaited(self) -> bool:
        """Tell whether the client waits for 100 (Continue); otherwise unsent content is the front end's matter."""
        request = self._request
        return request is not None and request.expects_continue and not self._continued and not self._sent


def _connection_fields(head: RequestHead) -> bytes:
    fields = b""
    if head.expects_continue:
        fields += b"Expect: 100-continue\r\n"
    if head.upgrade == b"websocket":
        return fields + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    if head.known & TE and head.takes_trailers:
        fields += b"TE: trailers\r\nConnection: TE\r\n"
    return fields
