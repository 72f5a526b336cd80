"""The opening handshake of a relayed WebSocket: between the client's request and the app's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from twisted.logger import Logger

from gateway.errors import GatewayError
from gateway.http.stream import ClientStream
from gateway.protocol.websocket_frames import FramePipe
from gateway.protocol.websocket_handshake import (
    Offer,
    accept_value,
    foreign_origin,
    fresh_key,
    read_answer,
    upstream_fields,
)
from gateway.resources.passing import PassingSink
from gateway.resources.websocket_relay import Relay

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.http.stream import ResponseSink
    from gateway.resources.websocket import WebSocket
    from gateway.resources.websocket_registry import OpenSockets
    from gateway.web.request import Request

log = Logger()


class Exchange(ClientStream, Protocol):
    """The exchange with the app; implemented by `upstream.exchange`."""

    def pass_to(self, sink: ResponseSink) -> None:
        """Give what comes from now on to another sink."""


class Opening(PassingSink):
    """The sink of an upgrade's exchange: lets any answer but 101 pass untouched, and opens the socket on 101.

    The exchange is what `request.upstream` is when the 101 arrives, so that connecting and trying again stay the
    proxy's matter.

    Args:
        request: The client's request.
        offer: What it asks for.
        settings: Limits of the site.
        sockets: The process's open sockets.
        names: The site's host names.
    """

    __slots__ = ("_key", "_names", "_offer", "_request", "_settings", "_sockets")

    def __init__(
        self, request: Request, offer: Offer, settings: WebSocket, sockets: OpenSockets, names: frozenset[str]
    ) -> None:
        super().__init__(request)
        self._request = request
        self._offer: Offer | None = offer
        self._settings = settings
        self._sockets = sockets
        self._names = names
        self._key = fresh_key(sockets.entropy(16))

    def fields(self, block: bytes) -> bytes:
        """Make the client's field lines fit for the app: the same, with a fresh key."""
        return upstream_fields(block, self._key)

    # ResponseSink.

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Open the socket on 101; any other answer goes to the client untouched."""
        if head.status == 101:
            self._switch(head, data)
            return
        if head.status == 403:
            self._explain_origin()
        super().send_head(head, data, end)

    def _switch(self, head: ResponseHead, data: bytes) -> None:
        request, offer = self._request, self._offer
        if offer is None:
            return
        self._offer = None
        try:
            extended = read_answer(head, offer, self._key)
            self._sockets.check(request.location.site, request.client, self._settings)
        except GatewayError as error:
            request.fail(error)
            return
        head.set(b"Sec-WebSocket-Accept", accept_value(offer.key))
        relay = self._join(extended)
        # The request first: the client's first frames may come while it sends the head.
        request.send_head(head, b"", False)
        if data:
            relay.upstream.send_data(data, False)

    def _join(self, extended: bool) -> Relay:
        request, settings = self._request, self._settings
        pipes = [
            FramePipe(masked=masked, extended=extended, max_frame=settings.max_frame, max_message=settings.max_message)
            for masked in (True, False)
        ]
        exchange = cast("Exchange", request.upstream)
        relay = Relay(request, exchange, (pipes[0], pipes[1]), settings, self._sockets)
        request.recovery = None
        request.state = relay
        request.upstream = relay.client
        self._sink = relay.upstream
        exchange.pass_to(relay.upstream)
        return relay

    def _explain_origin(self) -> None:
        """Tell the operator what to write where: Phoenix's own message does not reach the browser's console."""
        site = self._request.location.site
        origin = foreign_origin(self._request.head, self._names)
        if origin is None or not self._sockets.first_time(site, origin):
            return
        allowed = [f"https://{name}" for name in sorted(self._names) if "*" not in name]
        log.warn(
            "{site}: the app refused a WebSocket with 403, and its Origin {origin} is none of the site's names. If "
            "that page may connect, write in the app's config/runtime.exs, in the endpoint's options: "
            "check_origin: {check_origin}",
            site=site,
            origin=origin,
            check_origin="[" + ", ".join(f'"{name}"' for name in (*allowed, origin)) + "]",
        )
