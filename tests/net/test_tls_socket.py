"""TLS connections as Twisted protocols meet them: back-pressure, ends of every sort, and protocols that fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from OpenSSL import SSL
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener, IPullProducer, IPushProducer
from twisted.logger import LogEvent, globalLogPublisher
from zope.interface import implementer

from gateway.net.tls_socket import HIGH_WATER, LOW_WATER
from gateway.net.tls_state import PLAIN_HTTP, State
from tests.net.test_tls_wire import Connection, Corked, Server
from tests.support.loops import Handle


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made.close()


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@implementer(IPushProducer, IPullProducer)
class Producer:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class FailingError(Exception):
    """What the protocols below fail with."""


@implementer(IHandshakeListener)
class FailsAtHandshake(Server):
    def handshakeCompleted(self) -> None:
        raise FailingError


class FailsAtData(Server):
    def dataReceived(self, data: bytes) -> None:
        raise FailingError


@implementer(IHalfCloseableProtocol)
class FailsAtEnd(Server):
    def readConnectionLost(self) -> None:
        raise FailingError

    def writeConnectionLost(self) -> None:
        raise AssertionError


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Server):
    ended = False

    def readConnectionLost(self) -> None:
        self.ended = True

    def writeConnectionLost(self) -> None:
        raise AssertionError


def fill(connection: Connection) -> int:
    """Write, while the client reads nothing, until the kernel and TLS take no more."""
    sent = 0
    while connection.wire.write_buffer_size() <= HIGH_WATER:
        connection.wire.write(b"x" * 100_000)
        connection.loop.turn()
        sent += 100_000
    return sent


def take_some(connection: Connection) -> int:
    """Let the client read a little, and the server write what then fits."""
    connection.client.bio_write(connection.plain.recv(10_000))
    for writer in list(connection.loop.writers.values()):
        writer()
    return len(connection.read())


def test_a_client_that_reads_slowly_pauses_the_producer(connection: Connection) -> None:
    """Over the high water the producer is paused, once; at the low water it goes on, and nothing is lost."""
    connection.open(b"question")
    producer = Producer()
    connection.wire.registerProducer(producer, True)
    sent = fill(connection)
    connection.wire.write(b"x")
    assert producer.told == ["pause"]
    got = 0
    while producer.told == ["pause"]:
        assert connection.wire.write_buffer_size() > LOW_WATER
        got += take_some(connection)
    assert producer.told == ["pause", "resume"]
    assert connection.wire.write_buffer_size() <= LOW_WATER
    while got <= sent:
        got += take_some(connection)
    assert got == sent + 1


def test_a_producer_that_comes_late_is_paused_at_once(connection: Connection) -> None:
    """Who registers on a connection that is full already does not begin."""
    connection.open()
    fill(connection)
    producer = Producer()
    connection.wire.registerProducer(producer, True)
    assert producer.told == ["pause"]


def test_pull_producers_are_asked_until_they_are_gone(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A producer that only answers is asked from the next turn on, and no more once it is unregistered."""
    connection.open()
    asked: list[Handle] = []
    monkeypatch.setattr(connection.loop, "call_soon", lambda _function, *_: asked.append(Handle()) or asked[-1])
    connection.wire.registerProducer(Producer(), False)
    assert [handle.cancelled for handle in asked] == [False]
    connection.wire.unregisterProducer()
    assert [handle.cancelled for handle in asked] == [True]


def test_one_producer_at_a_time(connection: Connection) -> None:
    """A second producer would mix two streams."""
    connection.wire.registerProducer(Producer(), True)
    with pytest.raises(RuntimeError):
        connection.wire.registerProducer(Producer(), True)


def test_a_producer_for_a_connection_that_is_over(connection: Connection) -> None:
    """It hears at once that nobody will take anything."""
    connection.wire.end(ConnectionDone())
    producer = Producer()
    connection.wire.registerProducer(producer, True)
    assert producer.told == ["stop"]


def test_who_is_left_hears_of_the_end_once(connection: Connection) -> None:
    """Producer and protocol hear that the connection is gone, in the next turn, and are let go of."""
    connection.open()
    producer = Producer()
    connection.wire.registerProducer(producer, True)
    connection.wire.end(ConnectionDone())
    assert (producer.told, connection.server.reason) == ([], None)
    connection.loop.turn()
    assert producer.told == ["stop"]
    assert connection.server.reason is not None
    assert (connection.wire.connected, connection.wire.protocol) == (False, None)
    connection.wire.end(ConnectionDone())
    connection.loop.turn()
    assert producer.told == ["stop"]


@pytest.mark.parametrize("kind", [FailsAtHandshake, FailsAtData, FailsAtEnd])
def test_a_protocol_that_fails_ends_its_connection(
    connection: Connection, kind: type[Server], logged: list[LogEvent]
) -> None:
    """The failure is logged, and the protocol hears it as the reason; the loop, with all other connections, goes on."""
    failing = connection.wire.protocol = kind()
    connection.open(b"question")
    with suppress(SSL.Error, BrokenPipeError):  # where the connection is over already
        connection.client.shutdown()
        connection.send()
    connection.loop.turn()
    assert connection.wire.state is State.CLOSED
    assert failing.reason is not None
    assert failing.reason.check(FailingError)
    assert connection.loop.readers == {}
    assert [event["log_format"] for event in logged] == ["connection dropped: its protocol failed"]


def test_the_clients_end_ends_a_protocol_that_knows_no_halves(connection: Connection) -> None:
    """After close_notify the answer still goes out, then the connection is over."""
    connection.open(b"question")
    connection.wire.write(b"answer")
    connection.client.shutdown()
    connection.send()
    connection.turn()
    connection.turn()
    assert connection.read() == b"answer"
    assert connection.wire.state is State.CLOSED
    assert connection.server.reason is not None
    assert connection.server.reason.check(ConnectionDone)


def test_the_clients_end_leaves_the_other_half(connection: Connection) -> None:
    """A protocol that knows halves may go on to write."""
    connection.open(b"question")
    protocol = connection.wire.protocol = HalfCloseable()
    connection.client.shutdown()
    connection.send()
    connection.turn()
    assert protocol.ended
    assert connection.wire.state is State.OPEN
    connection.wire.write(b"answer")
    connection.turn()
    assert connection.read() == b"answer"
    connection.wire.loseConnection()
    connection.turn()
    assert protocol.reason is not None


def test_an_end_without_close_notify_is_no_end(connection: Connection) -> None:
    """A connection that is cut below TLS is lost, lest half an upload pass for a whole one (RFC 8446 §6.1)."""
    connection.open(b"half an upload")
    protocol = connection.wire.protocol = HalfCloseable()
    connection.plain.shutdown(socket.SHUT_WR)
    connection.turn()
    assert not protocol.ended
    assert protocol.reason is not None
    assert not protocol.reason.check(ConnectionDone)


def test_abort_resets(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is unsent is dropped, and the client gets a reset instead of an orderly end; a second time does nothing."""
    options: list[tuple[object, ...]] = []
    monkeypatch.setattr(Corked, "setsockopt", lambda _self, *what: options.append(what))
    connection.open(b"question")
    connection.records.clear()
    options.clear()
    connection.wire.write(b"answer")
    connection.wire.abortConnection()
    connection.wire.abortConnection()
    connection.turn()
    assert options == [(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")]
    assert connection.records == []
    assert connection.server.reason is not None
    assert connection.server.reason.check(ConnectionAborted)
    assert connection.wire.fileno() == -1


def test_nothing_is_written_behind_the_end(connection: Connection) -> None:
    """Once it was asked to close, what is written is dropped, and so is nothing at all."""
    connection.open(b"question")
    connection.wire.writeSequence([b"an", b"swer"])
    connection.wire.write(b"")
    connection.wire.loseConnection()
    connection.wire.write(b"late")
    connection.turn()
    assert connection.read() == b"answer"


def test_close_before_the_handshake(connection: Connection) -> None:
    """There is nobody to say goodbye to."""
    connection.wire.stopProducing()
    connection.loop.turn()
    assert connection.wire.state is State.CLOSED
    assert connection.server.reason is not None


def test_reading_waits_while_it_is_paused(connection: Connection) -> None:
    """Octets stay in the kernel, where they stop the client in the end."""
    connection.open()
    connection.wire.pauseProducing()
    connection.client.send(b"question")
    connection.send()
    connection.turn()
    assert connection.server.received == []
    connection.wire.resumeProducing()
    connection.turn()
    assert connection.server.received == [b"question"]


@pytest.mark.parametrize(
    ("octets", "answer"),
    [(b"GET / HTTP/1.1\r\n\r\n", PLAIN_HTTP), (b"\0", b""), (b"\x80\x2e\x01", b""), (b"", b"")],
)
def test_what_is_not_tls(connection: Connection, octets: bytes, answer: bytes) -> None:
    """Plain HTTP is told where to go; anything else, and a client that leaves, is closed without a word."""
    connection.plain.send(octets)
    connection.plain.shutdown(socket.SHUT_WR)
    connection.loop.turn()
    with suppress(ConnectionResetError):  # a socket closed with octets unread
        assert connection.plain.recv(1000) == answer
    connection.loop.turn()
    connection.loop.turn()
    assert connection.wire.state is State.CLOSED
    assert connection.server.received == []
    assert connection.server.reason is not None


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x00\x05nonsense",
        b"\x16\x03\x01\xff\xff" + b"\x01" * 66_000,
        b"\x16\x03\x01\x00\x2b\x01\x00\x00\x27\x03\x03" + b"\0" * 39,
    ],
)
def test_a_broken_handshake_is_answered_with_an_alert(connection: Connection, octets: bytes) -> None:
    """Octets that are no handshake end the connection with OpenSSL's alert, and the protocol gets none of them."""
    connection.plain.send(octets)
    connection.loop.turn()
    connection.loop.turn()
    assert connection.plain.recv(100)[:1] == b"\x15"
    connection.plain.close()
    connection.loop.turn()
    connection.loop.turn()
    assert connection.wire.state is State.CLOSED
    assert connection.server.received == []
    assert connection.server.reason is not None


def test_a_client_that_leaves_in_the_handshake(connection: Connection) -> None:
    """An unfinished handshake ends with the client's half."""
    with pytest.raises(SSL.WantReadError):
        connection.client.do_handshake()
    connection.plain.send(connection.client.bio_read(1 << 16)[:100])
    connection.loop.turn()
    assert connection.wire.state is State.HANDSHAKE
    connection.plain.shutdown(socket.SHUT_WR)
    connection.loop.turn()
    connection.loop.turn()
    assert connection.wire.state is State.CLOSED
    assert connection.server.reason is not None
