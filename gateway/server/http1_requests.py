"""The receiving half of an HTTP/1.1 front connection: what a client sends becomes requests, one after the other.

The sending half, and the whole, is `gateway.server.http1`.
"""

from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import ClientDisconnected, ClientTimeout, GatewayError, ProtocolError
from gateway.http.message import Framing, RequestHead
from gateway.http.stream import DISCARD, PeerAddress, StreamHandler
from gateway.net.paced_protocol import PacedProtocol
from gateway.protocol.content import ContentReader
from gateway.protocol.http1_head import parse_request, skip_blank_lines
from gateway.server.connection import BODY, CLOSED, IDLE, LINGER, TUNNEL, WAIT, FrontDoor
from gateway.server.deadlines import ClientDeadlines
from gateway.units import Seconds

log = Logger()


# Looked up here once: an attribute of an Enum costs several times a global.
_NONE_FRAMING = Framing.NONE


class HTTP1Requests(PacedProtocol):
    """What one downstream connection receives.

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
        self.state = IDLE
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
            if state is IDLE:
                if self._buffer:
                    data = self._buffer + data
                self._feed(data)
            elif state is BODY:
                self._body_received(data)
            elif state is TUNNEL:
                self.body_octets += len(data)
                self.handler.data_received(data, False)
            elif state is WAIT:
                self._buffer += data
                if len(self._buffer) > self.front.limits.pipelined:
                    self.pause_reading()
            elif state is LINGER:
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
        if self.state is TUNNEL:
            self.handler.data_received(b"", True)
        elif self.state in (BODY, WAIT):
            self.state = LINGER
            handler, self.handler = self.handler, DISCARD
            handler.stream_lost(ClientDisconnected("the client closed before its answer was complete"))
            self.close()
        else:
            self.close()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Learn that the connection is gone."""
        busy = self.state in (BODY, WAIT, TUNNEL)
        self.state = CLOSED
        self.front.closed(self)
        self._buffer = b""
        self.let_go()
        handler, self.handler = self.handler, DISCARD
        if busy:
            handler.stream_lost(ClientDisconnected("the client closed before its answer was complete"))

    # Requests.

    def _feed(self, data: bytes) -> None:
        """Take octets while no exchange is under way; one after the other, never nested."""
        self._feeding = True
        while data and self.state is IDLE:
            self._buffer = b""
            try:
                if data.startswith(b"\r\n"):
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
            self.state = WAIT
            self._buffer = data[head.size :]
            self._handle(head, b"", True)
            return
        self.state = BODY
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

    def _read_content(self, reader: ContentReader, data: bytes) -> tuple[bytes, bool, bytes]:
        """Take content, its end and its trailers out of `data`; what follows goes to the buffer."""
        content = reader.receive(data)
        if not reader.done:
            self.body_octets += len(data)
            return content, False, b""
        self.state = WAIT
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

    def break_off(self, error: GatewayError) -> None:
        """Answer content that breaks the protocol: an error page where the response has not begun, else a cut."""
        self._keep_alive = False
        self._broken = True
        self.state = WAIT
        self._buffer = b""
        self.handler.stream_broken(error)

    # What the sending half does.

    def refuse_connection(self, error: GatewayError) -> None:
        """Answer a connection too many and close."""
        raise NotImplementedError

    def refuse(self, error: GatewayError) -> None:
        """Answer what is not a request and close."""
        raise NotImplementedError

    def close_when_idle(self) -> None:
        """Close now if no exchange is under way, else after the current one."""
        raise NotImplementedError

    def _handle(self, head: RequestHead, data: bytes, end: bool) -> None:
        """Hand a request on."""
        raise NotImplementedError

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
        if self.writing_paused or self.state is LINGER:
            return self.waiting_octets()
        return 0

    def expire(self, error: ClientTimeout) -> None:
        """Give a client up that neither reads nor sends."""
        handler, self.handler = self.handler, DISCARD
        handler.stream_lost(error)
        self.abort()
