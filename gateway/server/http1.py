"""The HTTP/1.1 front connection: keep-alive, pipelining order, deadlines, back-pressure (RFC 9112 §9).

The connection is the `ServerStream` of its one current exchange.

    state    meaning                                     next
    IDLE     no exchange; perhaps part of a head          BODY, WAIT, LINGER, CLOSED
    BODY     request content is coming                    WAIT, TUNNEL, LINGER, CLOSED
    WAIT     request complete, the response is not        IDLE, TUNNEL, LINGER, CLOSED
    TUNNEL   opaque octets both ways after a 101          LINGER, CLOSED
    LINGER   all is sent; what still comes is discarded   CLOSED
    CLOSED   the transport is gone
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, cast

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.errors import ClientDisconnected, ClientTimeout, GatewayError, ProtocolError
from gateway.http.known import DATE, TE
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.http.stream import DISCARD, PeerAddress, StreamHandler, StreamServer
from gateway.net.endpoints import write_buffer_size
from gateway.net.stream_transport import UNCONNECTED, StreamTransport
from gateway.net.sweeper import Stillness, Sweeper
from gateway.protocol.chunked import ChunkedDecoder, encode_content, encode_last_chunk
from gateway.protocol.http1_fields import HeadLimits
from gateway.protocol.http1_head import parse_request, skip_blank_lines
from gateway.units import ByteCount, Seconds

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a client may cost.

    Attributes:
        head: Limits of a request's head.
        header_time: From a head's first octet (or from connecting) to its last.
        keep_alive: How long a connection may idle between requests.
        body_idle: How long request content may stand still.
        body_rate: Octets per second that request content must reach on average after `body_rate_after`.
        body_rate_after: Time before the rate is judged.
        write_idle: How long the client may read nothing of what waits for it.
        linger: How long and to how many octets a closed exchange is still read, so that the client sees the answer.
        pipelined: Octets of further requests kept while one is answered.
    """

    head: HeadLimits = field(default_factory=HeadLimits)
    header_time: Seconds = Seconds(15)
    keep_alive: Seconds = Seconds(60)
    body_idle: Seconds = Seconds(60)
    body_rate: float = 100.0
    body_rate_after: Seconds = Seconds(30)
    write_idle: Seconds = Seconds(60)
    linger: Seconds = Seconds(2)
    linger_size: ByteCount = ByteCount(1_000_000)
    pipelined: ByteCount = ByteCount(64_000)


class State(Enum):
    """See the table in the module's docstring."""

    IDLE = "idle"
    BODY = "body"
    WAIT = "wait"
    TUNNEL = "tunnel"
    LINGER = "linger"
    CLOSED = "closed"


# Looked up here once: an attribute of an Enum costs several times a global.
_IDLE, _BODY, _WAIT, _TUNNEL, _LINGER, _CLOSED = State
_LENGTH_FRAMING, _NONE_FRAMING = Framing.LENGTH, Framing.NONE


class FrontDoor(Protocol):
    """What connections share; implemented by `server.listener.Front`."""

    core: StreamServer
    limits: ConnectionLimits
    sweeper: Sweeper
    date_line: bytes
    stopping: bool

    def opened(self, connection: HTTP1Connection) -> GatewayError | None:
        """Count a connection; an error refuses it."""

    def closed(self, connection: HTTP1Connection) -> None:
        """Forget a connection."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class HTTP1Connection(TwistedProtocol):
    """One downstream connection.

    Args:
        front: What the connections of a listener share.
        peer: The other end.
        local_port: Port the client connected to.
        secure: Whether TLS is spoken.
        trusted: Whether the other end is a trusted proxy.
        forwarded: X-Forwarded-For, -Proto and -Port lines, made once.
    """

    def __init__(
        self, front: FrontDoor, peer: PeerAddress, local_port: int, *, secure: bool, trusted: bool, forwarded: bytes
    ) -> None:
        self.front = front
        self.peer = peer
        self.local_port = local_port
        self.secure = secure
        self.trusted = trusted
        self.forwarded = forwarded
        self.handler: StreamHandler = DISCARD
        self.state = _IDLE
        self.head: RequestHead | None = None
        self.exchanges = 0
        self._parse_limits = front.limits.head
        self._handle = front.core.handle
        self._transport: StreamTransport = UNCONNECTED
        self._write = UNCONNECTED.write
        self._buffer = b""
        self._remaining = 0
        self._decoder: ChunkedDecoder | None = None
        self._feeding = False
        self._keep_alive = True
        self._chunked = False
        self._responding = False
        self._broken = False
        self._client_done = False
        self._over = False
        self._body_octets = 0
        self._octets_before = 0
        self._awaits_continue = False
        self._reading_paused = False
        self._writing_paused = False
        self._stillness = Stillness()
        self._body_since = Stillness()

    # The transport's side.

    def connectionMade(self) -> None:
        """Register for back-pressure and deadlines, or refuse the connection."""
        self._transport = cast("StreamTransport", self.transport)
        self._write = self._transport.write
        self._transport.registerProducer(self, True)
        self.front.sweeper.add(self)
        refusal = self.front.opened(self)
        if refusal is not None:
            self.refuse_connection(refusal)

    def dataReceived(self, data: bytes) -> None:
        """Take octets from the client; a bug met on the way ends this exchange only."""
        try:
            state = self.state
            if state is _IDLE:
                if self._buffer:
                    data = self._buffer + data
                self._feed(data)
            elif state is _BODY:
                self._body_received(data)
            elif state is _TUNNEL:
                self._body_octets += len(data)
                self.handler.data_received(data, False)
            elif state is _WAIT:
                self._buffer += data
                if len(self._buffer) > self.front.limits.pipelined:
                    self._pause_reading()
            elif state is _LINGER:
                self._body_octets += len(data)
                if self._body_octets > self.front.limits.linger_size:
                    self._abort()
        except Exception:
            log.failure("what a client sent could not be handled")
            self._feeding = False
            if self.handler is DISCARD:
                self._abort()
            else:
                self._break(GatewayError("what the client sent could not be handled"))

    def readConnectionLost(self) -> None:
        """Learn that the client will send no more (IHalfCloseableProtocol)."""
        self._client_done = True
        if self.state is _TUNNEL:
            self.handler.data_received(b"", True)
        elif self.state in (_BODY, _WAIT):
            self.state = _LINGER
            handler, self.handler = self.handler, DISCARD
            handler.stream_lost(ClientDisconnected("the client closed before its answer was complete"))
            self._close()
        else:
            self._close()

    def writeConnectionLost(self) -> None:
        """Ignore that our own half is closed (IHalfCloseableProtocol)."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone."""
        busy = self.state in (_BODY, _WAIT, _TUNNEL)
        self.state = _CLOSED
        self.front.sweeper.remove(self)
        self.front.closed(self)
        self._buffer = b""
        self._transport = UNCONNECTED
        self._write = UNCONNECTED.write
        handler, self.handler = self.handler, DISCARD
        if busy:
            handler.stream_lost(ClientDisconnected("the client closed before its answer was complete"))

    def pauseProducing(self) -> None:
        """Stop sending: the client reads slowly (IPushProducer)."""
        self._writing_paused = True
        self.handler.pause_writing()

    def resumeProducing(self) -> None:
        """Send again (IPushProducer)."""
        self._writing_paused = False
        if self._over:
            self._exchange_over()
        else:
            self.handler.resume_writing()

    def stopProducing(self) -> None:
        """Ignore: `connectionLost` follows (IPushProducer)."""

    def refuse_connection(self, error: GatewayError) -> None:
        """Answer a connection too many and close."""
        self._refuse(error)

    # Requests.

    def _feed(self, data: bytes) -> None:
        """Take octets while no exchange is under way; one after the other, never nested."""
        self._feeding = True
        while data and self.state is _IDLE:
            self._buffer = b""
            try:
                if data[:2] == b"\r\n":
                    data = skip_blank_lines(data)
                head = parse_request(data, self._parse_limits)
            except ProtocolError as error:
                self._refuse(error)
                break
            if head is None:
                self._buffer = data
                break
            self._begin(head, data)
            data = self._buffer
        self._feeding = False

    def _begin(self, head: RequestHead, data: bytes) -> None:
        self.exchanges += 1
        self.head = head
        self._keep_alive = head.keep_alive
        self._responding = self._chunked = False
        framing = head.framing
        if framing is _NONE_FRAMING:
            self.state = _WAIT
            self._buffer = data[head.size :]
            self._handle(self, head, b"", True)
            return
        self.state = _BODY
        self._body_octets = self._octets_before = 0
        self._awaits_continue = head.expects_continue
        if framing is _LENGTH_FRAMING:
            self._remaining = head.content_length
            self._decoder = None
        else:
            self._decoder = ChunkedDecoder(self._parse_limits)
        try:
            content, end = self._content(data[head.size :])
        except ProtocolError as error:
            self._refuse(error)
            return
        decoder = self._decoder
        if decoder is not None and decoder.trailers:
            self._handle(self, head, content, False)
            self.handler.trailers_received(decoder.trailers)
        else:
            self._handle(self, head, content, end)

    def _content(self, data: bytes) -> tuple[bytes, bool]:
        """Take the request's content out of `data`; what follows it goes to the buffer."""
        if self._decoder is None:
            if len(data) < self._remaining:
                self._remaining -= len(data)
                self._body_octets += len(data)
                return data, False
            content = data[: self._remaining]
            self._buffer = data[self._remaining :]
        else:
            content = self._decoder.receive(data)
            if not self._decoder.done:
                self._body_octets += len(data)
                return content, False
            self._buffer = self._decoder.rest
        self.state = _WAIT
        return content, True

    def _body_received(self, data: bytes) -> None:
        try:
            content, end = self._content(data)
        except ProtocolError as error:
            self._break(error)
            return
        decoder, handler = self._decoder, self.handler
        if end and decoder is not None and decoder.trailers:
            if content:
                handler.data_received(content, False)
            handler.trailers_received(decoder.trailers)
        elif content or end:
            handler.data_received(content, end)

    def _refuse(self, error: GatewayError) -> None:
        """Answer what is not a request and close."""
        self._keep_alive = False
        self._broken = True
        self.state = _WAIT
        self._buffer = b""
        self._responding = self._chunked = False
        head, self.head = self.head, None
        self.front.core.refuse(self, error, head if self.exchanges else None)

    def _break(self, error: GatewayError) -> None:
        """Answer content that breaks the protocol: an error page where the response has not begun, else a cut."""
        self._keep_alive = False
        self._broken = True
        self.state = _WAIT
        self._buffer = b""
        self.handler.stream_broken(error)

    # Responses: ServerStream.

    def send_informational(self, head: ResponseHead) -> None:
        """Send a 1xx head; dropped where the client speaks HTTP/1.0."""
        if self.head is not None and self.head.version == 1 and not self._responding:
            if head.status == 100:
                self._awaits_continue = False
            self._write(b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, head.fields))

    def send_head(self, head: ResponseHead, extra: bytes, data: bytes, end: bool) -> None:
        """Send the head with `extra` field lines, the first content, and perhaps the end, in one write."""
        status = head.status
        if status == 101:
            self._open_tunnel(head, extra, data)
            return
        self._responding = True
        request = self.head
        if request is not None and request.upgrade:
            self._keep_alive = False  # a client that asked to switch sends no second request here
        if not head.known & DATE:
            extra += self.front.date_line
        length = head.content_length
        http11 = request is None or request.version == 1
        if status in _NO_CONTENT or (request is not None and request.method == b"HEAD"):
            data = b""
            framing = b"Content-Length: %d\r\n" % length if length is not None and status != 204 else b""
        elif length is not None:
            framing = b"Content-Length: %d\r\n" % length
        elif end:
            framing = b"Content-Length: %d\r\n" % len(data)
        elif http11:
            self._chunked = True
            framing = b"Transfer-Encoding: chunked\r\n"
            data = encode_content(data, False)
        else:
            self._keep_alive = False
            framing = b""
        if self.state is _BODY or self.front.stopping:
            self._keep_alive = False
        if not self._keep_alive:
            framing += b"Connection: close\r\n"
        elif not http11:
            framing += b"Connection: keep-alive\r\n"
        self._write(b"HTTP/1.1 %d %b\r\n%b%b%b\r\n%b" % (status, head.reason, head.fields, extra, framing, data))
        if end:
            self._exchange_over()

    def send_data(self, data: bytes, end: bool) -> None:
        """Send content."""
        if self._chunked:
            data = encode_content(data, end)
        if data:
            self._write(data)
        if end:
            if self.state is _TUNNEL:
                self._linger()
            else:
                self._exchange_over()

    def send_trailers(self, block: bytes) -> None:
        """Send a trailer section, where the client takes one, and end the message."""
        if self._chunked:
            wanted = self.head is not None and self.head.known & TE and self.head.takes_trailers
            self._write(encode_last_chunk(block if wanted else b""))
        self._exchange_over()

    def reset(self, error: GatewayError) -> None:
        """Give the exchange up so that the client cannot take it for complete."""
        self.handler = DISCARD
        self._abort()

    def pause_body(self) -> None:
        """Stop the client's content."""
        self._pause_reading()

    def resume_body(self) -> None:
        """Let the client's content come again."""
        self._resume_reading()

    def _open_tunnel(self, head: ResponseHead, extra: bytes, data: bytes) -> None:
        self._keep_alive = False
        self.state = _TUNNEL
        rest, self._buffer = self._buffer, b""
        self._write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %b\r\n%b%b\r\n%b"
            % (head.upgrade, head.fields, extra, data)
        )
        self._resume_reading()
        if rest:
            self.handler.data_received(rest, False)

    def _exchange_over(self) -> None:
        """Go on with the next request, or close."""
        self.handler = DISCARD
        if self.state is _BODY or self._broken or (self._buffer and not self._keep_alive):
            self._linger()
        elif not self._keep_alive or self.front.stopping:
            self.state = _LINGER
            self._close()
        elif self._writing_paused:
            self._over = True  # a client that only sends must not make the answers pile up here
        elif self.state is _WAIT:
            self._over = False
            self.state = _IDLE
            self.head = None
            self._decoder = None
            self._resume_reading()
            if self._buffer and not self._feeding:
                self._feed(self._buffer)

    # Closing.

    def close_when_idle(self) -> None:
        """Close now if no exchange is under way, else after the current one."""
        if self.state is _IDLE:
            self.state = _LINGER
            self._close()
        else:
            self._keep_alive = False

    def abort(self) -> None:
        """Cut the connection."""
        self._abort()

    def _linger(self) -> None:
        """Close our half and discard what still comes, lest a reset takes the answer away (RFC 9112 §9.6)."""
        self.state = _LINGER
        self._body_octets = 0
        self._buffer = b""
        self._resume_reading()
        self._transport.unregisterProducer()
        if self._client_done:
            self._transport.loseConnection()
        else:
            self._transport.loseWriteConnection()

    def _close(self) -> None:
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def _abort(self) -> None:
        self._transport.abortConnection()

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pauseProducing()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resumeProducing()

    # Deadlines.

    def sweep(self, now: Seconds) -> None:
        """Act on what has stood still for too long."""
        limits = self.front.limits
        state = self.state
        waiting = write_buffer_size(self._transport) if self._writing_paused or state is _LINGER else 0
        if waiting:
            if self._stillness.lasted(("write", waiting), now) >= limits.write_idle:
                self._expire(ClientTimeout(f"the client read nothing for {limits.write_idle:g} s"))
        elif state is _IDLE:
            begun = bool(self._buffer) or not self.exchanges
            limit = limits.header_time if begun else limits.keep_alive
            if self._stillness.lasted(("head", begun, self.exchanges), now) >= limit:
                if self._buffer:
                    self._refuse(ProtocolError(f"no complete head within {limit:g} s", 408))
                else:
                    self.state = _LINGER
                    self._close()
        elif state is _BODY and not self._reading_paused:
            self._sweep_body(now)
        elif state is _LINGER:
            lingered = self._stillness.lasted(("linger",), now)
            if lingered >= 2 * limits.linger:
                self._abort()
            elif lingered >= limits.linger:
                self._close()  # not by a reset, which would take what the kernel still has to send
        else:
            self._stillness.lasted(None, now)
            self._body_since.lasted(None, now)  # a pause is not the client's: afterwards its rate is judged anew
            self._octets_before = self._body_octets

    def _sweep_body(self, now: Seconds) -> None:
        limits = self.front.limits
        octets = self._body_octets
        if self._awaits_continue and not octets:
            self._stillness.lasted(None, now)  # the client waits for the leaf, whose deadlines hold
            return
        whole = self._body_since.lasted(self.exchanges, now)
        octets -= self._octets_before
        if self._stillness.lasted(("body", self.exchanges, octets), now) >= limits.body_idle:
            self._break(ProtocolError(f"request content stood still for {limits.body_idle:g} s", 408))
        elif whole >= limits.body_rate_after and octets < limits.body_rate * whole:
            self._break(ProtocolError(f"request content below {limits.body_rate:g} octets/s", 408))

    def _expire(self, error: ClientTimeout) -> None:
        handler, self.handler = self.handler, DISCARD
        handler.stream_lost(error)
        self._abort()


_NO_CONTENT = frozenset((*range(100, 200), 204, 304))
