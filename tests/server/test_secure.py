"""The connection over TLS by itself: which requests it takes; the handshake is tested end to end."""

from __future__ import annotations

from twisted.internet.interfaces import IHandshakeListener

from gateway.errors import GatewayStopping
from gateway.http.stream import PeerAddress
from gateway.server.secure import CHALLENGE, SecureConnection
from tests.support.streams import Reply
from tests.support.transports import FakeTransport, World


class Shaken:
    """OpenSSL's side of a connection whose handshake is done."""

    def __init__(self, name: bytes | None, noted: bytes | None) -> None:
        self.get_servername = lambda: name
        self.get_app_data = lambda: noted


class Certificates:
    """Serves some pairs of names; remembers what it was asked."""

    def __init__(self, *served: tuple[bytes, bytes]) -> None:
        self.served = served
        self.asked: list[tuple[bytes, bytes]] = []

    def serves(self, asked: bytes, host: bytes) -> bool:
        self.asked.append((asked, host))
        return (asked, host) in self.served


def connect(certificates: Certificates, name: bytes | None, noted: bytes | None = None) -> FakeTransport:
    connection = SecureConnection(
        World(Reply()).front,
        PeerAddress("203.0.113.9", 50000),
        443,
        trusted=False,
        forwarded=b"",
        certificates=certificates,
    )
    transport = FakeTransport(connection)
    transport.getHandle = lambda: Shaken(name, noted)
    assert IHandshakeListener.providedBy(connection)
    connection.handshakeCompleted()
    return transport


def ask(transport: FakeTransport, host: bytes) -> bytes:
    transport.receive(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
    return transport.take().partition(b"\r\n")[0]


def test_host_of_the_handshake() -> None:
    """Requests for the name that the handshake asked for need no look at certificates, however it was spelled."""
    certificates = Certificates()
    transport = connect(certificates, b"Example.COM")
    for host in (b"example.com", b"EXAMPLE.com:443", b"example.com"):
        assert ask(transport, host) == b"HTTP/1.1 200 OK"
    assert certificates.asked == []


def test_other_hosts() -> None:
    """A host of the same certificate is served on the connection, any other gets 421."""
    certificates = Certificates((b"a.example", b"example.com"))
    transport = connect(certificates, b"a.example")
    assert ask(transport, b"example.com") == b"HTTP/1.1 200 OK"
    assert ask(transport, b"other.example").startswith(b"HTTP/1.1 421 ")
    assert certificates.asked == [(b"a.example", b"example.com"), (b"a.example", b"other.example")]


def test_nameless_handshake() -> None:
    """A client that named nobody may ask for what the certificates say."""
    assert ask(connect(Certificates((b"", b"example.com")), None), b"example.com") == b"HTTP/1.1 200 OK"
    assert ask(connect(Certificates(), None), b"example.com").startswith(b"HTTP/1.1 421 ")


def test_challenge() -> None:
    """A CA that saw the certificate of its challenge is told goodbye."""
    assert connect(Certificates(), b"example.com", CHALLENGE).closing
    assert not connect(Certificates(), b"example.com").closing


def test_a_connection_too_many() -> None:
    """It is cut without a word, which would cost a handshake."""
    transport = connect(Certificates(), b"example.com")
    transport.protocol.refuse_connection(GatewayStopping("the gateway is stopping"))
    assert (transport.aborted, transport.written) == (True, b"")
