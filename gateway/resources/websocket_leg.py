"""The seam around Autobahn: one "leg" for each side of a relayed WebSocket.

Autobahn validates both opening handshakes, makes our pings and close frames, checks the close frames that arrive and
keeps each side's closing state. It never sees a data frame: `gateway.protocol.websocket_frames` passes those. A leg
writes to the transport it is given and reports to its owner; whether and when a connection is dropped is the owner's
decision, and so are all time-outs, because Autobahn's own would need the global reactor.

Tested with autobahn 26.10; the bound in pyproject.toml and `tests/resources/test_websocket_leg.py` guard the
undocumented methods that are overridden or called here.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final, Protocol

import txaio
from autobahn.twisted.websocket import (
    WebSocketAdapterProtocol,
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.websocket.protocol import TrafficStats, WebSocketProtocol
from twisted.internet.defer import Deferred

from gateway.errors import GatewayError, ProtocolError, ResponseInvalid
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


class _Leg(WebSocketAdapterProtocol, WebSocketProtocol):
    """What Autobahn's two sides are told alike; mixed in before its protocol classes."""

    log = txaio.make_logger(level="none")

    transport: LegSide | Unconnected
    owner: LegSide | None = None
    refusal = ""
    _answering = False

    def start(self) -> None:
        """Begin the opening handshake, in which nothing is written."""
        self.makeConnection(UNCONNECTED)

    def attach(self, side: LegSide) -> None:
        """Go over to the open socket: write control frames to `side`, and report to it."""
        self.owner = side
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

    def receive(self, frame: bytes) -> None:
        """Take a whole close frame, or the pong to our own ping."""
        self.dataReceived(frame)

    def detach(self) -> None:
        """Let go of transport and owner; nothing is sent or reported any more."""
        self.owner = None
        self.transport = UNCONNECTED

    @property
    def open(self) -> bool:
        """Whether the opening handshake is over and no close frame was sent yet."""
        return bool(self.state == WebSocketProtocol.STATE_OPEN)

    # What Autobahn calls.

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Send a close frame; Autobahn's own replies are left to the owner, whose far side answers."""
        if self._answering or not isReply:
            super().sendCloseFrame(code, reasonUtf8, isReply)

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> None:
        """Let Autobahn judge a close frame, then tell the owner."""
        started = not self.open
        super().onCloseFrame(code, reasonRaw)
        if self.owner is None:
            return
        if self.failedByMe:
            self.owner.close_refused()
        elif started:
            self.owner.close_answered(code, reasonRaw or b"")
        else:
            self.owner.close_received(code, reasonRaw or b"")

    def dropConnection(self, abort: bool = False) -> None:
        """Leave the connection alone: its owner drops it."""

    def failHandshake(self, reason: str, *_: object) -> None:
        """Keep what Autobahn has against the handshake; its owner answers."""
        self.refusal = reason

    def _forget_handshake(self) -> None:
        """Drop what only the opening handshake needed: a third of a socket's memory."""
        kept = vars(self)
        self.__dict__ = {name: kept[name] for name in _KEPT if name in kept}


class ServerLeg(_Leg, WebSocketServerProtocol):
    """The side that faces the client."""

    factory = WebSocketServerFactory(server="", reactor=object())

    def offer(self, request: bytes) -> None:
        """Take the client's handshake as a canonical head; the answer waits for `accept`.

        Raises:
            ProtocolError: 400: Autobahn has something against it.
        """
        self.dataReceived(request)
        if self.refusal:
            raise ProtocolError(self.refusal)

    def accept(self, subprotocol: bytes | None) -> bytes:
        """Open this side.

        Returns:
            The value of Sec-WebSocket-Accept.
        """
        self._decision.callback((subprotocol.decode("ascii") if subprotocol is not None else None, {}))
        if not self.open:
            raise GatewayError(f"Autobahn did not open: {self.refusal}")
        accept = self._response.partition(b"Sec-WebSocket-Accept: ")[2].partition(b"\r\n")[0]
        self._forget_handshake()
        return bytes(accept)

    def onConnect(self, request: object) -> Deferred[tuple[str | None, dict[str, str]]]:
        """Hold the answer until the app's is there."""
        self._decision: Deferred[tuple[str | None, dict[str, str]]] = Deferred()
        return self._decision

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Keep the 101, of which only Sec-WebSocket-Accept is used; write anything later."""
        if self.state == WebSocketProtocol.STATE_CONNECTING:
            self._response = data
        else:
            super().sendData(data, sync, chopsize)


class ClientLeg(_Leg, WebSocketClientProtocol):
    """The side that faces the app.

    Args:
        entropy: 16 random octets for Sec-WebSocket-Key.
    """

    factory = WebSocketClientFactory(reactor=object())

    def __init__(self, entropy: bytes) -> None:
        super().__init__()
        self.websocket_key = b64encode(entropy)

    @property
    def key(self) -> bytes:
        """The value of Sec-WebSocket-Key to send."""
        return bytes(self.websocket_key)

    def startHandshake(self) -> None:
        """Send nothing: the request goes through the upstream exchange, with the client's own lines."""

    def confirm(self, response: bytes) -> None:
        """Take the app's 101 as a canonical head, and open this side.

        Raises:
            ResponseInvalid: It does not answer the key.
        """
        self.dataReceived(response)
        if self.refusal or not self.open:
            raise ResponseInvalid(f"101 that does not open a WebSocket: {self.refusal}")
        self._forget_handshake()


def _no_extension(offers: object) -> None:
    """Accept no extension: they are agreed end to end."""


_COMMON_OPTIONS: Final[dict[str, object]] = {
    "applyMask": True,
    "autoFragmentSize": 0,
    "autoPingInterval": 0,
    "autoPingRestartOnAnyTraffic": True,
    "autoPingSize": 12,
    "autoPingTimeout": 0,
    "closeHandshakeTimeout": 0,
    "echoCloseCodeReason": True,
    "failByDrop": False,
    "logFrames": False,
    "logOctets": False,
    "maxFramePayloadSize": 0,
    "maxMessagePayloadSize": 0,
    "openHandshakeTimeout": 0,
    "perMessageCompressionAccept": staticmethod(_no_extension),
    "tcpNoDelay": False,
    "trackTimings": False,
    "utf8validateIncoming": True,
}
_SERVER_OPTIONS: Final[dict[str, object]] = {
    "allowNullOrigin": True,
    "allowedOrigins": ("*",),
    "allowedOriginsPatterns": (),
    "flashSocketPolicy": "",
    "maskServerFrames": False,
    "maxConnections": 0,
    "requireMaskedClientFrames": True,
    "serveFlashSocketPolicy": False,
    "trustXForwardedFor": 0,
    "versions": (13,),
    "webStatus": False,
}
_CLIENT_OPTIONS: Final[dict[str, object]] = {
    "acceptMaskedServerFrames": False,
    "maskClientFrames": True,
    "perMessageCompressionOffers": (),
    "serverConnectionDropTimeout": 0,
    "version": WebSocketProtocol.DEFAULT_SPEC_VERSION,
}
_AFTER_HANDSHAKE: Final[dict[str, object]] = {
    "_perMessageCompress": None,
    "autoPingPending": None,
    "autoPingPendingCall": None,
    "autoPingTimeoutCall": None,
    "closeHandshakeTimeoutCall": None,
    "current_frame": None,
    "data": b"",
    "failedByMe": False,
    "inside_message": False,
    "localCloseCode": None,
    "localCloseReason": None,
    "openHandshakeTimeoutCall": None,
    "remoteCloseCode": None,
    "remoteCloseReason": None,
    "send_queue": (),
    "serverConnectionDropTimeoutCall": None,
    "trackedTimings": None,
    "trafficStats": TrafficStats(),  # written by all, read by none
    "wasClean": False,
    "wasNotCleanReason": None,
    "websocket_version": 13,
}
"""What an open leg has of the many attributes that Autobahn sets on each: the same for all until it changes."""

_KEPT: Final = ("_transport_details", "connected", "owner", "peer", "state", "transport")
_BAD_GATEWAY: Final = 1014


def _set_options() -> None:
    """Put the options into class attributes: Autobahn formats them anew for every connection otherwise."""
    for leg, options in (
        (_Leg, _COMMON_OPTIONS | _AFTER_HANDSHAKE),
        (ServerLeg, _SERVER_OPTIONS),
        (ClientLeg, _CLIENT_OPTIONS),
    ):
        for name, value in options.items():
            setattr(leg, name, value)
        leg.CONFIG_ATTRS = ()
    if _BAD_GATEWAY not in WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED:  # registered after RFC 6455
        WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED.append(_BAD_GATEWAY)


_set_options()
