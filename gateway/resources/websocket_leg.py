"""The seam around Autobahn: a "leg" for each side of a relayed WebSocket that has something to say.

Autobahn makes our pings and close frames, checks the close frames that arrive and keeps each side's closing state. It
never sees what frames are made of: `gateway.protocol.websocket_frames` reads those; nor an opening handshake:
`gateway.protocol.websocket_handshake` checks that, so a leg begins open. It writes to its side and reports to it;
whether and when a connection is dropped is decided there, and so are all time-outs, because Autobahn's own would need
the global reactor.

A leg is made when it is needed, and has no attributes of its own but those that change: neither Autobahn's
`__init__` nor its `connectionMade` runs. That is what makes idle sockets small and openings cheap.

Tested with autobahn 26.10; the bound in pyproject.toml and `tests/resources/test_websocket_leg.py` guard the
undocumented methods that are overridden or called here.
"""

from __future__ import annotations

from typing import Final, Protocol

import txaio
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.protocol import WebSocketProtocol

from gateway.net.stream_transport import UNCONNECTED, Unconnected
from gateway.protocol.websocket_frames import PING_TOKEN


class LegSide(Protocol):
    """Who decides for an open leg, and the part of a transport that it needs."""

    def write(self, data: bytes) -> None:
        """Send a control frame to the peer, between other frames."""

    def close_received(self, code: int | None, reason: bytes) -> None:
        """The peer starts the closing handshake; `answer` is to be called now or later."""

    def close_answered(self, code: int | None, reason: bytes) -> None:
        """The peer answered the close frame that we sent: this side's handshake is over."""

    def close_refused(self) -> None:
        """The peer's close frame was malformed: if none was sent before, it was answered with 1002 or 1007."""


class Leg(WebSocketServerProtocol):
    """Autobahn's end of one side. Without masks an app's side speaks as a client's does.

    Args:
        side: Decides for this leg.
    """

    factory = WebSocketServerFactory(server="", reactor=object())
    log = txaio.make_logger(level="none")

    transport: LegSide | Unconnected
    _answering = False

    def __init__(self, side: LegSide) -> None:  # Autobahn's makes Deferreds that nobody waits for
        self.owner: LegSide | None = side
        self.transport = side

    def close(self, code: int | None, reason: bytes = b"") -> None:
        """Start the closing handshake; without effect where a close frame was sent before."""
        self.sendCloseFrame(code, reason, False)

    def answer(self, code: int | None, reason: bytes = b"") -> None:
        """Answer the peer's close frame."""
        self._answering = True
        self.sendCloseFrame(code, reason, True)

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self.sendPing(PING_TOKEN)

    def receive(self, payload: bytes) -> None:
        """Let Autobahn judge the payload of a close frame, then tell the owner."""
        code = int.from_bytes(payload[:2], "big") if payload else None
        reason = payload[2:]
        started = not self.open
        self.onCloseFrame(code, reason or None)
        if self.owner is None:
            return
        if self.failedByMe:
            self.owner.close_refused()
        elif started:
            self.owner.close_answered(code, reason)
        else:
            self.owner.close_received(code, reason)

    def detach(self) -> None:
        """Let go of transport and owner; nothing is sent or reported any more."""
        self.owner = None
        self.transport = UNCONNECTED

    @property
    def open(self) -> bool:
        """Whether no close frame was sent yet."""
        return bool(self.state == WebSocketProtocol.STATE_OPEN)

    # What Autobahn calls.

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Send a close frame; Autobahn's own replies are left to the owner, whose far side answers."""
        if self._answering or not isReply:
            super().sendCloseFrame(code, reasonUtf8, isReply)

    def dropConnection(self, abort: bool = False) -> None:
        """Leave the connection alone: its owner drops it."""

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Send a frame at once; Autobahn describes each in a log line, in colour, also where nobody logs it."""
        self.transport.write(data)


_OPEN: Final[dict[str, object]] = {
    "closeHandshakeTimeout": 0,
    "closeHandshakeTimeoutCall": None,
    "echoCloseCodeReason": True,
    "failByDrop": False,
    "failedByMe": False,
    "logFrames": False,
    "maskServerFrames": False,
    "peer": "",
    "state": WebSocketProtocol.STATE_OPEN,
    "websocket_version": 13,
}
_BAD_GATEWAY: Final = 1014


def _begin_open() -> None:
    """Let all legs begin as Autobahn's protocols are after their opening handshake, with our options."""
    for name, value in _OPEN.items():
        setattr(Leg, name, value)
    if _BAD_GATEWAY not in WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED:  # registered after RFC 6455
        WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED.append(_BAD_GATEWAY)


_begin_open()
