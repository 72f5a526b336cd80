"""The HTTP/1.1 front connection: keep-alive, pipelining order, deadlines, back-pressure (RFC 9112 §9).

The connection is the `ServerStream` of its one current exchange. Its receiving half is `gateway.server.http1_requests`.

The states and their changes stand in `gateway.server.connection`, the deadlines in `gateway.server.deadlines`.
"""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.http.known import DATE, TE
from gateway.http.message import RequestHead, ResponseHead
from gateway.http.prepared import FinishedAnswer
from gateway.http.stream import DISCARD
from gateway.net.bulk import BulkTransport
from gateway.protocol.chunked import encode_content, encode_last_chunk
from gateway.protocol.http1_write import write_finished, write_informational, write_response, write_switch
from gateway.server.connection import BODY, IDLE, LINGER, TUNNEL, WAIT
from gateway.server.http1_requests import HTTP1Requests


class HTTP1Connection(HTTP1Requests):
    """One downstream connection.

    Args:
        front: What the connections of a listener share.
        peer: The other end.
        local_port: Port the client connected to.
        secure: Whether TLS is spoken.
        trusted: Whether the other end is a trusted proxy.
        forwarded: X-Forwarded-For, -Proto and -Port lines, made once.
    """

    # Requests (`HTTP1Requests`).

    def refuse_connection(self, error: GatewayError) -> None:
        """Answer a connection too many and close."""
        self.refuse(error)

    def refuse(self, error: GatewayError) -> None:
        """Answer what is not a request and close."""
        self._keep_alive = False
        self._broken = True
        self.state = WAIT
        self._buffer = b""
        self._responding = self._chunked = False
        head, self.head = self.head, None
        self.front.core.refuse(self, error, head if self.exchanges else None)

    def _handle(self, head: RequestHead, data: bytes, end: bool) -> None:
        """Hand a request on."""
        self.front.core.handle(self, head, data, end)

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
        if self.state is BODY or self.front.stopping:
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
        if not (usual and self._keep_alive and self.state is WAIT) or front.stopping:
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
            if self.state is TUNNEL:
                self._linger()
            else:
                self._exchange_over()

    @property
    def takes_descriptors(self) -> bool:
        """Whether content may come by `send_from`: as it is, on a connection that can."""
        return not self._chunked and isinstance(self._transport, BulkTransport)

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send content straight from a descriptor, as much as the client takes now."""
        transport = self._transport
        return transport.send_from(descriptor, offset, length, following) if isinstance(transport, BulkTransport) else 0

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
        self.state = TUNNEL
        rest, self._buffer = self._buffer, b""
        self._write(write_switch(head, extra, data))
        self.resume_reading()
        if rest:
            self.handler.data_received(rest, False)

    def _exchange_over(self) -> None:
        """Go on with the next request, or close."""
        self.handler = DISCARD
        if self.state is BODY or self._broken or (self._buffer and not self._keep_alive):
            self._linger()
        elif not self._keep_alive or self.front.stopping:
            self.state = LINGER
            self.close()
        elif self.writing_paused:
            self._over = True  # a client that only sends must not make the answers pile up here
        elif self.state is WAIT:
            self._over = False
            self.state = IDLE
            self.head = None
            if self.reading_paused:
                self.resume_reading()
            if self._buffer and not self._feeding:
                self._feed(self._buffer)

    # Closing.

    def close_when_idle(self) -> None:
        """Close now if no exchange is under way, else after the current one."""
        if self.state is IDLE:
            self.state = LINGER
            self.close()
        else:
            self._keep_alive = False

    def _linger(self) -> None:
        """Close our half and discard what still comes, lest a reset takes the answer away (RFC 9112 §9.6)."""
        self.state = LINGER
        self.body_octets = 0
        self._buffer = b""
        self.resume_reading()
        if self._client_done:
            self.close()
        else:
            self._transport.unregisterProducer()
            self.half_close()
