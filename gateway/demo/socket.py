"""The demo's WebSocket: it greets, then sends every message back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autobahn.websocket.types import ConnectionRequest
    from twisted.internet.interfaces import IReactorTime

_MAX_MESSAGE = 16 * 2**20


class EchoProtocol(WebSocketServerProtocol):
    """Sends each message back as it came; takes the first subprotocol that is offered."""

    def onConnect(self, request: ConnectionRequest) -> str | None:
        """Choose the subprotocol."""
        return next(iter(request.protocols), None)

    def onOpen(self) -> None:
        """Greet."""
        self.sendMessage(b"hello from the demo app: whatever you send comes back")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Echo."""
        self.sendMessage(payload, isBinary)


def echo_factory(clock: IReactorTime) -> WebSocketServerFactory:
    """Make the factory behind `/socket`: compression where the client offers it, messages of up to 16 MiB."""
    factory = WebSocketServerFactory(reactor=clock)
    factory.protocol = EchoProtocol
    factory.setProtocolOptions(
        perMessageCompressionAccept=_accept, maxMessagePayloadSize=_MAX_MESSAGE, echoCloseCodeReason=True
    )
    return factory


def _accept(offers: Iterable[object]) -> PerMessageDeflateOfferAccept | None:
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None
