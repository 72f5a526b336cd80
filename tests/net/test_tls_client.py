from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from gateway.errors import CertificateInvalid, ConnectionRefused, ConnectionTimeout, HandshakeFailed
from gateway.net.tls_client import TLSClientEndpoint, UpstreamTLS
from tests.support.certificates import Authority, ServerContext

AUTHORITY = Authority("ca.example")
TRUSTED = UpstreamTLS(ca=AUTHORITY.pem)


class Recorder(Protocol):
    def __init__(self) -> None:
        self.read = b""

    def dataReceived(self, data: bytes) -> None:
        self.read += data


class Wire:
    """An endpoint whose connections end at a TLS server in memory."""

    def __init__(self, certificate: ServerContext | None = None) -> None:
        self.clock = Clock()
        self.client, self.server = StringTransport(), StringTransport()
        self.client.abortConnection = self.client.loseConnection
        self.server.abortConnection = self.server.loseConnection
        self.far: Protocol | None = None
        self.application = Recorder()
        if certificate is not None:
            factory = Factory.forProtocol(lambda: self.application)
            self.far = TLSMemoryBIOFactory(certificate, False, factory, self.clock).buildProtocol(None)

    def connect(self, factory: Factory) -> Deferred[Protocol]:
        self.near = factory.buildProtocol(None)
        if self.far is not None:
            self.far.makeConnection(self.server)
        self.near.makeConnection(self.client)
        return succeed(self.near)

    def pump(self) -> None:
        for _ in range(10):
            for source, target in ((self.client, self.far), (self.server, self.near)):
                data = source.value()
                source.clear()
                if data and target is not None:
                    target.dataReceived(data)
            self.clock.advance(0)
        if self.client.disconnecting:
            self.near.connectionLost(Failure(ConnectionDone()))


def connect(wire: Wire, tls: UpstreamTLS = TRUSTED, host: str = "app.example") -> list[object]:
    endpoint = TLSClientEndpoint(wire.clock, wire, tls, "app.example:443", host, 10)
    results: list[object] = []
    endpoint.connect(Factory.forProtocol(Recorder)).addBoth(results.append)
    wire.pump()
    return results


def failure(results: list[object], wire: Wire) -> object:
    (found,) = results
    assert isinstance(found, Failure)
    assert wire.client.disconnecting
    assert wire.clock.getDelayedCalls() == []
    return found.value


def test_good_certificate() -> None:
    """A certificate of a trusted authority for this name makes a connection that carries data both ways."""
    wire = Wire(AUTHORITY.issue("app.example"))
    (protocol,) = connect(wire)
    assert isinstance(protocol, Recorder)
    protocol.transport.write(b"question")
    wire.application.transport.write(b"answer")
    wire.pump()
    assert (wire.application.read, protocol.read) == (b"question", b"answer")
    assert wire.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("certificate", "sentence"),
    [
        (AUTHORITY.issue("other.example"), "app.example:443: the certificate is not for app.example"),
        (AUTHORITY.issue(), "app.example:443: the certificate is not for app.example"),
        (AUTHORITY.issue("app.example", days=(-9, -1)), "app.example:443: the certificate has expired"),
        (
            Authority("x.example").issue("app.example"),
            "app.example:443: the certificate is signed by an unknown authority",
        ),
    ],
)
def test_bad_certificate(certificate: ServerContext, sentence: str) -> None:
    """A certificate that does not verify ends the connection before anything is sent, and says why."""
    wire = Wire(certificate)
    error = failure(connect(wire), wire)
    assert isinstance(error, CertificateInvalid)
    assert str(error) == sentence
    assert wire.application.read == b""


def test_unchecked() -> None:
    """Without verification any certificate will do."""
    wire = Wire(Authority("x.example").issue("other.example"))
    assert isinstance(connect(wire, UpstreamTLS(verify=False))[0], Recorder)


def test_silent_peer() -> None:
    """A handshake that takes too long ends with a time-out."""
    wire = Wire()
    results = connect(wire)
    assert results == []
    wire.clock.advance(10)
    assert isinstance(failure(results, wire), ConnectionTimeout)


def test_no_tls() -> None:
    """A peer that speaks something else fails the handshake."""
    wire = Wire()
    results = connect(wire)
    wire.near.dataReceived(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    wire.near.connectionLost(Failure(ConnectionDone()))
    assert isinstance(failure(results, wire), HandshakeFailed)


def test_cancelled() -> None:
    """Cancelling in the middle of the handshake closes the connection."""
    wire = Wire()
    results: list[object] = []
    endpoint = TLSClientEndpoint(wire.clock, wire, TRUSTED, "app.example:443", "app.example", 10)
    connecting = endpoint.connect(Factory.forProtocol(Recorder))
    connecting.addBoth(results.append)
    connecting.cancel()
    assert isinstance(failure(results, wire), CancelledError)


def test_plain_connection_fails() -> None:
    """A connection that cannot be made fails as it would without TLS."""

    class Refusing:
        def connect(self, factory: Factory) -> Deferred[Protocol]:
            refused: Deferred[Protocol] = Deferred()
            refused.errback(Failure(ConnectionRefused("refused")))
            return refused

    results: list[Failure] = []
    endpoint = TLSClientEndpoint(Clock(), Refusing(), TRUSTED, "app.example:443", "app.example", 10)
    endpoint.connect(Factory.forProtocol(Recorder)).addErrback(results.append)
    assert isinstance(results[0].value, ConnectionRefused)


def test_no_authority() -> None:
    """A file without certificates is refused when the endpoint is made, not when it is used."""
    with pytest.raises(ValueError, match="PEM"):
        TLSClientEndpoint(Clock(), Wire(), UpstreamTLS(ca=b"nothing"), "app.example:443", "app.example", 10)
