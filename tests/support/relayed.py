"""A relayed WebSocket in memory: a recording front stream, a recording exchange, and both peers' side of the wire."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import Any

from gateway.errors import GatewayError
from gateway.http import fields as field_lines
from gateway.http.stream import ResponseSink
from gateway.resources.websocket import WebSocket, open_websocket
from gateway.resources.websocket_registry import OpenSockets
from gateway.web.request import Request
from tests.support.streams import FakeRuntime, RecordingStream, get, location, response_head
from tests.support.websocket import Frame, read_frames

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HANDSHAKE = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: " + KEY,
)


class RecordingExchange:
    """A `ClientStream` that keeps what is sent up."""

    def __init__(self) -> None:
        self.sent = b""
        self.writes = 0
        self.ended = False
        self.error: GatewayError | None = None
        self.paused = False
        self.sink: ResponseSink | None = None

    def pass_to(self, sink: ResponseSink) -> None:
        self.sink = sink

    def send_data(self, data: bytes, end: bool) -> None:
        assert not self.ended, "data after the end"
        self.sent += data
        self.writes += bool(data)
        self.ended = end

    def send_trailers(self, block: bytes) -> None:
        raise AssertionError("trailers in a tunnel")

    def reset(self, error: GatewayError) -> None:
        self.error = error

    def pause_body(self) -> None:
        self.paused = True

    def resume_body(self) -> None:
        self.paused = False


class Relayed:
    """One WebSocket, from the handshake on.

    Args:
        lines: Further field lines of the client's handshake.
        settings: Settings of `WebSocket`.
        sockets: The registry; a fresh one by default.
    """

    def __init__(self, *lines: bytes, sockets: OpenSockets | None = None, target: bytes = b"/live", **settings: Any):
        self.runtime = FakeRuntime()
        self.sockets = OpenSockets(self.runtime.clock, bytes) if sockets is None else sockets
        self.settings = WebSocket(**settings)
        self.stream = RecordingStream()
        self.request = Request(self.stream, get(target, *HANDSHAKE, *lines), self.runtime, location())
        self.request.location.site = "example.com"
        self.stream.handler = self.request
        self.exchange = RecordingExchange()
        names = frozenset(("example.com",))
        opening = open_websocket(self.request, self.settings, self.sockets, names)
        assert opening is not None
        self.sink: ResponseSink = opening
        self.fields = opening.fields(self.request.head.fields)
        self.request.upstream = self.exchange
        self.client_ended = self.client_gone = self.app_ended = False

    def switch(self, *lines: bytes, data: bytes = b"", accept: bytes | None = None) -> Relayed:
        """Let the app answer 101."""
        key = field_lines.get(self.fields, b"sec-websocket-key")
        assert key is not None
        answer = accept or b64encode(
            sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
        )
        head = (
            b"HTTP/1.1 101 Switching Protocols",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Accept: " + answer,
            *lines,
            b"",
        )
        self.sink.send_head(response_head(b"\r\n".join(head)), data, False)
        self.sink = self.exchange.sink or self.sink
        return self

    def client_sends(self, data: bytes, end: bool = False) -> None:
        self.stream.handler.data_received(data, end)

    def client_lost(self, error: GatewayError) -> None:
        self.client_gone = True
        self.stream.handler.stream_lost(error)

    def app_sends(self, data: bytes, end: bool = False) -> None:
        self.sink.send_data(data, end)

    def app_lost(self, error: GatewayError) -> None:
        self.sink.fail(error)

    def to_client(self) -> list[Frame]:
        """Read the frames sent to the client."""
        return read_frames(self.stream.body)

    def to_app(self) -> list[Frame]:
        """Read the frames sent to the app."""
        return read_frames(self.exchange.sent)

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass with a sweep every `step` seconds."""
        for _ in range(round(seconds / step)):
            self.runtime.time.advance(step)
            self.sockets.sweep(self.runtime.clock())

    @property
    def open_peers(self) -> tuple[bool, bool]:
        """Whether client and app may still send."""
        client = not (self.client_ended or self.client_gone or self.stream.ended or self.stream.error)
        return client, not (self.app_ended or self.exchange.error)

    @property
    def over(self) -> bool:
        """Whether nothing of the socket is left."""
        return len(self.sockets) == 0

    @property
    def logged(self) -> Request:
        """The finished exchange."""
        (request,) = self.runtime.log.finished
        return request
