"""The HTTP/1.1 front connection: keep-alive, pipelining order, deadlines, back-pressure (RFC 9112 §9).

The connection is the `ServerStream` of its one current exchange.

The states and their changes stand in `gateway.server.connection`, the deadlines in `gateway.server.deadlines`.
"""

from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import ClientDisconnected, ClientTimeout, GatewayError, ProtocolError
from gateway.http.known import DATE, TE
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.http.prepared import FinishedAnswer
from gateway.http.stream import DISCARD, PeerAddress, StreamHandler
from gateway.net.paced_protocol import PacedProtocol
from gateway.protocol.chunked import encode_content, encode_last_chunk
from gateway.protocol.content import ContentReader
from gateway.protocol.http1_head import parse_request, skip_blank_lines
from gateway.protocol.http1_write import write_finished, write_informational, write_response, write_switch
from gateway.server.connection import FrontDoor, State
from gateway.server.deadlines import ClientDeadlines
from gateway.units import Seconds

log = Logger()


# Looked up here once: an attribute of an Enum costs several times a global.
_IDLE, _BODY, _WAIT, _TUNNEL, _LINGER, _CLOSED = State
_NONE_FRAMING = Framing.NONE


class HTTP1Connection(PacedProtocol):
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
        super().__init__()
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
        self._buffer = b""
        self._content: ContentReader | None = None
        self._feeding = False
        self._keep_alive = True
        self._chunked = False
        self._responding = False
        self._broken = False
        self._client_done = False
        self._over = False
        self.body_octets = 0
        self.awaits_continue = False
        self._deadlines = ClientDeadlines()

    # The transport's side.

    def connectionMade(self) -> None:
        """Register for back-pressure and deadlines, or refuse the connection."""
        super().connectionMade()
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
                self.body_octets += len(data)
                self.handler.data_received(data, False)
            elif state is _WAIT:
                self._buffer += data
                if len(self._buffer) > self.front.limits.pipelined:
                    self.pause_reading()
            elif state is _LINGER:
                self.body_octets += len(data)
                if self.body_octets > self.front.limits.linger_size:
                    self.abort()
        except Exception:
            log.failure("what a client sent could not be handled")
            self._feeding = False
            if self.handler is DISCARD:
                self.abort()
            else:
                self.break_off(GatewayError("what the client sent could not be handled"))

    def readConnectionLost(self) -> None:
        """Learn that the client will send no more (IHalfCloseableProtocol)."""
        self._client_done = True
        if self.state is _TUNNEL:
            self.handler.data_received(b"", True)
        elif self.state in (_BODY, _WAIT):
            self.state = _LINGER
            handler, self.handler = self.handler, DISCARD
            handler.stream_lost(ClientDisconnected("the client closed before its answer was complete"))
            self.close()
        else:
            self.close()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone."""
        busy = self.state in (_BODY, _WAIT, _TUNNEL)
        self.state = _CLOSED
        self.front.closed(self)
        self._buffer = b""
        self.let_go()
        handler, self.handler = self.handler, DISCARD
        if busy:
            handler.stream_lost(ClientDisconnected("the client closed before its answer was complete"))

    def pauseProducing(self) -> None:
        """Stop sending: the client reads slowly (IPushProducer)."""
        self.writing_paused = True
        self.handler.pause_writing()

    def resumeProducing(self) -> None:
        """Send again (IPushProducer)."""
        self.writing_paused = False
        if self._over:
            self._exchange_over()
        else:
            self.handler.resume_writing()

    def refuse_connection(self, error: GatewayError) -> None:
        """Answer a connection too many and close."""
        self.refuse(error)

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
                self.refuse(error)
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
            self._handle(head, b"", True)
            return
        self.state = _BODY
        self.body_octets = 0
        self.awaits_continue = head.expects_continue
        reader = self._content = ContentReader(self._parse_limits)
        reader.begin(framing, head.content_length)
        try:
            content, end, trailers = self._read_content(reader, data[head.size :])
        except ProtocolError as error:
            self.refuse(error)
            return
        self._handle(head, content, end and not trailers)
        if trailers:
            self.handler.trailers_received(trailers)

    def _handle(self, head: RequestHead, data: bytes, end: bool) -> None:
        """Hand a request on."""
        self.front.core.handle(self, head, data, end)

    def _read_content(self, reader: ContentReader, data: bytes) -> tuple[bytes, bool, bytes]:
        """Take content, its end and its trailers out of `data`; what follows goes to the buffer."""
        content = reader.receive(data)
        if not reader.done:
            self.body_octets += len(data)
            return content, False, b""
        self.state = _WAIT
        self._buffer, trailers = reader.rest, reader.trailers
        self._content = None
        return content, True, trailers

    def _body_received(self, data: bytes) -> None:
        reader = self._content
        if reader is None:
            return
        try:
            content, end, trailers = self._read_content(reader, data)
        except ProtocolError as error:
            self.break_off(error)
            return
        handler = self.handler
        if content or (end and not trailers):
            handler.data_received(content, end and not trailers)
        if trailers:
            handler.trailers_received(trailers)

    def refuse(self, error: GatewayError) -> None:
        """Answer what is not a request and close."""
        self._keep_alive = False
        self._broken = True
        self.state = _WAIT
        self._buffer = b""
        self._responding = self._chunked = False
        head, self.head = self.head, None
        self.front.core.refuse(self, error, head if self.exchanges else None)

    def break_off(self, error: GatewayError) -> None:
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
                self.awaits_continue = False
            self._write(write_informational(head))

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
        if self.state is _BODY or self.front.stopping:
            self._keep_alive = False
        octets, self._chunked, self._keep_alive = write_response(
            head,
            extra,
            data,
            end,
            b"" if request is None else request.method,
            request is None or request.version == 1,
            self._keep_alive,
        )
        self._write(octets)
        if end:
            self._exchange_over()

    def send_finished(self, answer: FinishedAnswer, extra: bytes, whole: bool) -> None:
        """Send a response made beforehand; where something is out of the ordinary, as `send_head` does."""
        request, front = self.head, self.front
        usual = request is not None and request.version == 1 and not request.upgrade and not answer.head.known & DATE
        if not (usual and self._keep_alive and self.state is _WAIT) or front.stopping:
            self.send_head(answer.head, answer.lines + extra, answer.data if whole else b"", True)
            return
        self._responding = True
        self._write(write_finished(answer, extra + front.date_line, whole))
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
        self.abort()

    def pause_body(self) -> None:
        """Stop the client's content."""
        self.pause_reading()

    def resume_body(self) -> None:
        """Let the client's content come again."""
        self.resume_reading()

    def _open_tunnel(self, head: ResponseHead, extra: bytes, data: bytes) -> None:
        self._keep_alive = False
        self.state = _TUNNEL
        rest, self._buffer = self._buffer, b""
        self._write(write_switch(head, extra, data))
        self.resume_reading()
        if rest:
            self.handler.data_received(rest, False)

    def _exchange_over(self) -> None:
        """Go on with the next request, or close."""
        self.handler = DISCARD
        if self.state is _BODY or self._broken or (self._buffer and not self._keep_alive):
            self._linger()
        elif not self._keep_alive or self.front.stopping:
            self.state = _LINGER
            self.close()
        elif self.writing_paused:
            self._over = True  # a client that only sends must not make the answers pile up here
        elif self.state is _WAIT:
            self._over = False
            self.state = _IDLE
            self.head = None
            self.resume_reading()
            if self._buffer and not self._feeding:
                self._feed(self._buffer)

    # Closing.

    def close_when_idle(self) -> None:
        """Close now if no exchange is under way, else after the current one."""
        if self.state is _IDLE:
            self.state = _LINGER
            self.close()
        else:
            self._keep_alive = False

    def _linger(self) -> None:
        """Close our half and discard what still comes, lest a reset takes the answer away (RFC 9112 §9.6)."""
        self.state = _LINGER
        self.body_octets = 0
        self._buffer = b""
        self.resume_reading()
        if self._client_done:
            self.close()
        else:
            self._transport.unregisterProducer()
            self.half_close()

    # What the deadlines look at and do.

    def sweep(self, now: Seconds) -> None:
        """Act on what has stood still for too long."""
        self._deadlines.sweep(self, now)

    @property
    def begun(self) -> bool:
        """Whether part of a head is there, or the first one is awaited."""
        return bool(self._buffer) or not self.exchanges

    @property
    def has_partial_head(self) -> bool:
        """Whether part of a head is there."""
        return bool(self._buffer)

    @property
    def unsent(self) -> int:
        """Octets the client has not taken, where that matters."""
        if self.writing_paused or self.state is _LINGER:
            return self.waiting_octets()
        return 0

    def expire(self, error: ClientTimeout) -> None:
        """Give a client up that neither reads nor sends."""
        handler, self.handler = self.handler, DISCARD
        handler.stream_lost(error)
        self.abort()
