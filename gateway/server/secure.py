"""HTTP/1.1 over TLS: what the handshake said about the client's purpose, and requests that do not fit it."""

from __future__ import annotations

from typing import Protocol, cast

from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener
from zope.interface import classImplements

from gateway.errors import GatewayError, ProtocolError
from gateway.http.message import RequestHead
from gateway.http.stream import PeerAddress
from gateway.server.connection import FrontDoor
from gateway.server.http1 import HTTP1Connection

CHALLENGE = b"acme-tls/1"
"""Application protocol of a CA that only looks at the certificate (RFC 8737); noted as data of such a connection."""


class Certificates(Protocol):
    """Which names a connection may be used for; implemented by `gateway.tls.sni.ServerNames`."""

    def serves(self, asked: bytes, host: bytes) -> bool:
        """Tell whether a client that asked for one name in the handshake may request another."""


class SecureTransport(Protocol):
    """What a TLS transport has beyond a plain one."""

    def getHandle(self) -> SSL.Connection:
        """Give OpenSSL's side of the connection."""


class SecureConnection(HTTP1Connection):
    """One downstream connection over TLS.

    Args:
        front: As in `HTTP1Connection`, like the others.
        peer: The other end.
        local_port: Port the client connected to.
        trusted: Whether the other end is a trusted proxy.
        forwarded: X-Forwarded-For, -Proto and -Port lines.
        certificates: Which names belong together.

    Attributes:
        server_name: The name asked for in the handshake, in lower case; empty if there was none.
    """

    def __init__(
        self,
        front: FrontDoor,
        peer: PeerAddress,
        local_port: int,
        *,
        trusted: bool,
        forwarded: bytes,
        certificates: Certificates,
    ) -> None:
        super().__init__(front, peer, local_port, secure=True, trusted=trusted, forwarded=forwarded)
        self.server_name = b""
        self._certificates = certificates

    def handshakeCompleted(self) -> None:
        """Note the name asked for; say goodbye to a CA that saw its challenge (RFC 8737 §3)."""
        tls = cast("SecureTransport", self.transport).getHandle()
        self.server_name = (tls.get_servername() or b"").lower()
        if tls.get_app_data() == CHALLENGE:
            self.close()

    def refuse_connection(self, error: GatewayError) -> None:
        """Cut a connection too many: to answer it would cost a handshake."""
        self.abort()

    def _handle(self, head: RequestHead, data: bytes, end: bool) -> None:
        """Pass a request on unless its host is not this connection's business (RFC 9110 §15.5.20)."""
        host = head.hostname
        if host != self.server_name and host and not self._certificates.serves(self.server_name, host):
            error = ProtocolError(f"host {host!r} on a connection made for {self.server_name!r} (RFC 9110 §7.4)", 421)
            self.front.core.refuse(self, error, head)
        else:
            HTTP1Connection._handle(self, head, data, end)  # compiled, super() without arguments fails here


# No decorator: extension types take none.
classImplements(SecureConnection, IHandshakeListener)
