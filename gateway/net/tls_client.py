"""TLS to upstreams: verified against the system's roots or a file, with a deadline on the handshake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet import ssl
from twisted.internet._sslverify import IOpenSSLTrustRoot  # Twisted exports it nowhere else
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.errors import CertificateInvalid, ConnectionTimeout, GatewayError, HandshakeFailed
from gateway.net.addresses import is_address


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamTLS:
    """How to speak TLS to an upstream.

    Attributes:
        server_name: Name that the certificate must carry; empty for the upstream's host.
        ca: PEM certificates to trust instead of the system's roots; empty for the system's.
        verify: Whether to check the certificate at all.
    """

    server_name: str = ""
    ca: bytes = b""
    verify: bool = True


@implementer(IStreamClientEndpoint)
class TLSClientEndpoint:
    """Speaks TLS over another endpoint; a protocol is made only once the handshake is done.

    Args:
        clock: Measures the handshake.
        endpoint: Makes the plain connections.
        tls: What to trust.
        name: The upstream, as log lines show it.
        host: Name for SNI and for the check of the certificate.
        timeout: Seconds the handshake may take.

    Raises:
        ValueError: `tls.ca` holds no PEM certificate.
    """

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        tls: UpstreamTLS,
        name: str,
        host: str,
        timeout: float,
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._name = name
        self._timeout = timeout
        self._creator = _Creator(tls, host)
        self._identity = host if tls.verify else ""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect, shake hands, then make the protocol."""
        outcome: Deferred[IProtocol] = Deferred(lambda _: handshake.give_up())
        handshake = _Handshake(self._clock, protocolFactory, outcome, self._name, self._identity, self._timeout)
        factory = TLSMemoryBIOFactory(self._creator, True, Factory.forProtocol(lambda: handshake), self._clock)
        factory.noisy = factory.wrappedFactory.noisy = False
        handshake.connecting = self._endpoint.connect(factory)
        handshake.connecting.addErrback(handshake.connect_failed)
        return outcome


@implementer(IHandshakeListener)
class _Handshake(Protocol):
    """Stands where the protocol will be until the peer has proved who it is."""

    def __init__(
        self,
        clock: IReactorTime,
        factory: IProtocolFactory,
        outcome: Deferred[IProtocol],
        name: str,
        identity: str,
        timeout: float,
    ) -> None:
        self._clock = clock
        self._factory = factory
        self._outcome = outcome
        self._name = name
        self._identity = identity
        self._timeout = timeout
        self.refusals: list[int] = []
        self._timer: IDelayedCall | None = None
        self.connecting: Deferred[IProtocol] | None = None

    def connectionMade(self) -> None:
        self._timer = self._clock.callLater(self._timeout, self._expire)

    def handshakeCompleted(self) -> None:
        transport: object = self.transport
        if self._outcome.called or not isinstance(transport, TLSMemoryBIOProtocol):
            return
        self._stop_timer()
        if self._identity:
            try:
                _check_identity(transport.getHandle(), self._identity)
            except (VerificationError, CertificateError) as problem:
                self._fail(CertificateInvalid(f"{self._name}: the certificate is not for {self._identity}"), problem)
                return
        protocol = self._factory.buildProtocol(transport.getPeer())
        if protocol is None:
            self._fail(HandshakeFailed(f"{self._name}: no protocol for the connection"))
            return
        transport.wrappedProtocol = protocol
        protocol.makeConnection(transport)
        self._outcome.callback(protocol)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.refusals:
            fault = _REFUSALS.get(self.refusals[0], f"did not verify (OpenSSL code {self.refusals[0]})")
            self._fail(CertificateInvalid(f"{self._name}: the certificate {fault}"), reason.value)
        elif isinstance(reason.value, SSL.Error):
            detail = "; ".join(str(entry[-1]) for entry in reason.value.args[0]) if reason.value.args else "no detail"
            self._fail(HandshakeFailed(f"{self._name}: the TLS handshake failed: {detail}"), reason.value)
        else:
            self._fail(HandshakeFailed(f"{self._name} closed the connection during the TLS handshake"), reason.value)

    def connect_failed(self, failure: Failure) -> None:
        if not self._outcome.called:
            self._outcome.errback(failure)

    def give_up(self) -> None:
        self._stop_timer()
        if self.transport is not None:
            _abort(self.transport)
        elif self.connecting is not None:
            self.connecting.cancel()

    def _expire(self) -> None:
        self._timer = None
        self._fail(ConnectionTimeout(f"{self._name} did not finish the TLS handshake within {self._timeout:g} s"))

    def _fail(self, error: GatewayError, cause: BaseException | None = None) -> None:
        self._stop_timer()
        error.__cause__ = cause
        if not self._outcome.called:
            self._outcome.errback(Failure(error))
        if self.transport is not None:
            _abort(self.transport)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """Makes client connections that send the server's name and remember why a certificate was refused."""

    def __init__(self, tls: UpstreamTLS, host: str) -> None:
        trust = None
        if tls.verify:
            trust = _trust(tls.ca) if tls.ca else ssl.platformTrust()
        self._context = ssl.CertificateOptions(trustRoot=trust, acceptableProtocols=[b"http/1.1"]).getContext()
        self._verify = tls.verify
        self._server_name = b"" if is_address(host) else host.encode("idna")

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        if self._server_name:  # RFC 6066 §3: no literal addresses
            connection.set_tlsext_host_name(self._server_name)
        handshake = tlsProtocol.wrappedProtocol
        if self._verify and isinstance(handshake, _Handshake):
            connection.set_verify(SSL.VERIFY_PEER, _remember(handshake.refusals))
        return connection


def _remember(refusals: list[int]) -> Callable[[SSL.Connection, crypto.X509, int, int, int], bool]:
    def check(_connection: SSL.Connection, _certificate: crypto.X509, code: int, _depth: int, good: int) -> bool:
        if not good:
            refusals.append(code)
        return bool(good)

    return check


def _check_identity(connection: SSL.Connection, host: str) -> None:
    if is_address(host):
        verify_ip_address(connection, host)
    else:
        verify_hostname(connection, host.encode("idna").decode("ascii"))


def _trust(pem: bytes) -> IOpenSSLTrustRoot:
    certificates = [
        ssl.Certificate.loadPEM(certificate.public_bytes(Encoding.PEM))
        for certificate in x509.load_pem_x509_certificates(pem)
    ]
    trust: IOpenSSLTrustRoot = ssl.trustRootFromCertificates(certificates)
    return trust


def _abort(transport: ITransport) -> None:
    if isinstance(transport, TLSMemoryBIOProtocol):
        transport.abortConnection()


_REFUSALS = {  # X509_V_ERR_* of OpenSSL
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "is signed by an unknown authority",
    20: "is signed by an unknown authority",
    21: "is signed by an unknown authority",
    23: "is revoked",
}
