from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from OpenSSL import SSL
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from gateway.net.tls_socket import TLSSocket
from gateway.net.tls_state import State
from gateway.net.tls_turn import Turn
from gateway.tls.sni import ServerNames
from tests.support.certificates import Authority
from tests.support.handshake import client_context
from tests.support.loops import PollingLoop

TCP = IPv4Address("TCP", "192.0.2.7", 4321)
NAMES = ServerNames()
NAMES.put("app.example", Authority("ca.example").certified("app.example"))


class Server(Protocol):
    """Gathers what comes."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.reason: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


class Corked(socket.socket):
    """Remembers what TCP was told to hold back (True) and to send (False)."""

    held: list[bool]

    def setsockopt(self, level: int, name: int, value: object) -> None:
        assert (level, name) == (socket.IPPROTO_TCP, socket.TCP_CORK)
        self.held.append(bool(value))


class Connection:
    """A client in memory and the server's side of its connection on a pair of sockets."""

    def __init__(self, peer: IAddress = TCP, version: int = SSL.TLS1_3_VERSION) -> None:
        self.plain, other = socket.socketpair()
        self.plain.setblocking(False)
        self.sock = Corked(fileno=other.detach())
        self.sock.held = []
        self.sock.setblocking(False)
        self.loop, self.server = PollingLoop(), Server()
        self.wire = TLSSocket(Turn(self.loop), self.sock, NAMES.first, peer, self.server)
        self.client = SSL.Connection(client_context(version), None)
        self.client.set_tlsext_host_name(b"app.example")
        self.client.set_connect_state()
        self.records: list[bytes] = []

    def send(self) -> None:
        """Let the client's octets reach the server."""
        with suppress(SSL.WantReadError):
            self.plain.send(self.client.bio_read(1 << 16))

    def turn(self) -> None:
        """Let the server read and write once, and the client take what it sent."""
        self.loop.turn()
        with suppress(BlockingIOError):
            data = self.plain.recv(1 << 20) if self.plain.fileno() >= 0 else b""
            while data:
                size = 5 + int.from_bytes(data[3:5])
                self.records.append(data[:size])
                self.client.bio_write(data[:size])
                data = data[size:]

    def open(self, request: bytes = b"") -> None:
        """Shake hands; a request comes together with the client's last message."""
        shaking = True
        while shaking:
            try:
                self.client.do_handshake()
                shaking = False
            except SSL.WantReadError:
                self.send()
                self.turn()
        if request:
            self.client.send(request)
        self.send()
        self.turn()

    def read(self) -> bytes:
        """Take what the client can read."""
        data = b""
        with suppress(SSL.WantReadError, SSL.ZeroReturnError):
            while True:
                data += self.client.recv(1 << 16)
        return data

    def close(self) -> None:
        self.plain.close()
        self.sock.close()


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made.close()


def test_writes_of_one_turn_are_one_record(connection: Connection) -> None:
    """Small writes of one turn leave as one record, in one piece."""
    connection.open(b"question")
    connection.records.clear()
    for piece in (b"head", b" ", b"body"):
        connection.wire.write(piece)
    connection.turn()
    assert (connection.read(), len(connection.records)) == (b"head body", 1)


def test_one_read_a_wake_up(connection: Connection) -> None:
    """A wake-up hands over one record, and several that are full in one piece."""
    connection.open()
    for piece in (b"one", b"two", b"x" * 40_000):
        connection.client.sendall(piece)
        connection.send()
    for _ in range(3):
        connection.turn()
    assert [len(piece) for piece in connection.server.received] == [3, 3, 40_000]


def test_a_reset_is_seen_though_the_loop_is_silent(connection: Connection) -> None:
    """Octets are followed by one more look: libuv tells of a reset behind unread octets once, and they come first."""
    connection.open(b"part of an upload")
    connection.plain.close()
    [(_, handle, look)] = connection.loop.timers
    look()
    connection.loop.readers.clear()
    connection.loop.turn()
    assert connection.server.reason is not None
    assert not connection.server.reason.check(ConnectionDone)
    assert not handle.cancelled


def test_looks_end_with_the_connection(connection: Connection) -> None:
    """One look at a time is to come, and none once the connection is over."""
    connection.open(b"one")
    connection.client.send(b"two")
    connection.send()
    connection.turn()
    [(_, handle, _)] = connection.loop.timers
    connection.wire.loseConnection()
    connection.turn()
    assert connection.wire.state is State.DRAINING
    assert handle.cancelled


def test_nothing_is_looked_for_without_octets(connection: Connection) -> None:
    """A connection that only sits there has no timer."""
    connection.open()
    assert connection.loop.timers == []
    connection.open(b"one")
    [(_, _, look)] = connection.loop.timers
    look()
    assert len(connection.loop.timers) == 1


def test_tickets_leave_with_the_first_answer(connection: Connection) -> None:
    """A request that ends the handshake has the tickets wait for its answer; afterwards nothing waits."""
    connection.open(b"question")
    assert connection.sock.held == [True]
    connection.wire.write(b"answer")
    connection.turn()
    connection.wire.write(b"more")
    connection.turn()
    assert (connection.sock.held, connection.read()) == ([True, False], b"answermore")


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_nothing_waits_for_a_silent_client(version: int) -> None:
    """The last message of a handshake is sent at once where no request came with the client's."""
    connection = Connection(version=version)
    connection.open()
    assert (connection.wire.state, connection.sock.held) == (State.OPEN, [True, False])
    connection.close()


def test_the_end_leaves_with_the_last_answer(connection: Connection) -> None:
    """Answer, close_notify and the end of the connection are held back to leave together."""
    connection.open(b"question")
    connection.wire.write(b"answer")
    connection.turn()
    connection.sock.held.clear()
    connection.wire.write(b"last")
    connection.wire.loseConnection()
    connection.turn()
    assert connection.sock.held == [True]
    assert connection.read() == b"answerlast"
    assert connection.client.get_shutdown() & SSL.RECEIVED_SHUTDOWN
    assert connection.plain.recv(1) == b""


def test_unix_sockets_hold_nothing_back() -> None:
    """A socket that is not TCP's has no such option."""
    connection = Connection(UNIXAddress(None))
    connection.open(b"question")
    connection.wire.write(b"answer")
    connection.wire.loseConnection()
    connection.turn()
    assert (connection.sock.held, connection.read()) == ([], b"answer")
    connection.close()


def test_goodbye(connection: Connection) -> None:
    """A connection we closed drops what still comes, and is gone once the client closes."""
    connection.open(b"question")
    connection.wire.loseConnection()
    connection.client.send(b"too late")
    connection.send()
    connection.turn()
    assert (connection.wire.state, connection.server.received) == (State.DRAINING, [b"question"])
    connection.plain.close()
    connection.turn()
    assert (connection.wire.state, connection.loop.readers) == (State.CLOSED, {})
    assert all(handle.cancelled for _, handle, _ in connection.loop.timers)
    assert connection.server.reason is not None
    assert connection.server.reason.check(ConnectionDone)


def test_goodbye_while_reading_is_paused(connection: Connection) -> None:
    """The client's end is noticed on a connection whose reading was paused when we closed it."""
    connection.open(b"question")
    connection.wire.pauseProducing()
    connection.wire.loseConnection()
    connection.plain.close()
    connection.turn()
    assert connection.wire.state is State.CLOSED


def test_goodbye_is_short(connection: Connection) -> None:
    """A client that never closes is waited for two seconds."""
    connection.open(b"question")
    connection.wire.loseConnection()
    ((delay, _, function),) = [timer for timer in connection.loop.timers if not timer[1].cancelled]
    function()
    connection.turn()
    assert (delay, connection.wire.state, connection.loop.readers) == (2, State.CLOSED, {})


def test_a_stream_after_the_end(connection: Connection) -> None:
    """A client that sends on and on after we closed is cut after a megabyte."""
    connection.open(b"question")
    connection.wire.loseConnection()
    connection.turn()
    for _ in range(40):
        with suppress(BlockingIOError, BrokenPipeError):
            connection.plain.send(b"x" * 65_536)
        connection.loop.turn()
    assert connection.wire.state is State.CLOSED


def test_half_close(connection: Connection) -> None:
    """After close_notify from here the client's octets still come."""
    connection.open(b"question")
    connection.wire.write(b"answer")
    connection.wire.loseWriteConnection()
    connection.turn()
    connection.client.send(b"afterthought")
    connection.send()
    connection.turn()
    assert connection.read() == b"answer"
    assert connection.server.received == [b"question", b"afterthought"]
    assert connection.wire.state is State.OPEN
