"""WebSocket relay: frames pass as they came, and Autobahn speaks where the gateway itself has something to say.

One socket is made of these, each with a module of its own:

    Opening   sink of the upgrade's exchange: non-101 answers pass, a 101 opens the socket
    Relay     what one side's events mean for the other; Side, one end; Leg, Autobahn when it must speak
    OpenSockets   limits, keep-alive and closing, for all sockets of the process
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.protocol.websocket_handshake import asks_for_websocket, read_offer
from gateway.resources.websocket_opening import Opening
from gateway.settings import Duration, Size, settings
from gateway.units import ByteCount, Seconds

if TYPE_CHECKING:
    from gateway.resources.websocket_registry import OpenSockets
    from gateway.web.request import Request


@settings
class WebSocket:
    """Settings, the table `[websocket]` of a site file.

    Attributes:
        max_frame: Octets of payload in one frame; over it the socket closes with 1009. 0 for no limit.
        max_message: Octets of payload in one message; over it the socket closes with 1009. 0 for no limit.
        idle: How long a socket lives without any octet. Phoenix gives up after 60 s, so more than that. 0 for no limit.
        ping: After this silence the client is pinged; 0 for never.
        close: How long a close handshake may take.
        connections: Sockets open at a time per site.
        connections_per_client: Sockets open at a time per client address.
    """

    max_frame: Size = ByteCount(8_000_000)
    max_message: Size = ByteCount(8_000_000)
    idle: Duration = Seconds(90)
    ping: Duration = Seconds(30)
    close: Duration = Seconds(5)
    connections: int = 10_000
    connections_per_client: int = 100


def open_websocket(
    request: Request, limits: WebSocket, sockets: OpenSockets, names: frozenset[str] = frozenset()
) -> Opening | None:
    """Begin a WebSocket if a request asks for one.

    Args:
        request: Any request of a proxied location.
        limits: Limits of the site.
        sockets: The process's open sockets.
        names: The site's host names in lower case, `*.` for a wildcard.

    Returns:
        The sink to give to the upstream exchange in place of the request, whose `fields` edits the field lines to
        send; None for an ordinary request.

    Raises:
        ProtocolError: 400: it asks in a way that RFC 6455 forbids.
        HTTPError: 426 for another version of the protocol; 429 or 503 where a limit is reached.
        GatewayStopping: 503.
    """
    head = request.head
    if not asks_for_websocket(head):
        return None
    offer = read_offer(head)
    sockets.check(request.location.site, request.client, limits)
    head.upgrade = b"websocket"
    return Opening(request, offer, limits, sockets, names)
