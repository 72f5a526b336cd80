"""The reverse proxy: leases an upstream and joins two streams."""

from __future__ import annotations

from pydantic import Field

from gateway.resources.websocket import WebSocket
from gateway.settings import Duration, Size, settings
from gateway.units import ByteCount, Seconds
from gateway.upstream.address import Upstream


@settings
class Proxy:
    """Settings of a proxied location; the short forms `4000` and `[4000, 4001]` mean the key `to`.

    Attributes:
        to: Upstreams; the least busy one is used, and the others where it cannot be reached.
        strip: Remove the location's prefix from the path; `X-Forwarded-Prefix` tells the app.
        connect_timeout: How long connecting may take, name look-up included.
        tls_timeout: How long a TLS handshake with the upstream may take.
        response_timeout: How long the response's head may take. Longer than a long poll, which answers after 20 s.
        idle_timeout: How long neither side's content may stand still; reset by progress.
        retries: How many further tries a request may have after a failed connection.
        keep_alive: How long an idle connection is kept; below the 60 s of Bandit and Cowboy.
        max_idle: Idle connections kept per upstream.
        buffer: Octets of request content spooled before the upstream is asked; 0 streams at once.
        forwarded: Also send `Forwarded` (RFC 7239).
        request_start: Also send `X-Request-Start: t=<milliseconds>`.
        accel: Folder that `X-Accel-Redirect` answers of the upstream are served from.
        verify: Verify an https upstream's certificate.
        ca: PEM file of the authorities trusted for https upstreams; the system's where empty.
        server_name: Name that an https upstream's certificate must have; its host where empty.
        websocket: Limits of WebSockets.
    """

    to: tuple[Upstream, ...] = Field(min_length=1)
    strip: bool = False
    connect_timeout: Duration = Seconds(3)
    tls_timeout: Duration = Seconds(10)
    response_timeout: Duration = Seconds(60)
    idle_timeout: Duration = Seconds(60)
    retries: int = Field(default=2, ge=0, le=10)
    keep_alive: Duration = Seconds(50)
    max_idle: int = Field(default=64, ge=0)
    buffer: Size = ByteCount(0)
    forwarded: bool = False
    request_start: bool = False
    accel: str = ""
    verify: bool = True
    ca: str = ""
    server_name: str = ""
    websocket: WebSocket = WebSocket()
