"""WebSocket relay: Autobahn on both sides of the handshake, frames passed as they came."""

from __future__ import annotations

from gateway.settings import Duration, Size, settings
from gateway.units import ByteCount, Seconds


@settings
class WebSocket:
    """Settings, the table `[websocket]` of a site file.

    Attributes:
        max_frame: Octets of payload in one frame; over it the socket closes with 1009.
        max_message: Octets of payload in one message; over it the socket closes with 1009.
        idle: How long a socket lives without any octet. Phoenix gives up after 60 s, so more than that.
        ping: After this silence the client is pinged.
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
