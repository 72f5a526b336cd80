"""TLS without a socket underneath, as Twisted's own reactors have it: what it does beyond Twisted's TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from OpenSSL import SSL
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.net.tls_listening import MemoryTLSServerEndpoint
from gateway.net.tls_state import PLAIN_HTTP
from gateway.tls.sni import ServerNames
from tests.support.certificates import Authority
from tests.support.handshake import client_context

NAMES = ServerNames()
NAMES.put("app.example", Authority("ca.example").certified("app.example"))


class FailingError(Exception):
    """What the protocols below fail with."""


class Server(Protocol):
    """Gathers what comes; fails where the class below says so."""

    def __init__(self) -> None:
        self.received = b""
        self.reason: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


class FailsAtStart(Server):
    def connectionMade(self) -> None:
        raise FailingError


class FailsAtData(Server):
    def dataReceived(self, data: bytes) -> None:
        raise FailingError


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Server):
    def readConnectionLost(self) -> None:
        """Go on."""

    def writeConnectionLost(self) -> None:
        """Go on."""


class Below(StringTransport):
    """The plain connection underneath.

    Attributes:
        aborted: Whether it was cut.
    """

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()


class Plain:
    """An endpoint that keeps the factory that it was given."""

    factory: Factory

    def listen(self, factory: Factory) -> Deferred[None]:
        self.factory = factory
        return succeed(None)


class Connection:
    """A client in memory, and the server's side of its connection."""

    def __init__(self, kind: type[Server] = Server) -> None:
        self.server = kind()
        self.clock, self.below = Clock(), Below()
        plain = Plain()
        MemoryTLSServerEndpoint(self.clock, plain, NAMES).listen(Factory.forProtocol(lambda: self.server))  # type: ignore[arg-type]  # structural
        self.wire = plain.factory.buildProtocol(None)
        assert self.wire is not None
        self.wire.makeConnection(self.below)
        self.client = SSL.Connection(client_context(), None)
        self.client.set_tlsext_host_name(b"app.example")
        self.client.set_connect_state()

    def exchange(self) -> None:
        """Let octets pass both ways until there are none left."""
        moved = True
        while moved:
            moved = False
            with suppress(SSL.WantReadError):
                self.wire.dataReceived(self.client.bio_read(1 << 16))
                moved = True
            self.clock.advance(0)
            if self.below.value():
                self.client.bio_write(self.below.value())
                self.below.clear()
                moved = True
            with suppress(SSL.Error):
                self.client.do_handshake()

    def open(self) -> None:
        with suppress(SSL.WantReadError):
            self.client.do_handshake()
        self.exchange()


@pytest.fixture
def logged() -> Iterator[list[str]]:
    events: list[str] = []

    def note(event: LogEvent) -> None:
        events.append(str(event["log_format"]))

    globalLogPublisher.addObserver(note)
    yield events
    globalLogPublisher.removeObserver(note)


def test_octets_pass() -> None:
    """The certificate of the name is shown, and what the client sends arrives."""
    connection = Connection()
    connection.open()
    shown = connection.client.get_peer_certificate()
    assert shown is not None
    connection.client.send(b"question")
    connection.exchange()
    assert connection.server.received == b"question"
    connection.wire.write(b"answer")
    connection.exchange()
    assert connection.client.recv(100) == b"answer"


@pytest.mark.parametrize(
    ("octets", "answer"), [(b"GET / HTTP/1.1\r\n\r\n", PLAIN_HTTP), (b"\0\0", b""), (b"\x80.", b"")]
)
def test_what_is_not_tls(octets: bytes, answer: bytes) -> None:
    """Plain HTTP is told where to go, anything else is closed without a word, and the protocol gets neither."""
    connection = Connection()
    connection.wire.dataReceived(octets)
    assert connection.below.value() == answer
    assert connection.below.disconnecting
    assert connection.server.received == b""


def test_letters_inside_tls_are_no_greeting() -> None:
    """Only the first octets of a connection are looked at: later ones may begin with any octet."""
    connection = Connection()
    with suppress(SSL.WantReadError):
        connection.client.do_handshake()
    hello = connection.client.bio_read(1 << 16)
    for index in range(len(hello)):
        connection.wire.dataReceived(hello[index : index + 1])
    connection.exchange()
    connection.client.send(b"question")
    connection.exchange()
    assert connection.server.received == b"question"
    assert not connection.below.disconnecting


@pytest.mark.parametrize("octets", [b"\x16\x03\x01\x00\x05nonsense", b"\x16\x03\x01\xff\xff" + b"x" * 70_000])
def test_a_broken_handshake_ends_the_connection(octets: bytes) -> None:
    """Octets that are no handshake never reach the protocol, and nobody waits for more of them."""
    connection = Connection()
    connection.wire.dataReceived(octets)
    assert connection.below.disconnecting
    assert connection.server.received == b""


def test_a_protocol_that_fails_at_the_start(logged: list[str]) -> None:
    """It costs its own connection only, and the failure is logged."""
    connection = Connection(FailsAtStart)
    assert connection.below.aborted
    assert logged == ["connection dropped: its protocol failed at the start"]


def test_a_protocol_that_fails_later(logged: list[str]) -> None:
    """It costs its own connection only, and the failure is logged."""
    connection = Connection(FailsAtData)
    connection.open()
    connection.client.send(b"question")
    connection.exchange()
    assert connection.below.aborted
    assert logged == ["connection dropped: its protocol failed"]


def test_half_close() -> None:
    """After close_notify from here the client's octets still come."""
    connection = Connection(HalfCloseable)
    connection.open()
    connection.wire.write(b"answer")
    connection.wire.loseWriteConnection()
    connection.exchange()
    assert connection.client.recv(100) == b"answer"
    with pytest.raises(SSL.ZeroReturnError):
        connection.client.recv(100)
    assert not connection.below.disconnecting
    connection.client.send(b"afterthought")
    connection.exchange()
    assert connection.server.received == b"afterthought"


def test_closing_twice_waits_no_more() -> None:
    """The client's close_notify is waited for; asked again, the connection is closed without it."""
    connection = Connection()
    connection.open()
    connection.wire.loseConnection()
    connection.clock.advance(0)
    assert not connection.below.disconnecting
    connection.wire.loseConnection()
    assert connection.below.disconnecting


def test_abort() -> None:
    """It cuts the connection at once, and once."""
    connection = Connection()
    connection.open()
    connection.wire.abortConnection()
    assert connection.below.aborted
    connection.wire.connectionLost(Failure(FailingError()))
    connection.below.aborted = False
    connection.wire.abortConnection()
    assert not connection.below.aborted
