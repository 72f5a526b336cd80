"""The receiving half of an HTTP/1.1 upstream connection: what an upstream sends becomes the responses of its exchanges.

The sending half, and the whole, is `gateway.upstream.exchange`.
"""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

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
from gateway.protocol.content import ContentReader
from gateway.protocol.http1_head import parse_response
from gateway.units import ByteCount
from gateway.upstream.connection import BODY, HEAD, IDLE, TUNNEL, Home
from gateway.upstream.deadlines import ExchangeDeadlines

log = Logger()


# Looked up here once: an attribute of an Enum costs several times a global.
_LENGTH_FRAMING, _CLOSE_FRAMING = Framing.LENGTH, Framing.CLOSE
_LARGE: Final = ByteCount(131_072)  # so much still to come goes from socket to socket: that was cheaper from there on


class HTTP1Responses(PacedProtocol):
    """What one upstream connection receives.

    Args:
        home: The pool it belongs to.
    """

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.home = home
        self.state = IDLE
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

    # The transport's side.

    def dataReceived(self, data: bytes) -> None:
        """Take octets from the upstream."""
        state, sink = self.state, self._sink
        try:
            if state is HEAD:
                self._head_received(self._buffer + data if self._buffer else data)
            elif state is BODY:
                self._body_received(data)
            elif state is TUNNEL:
                self._received += len(data)
                if sink is not None:
                    sink.send_data(data, False)
            elif state is IDLE:
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
        if self.state is TUNNEL:
            sink, self._sink = self._sink, None
            if sink is not None:
                sink.send_data(b"", True)
            if self._request_done:
                self._drop()
        else:
            self._ended(clean=True)
            self._drop()

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
        self.state = BODY
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
        self.state = TUNNEL
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

    # The end.

    def _ended(self, clean: bool) -> None:
        """Judge what the end of the connection means for the exchange under way."""
        sink = self._sink
        if sink is None:
            return
        ends_by_close = self.state is TUNNEL or (self.state is BODY and self._until_close)
        if ends_by_close and clean:
            self._sink = None
            sink.send_data(b"", True)
        elif self.state in (BODY, TUNNEL):
            self.fail(ResponseIncomplete(f"{self.home.name} closed in the middle of its response"))
        elif self._received:
            self.fail(ResponseInvalid(f"{self.home.name} closed in the middle of its response head"))
        else:
            error = ConnectionReset(f"{self.home.name} closed the connection without an answer")
            error.retryable = self.pooled
            self.fail(error)

    def _fail_both(self, sink: ResponseSink | None, error: GatewayError) -> None:
        """Fail the exchange whose octets were at fault, and the next one if that has the connection already."""
        self.fail(error)
        if sink is not None:
            sink.fail(error)

    # What the sending half does.

    def _finish(self) -> None:
        """End the exchange: its response is complete."""
        raise NotImplementedError

    def fail(self, error: GatewayError) -> None:
        """End the exchange under way with an error."""
        raise NotImplementedError

    def _drop(self, abort: bool = False) -> None:
        """Close the connection; it is never used again."""
        raise NotImplementedError
