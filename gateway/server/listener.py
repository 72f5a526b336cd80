"""What the connections of the listeners share: limits, counts, and the choice of a protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import ip_network
from typing import cast

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol

from gateway.errors import GatewayError, GatewayStopping, TooManyConnections
from gateway.http.stream import PeerAddress, StreamServer
from gateway.net.addresses import peer_address
from gateway.net.sweeper import Sweeper, sweep_all
from gateway.server.connection import ConnectionLimits, FrontConnection
from gateway.server.http1 import HTTP1Connection
from gateway.server.secure import Certificates, SecureConnection
from gateway.units import Seconds


class Front:
    """All downstream connections of the process.

    Args:
        core: Takes the requests.
        limits: What one client connection may cost.
        sweeper: Looks at all deadlines.
        connections: Connections open at a time; further ones are answered 503.
        per_client: Connections open at a time per client address; an IPv6 client is its /64.
        trusted: Tells whether a peer is a trusted proxy, to which `per_client` does not apply.

    Attributes:
        date_line: `Date: …` CRLF of the current second, kept so by the service.
        emptied: Called whenever the last connection is gone.
    """

    def __init__(
        self,
        core: StreamServer,
        limits: ConnectionLimits,
        sweeper: Sweeper,
        *,
        connections: int,
        per_client: int,
        trusted: Callable[[str], bool],
    ) -> None:
        self.core = core
        self.limits = limits
        self.date_line = b""
        self.connections = connections
        self.per_client = per_client
        self.trusted = trusted
        self.stopping = False
        self.emptied: Callable[[], None] | None = None
        self._open: set[FrontConnection] = set()
        self._per_client: Counter[str] = Counter()
        sweeper.add(self)

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: FrontConnection) -> GatewayError | None:
        """Count a connection and watch its deadlines; an error refuses it."""
        client = client_key(connection.peer)
        self._open.add(connection)
        self._per_client[client] += 1
        if self.stopping:
            return GatewayStopping("the gateway is stopping")
        if len(self._open) > self.connections:
            return TooManyConnections(f"more than {self.connections} connections")
        if self._per_client[client] > self.per_client and client and not connection.trusted:
            return TooManyConnections(f"more than {self.per_client} connections from {client}")
        return None

    def closed(self, connection: FrontConnection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        client = client_key(connection.peer)
        self._per_client[client] -= 1
        if not self._per_client[client]:
            del self._per_client[client]
        if self.emptied is not None and not self._open:
            self.emptied()

    def sweep(self, now: Seconds) -> None:
        """Let every connection look at its deadlines."""
        sweep_all(self._open, now)

    def stop(self) -> None:
        """Close idle connections now and the others after their exchange."""
        self.stopping = True
        for connection in list(self._open):
            connection.close_when_idle()

    def abort(self) -> None:
        """Cut all that is still open."""
        for connection in list(self._open):
            connection.abort()


class FrontFactory(Factory):
    """Makes connections of a listener.

    Args:
        front: What they share.
        port: Port of the listener; 0 for a UNIX socket.
        forwarded: Makes the X-Forwarded-For, -Proto and -Port lines of a connection.
        certificates: Of a TLS listener: which names belong together.
    """

    noisy = False

    def __init__(
        self,
        front: Front,
        port: int,
        forwarded: Callable[[PeerAddress, bool, int], bytes],
        certificates: Certificates | None = None,
    ) -> None:
        self._front = front
        self._port = port
        self._forwarded = forwarded
        self._certificates = certificates

    def buildProtocol(self, addr: IAddress | None) -> TwistedProtocol:
        """Make the protocol of one connection."""
        front, port = self._front, self._port
        peer = peer_address(addr) if addr is not None else PeerAddress("", 0)
        certificates = self._certificates
        forwarded = self._forwarded(peer, certificates is not None, port)
        trusted = front.trusted(peer.host)
        connection: HTTP1Connection
        if certificates is None:
            connection = HTTP1Connection(front, peer, port, secure=False, trusted=trusted, forwarded=forwarded)
        else:
            connection = SecureConnection(
                front, peer, port, trusted=trusted, forwarded=forwarded, certificates=certificates
            )
        return cast("TwistedProtocol", connection)  # Twisted names a class where IProtocol would do


def client_key(peer: PeerAddress) -> str:
    """Name the client that a connection is counted for: an IPv4 address, or the /64 of an IPv6 one."""
    host = peer.host
    if ":" not in host or host.startswith("::ffff:"):
        return host
    return str(ip_network((host.partition("%")[0], 64), strict=False))
