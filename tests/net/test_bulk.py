"""A uvloop connection that content passes by."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import error
from twisted.internet.protocol import Factory, Protocol

from gateway.net.transport import LoopTransport
from tests.support.files import open_descriptors
from tests.support.loops import FakeLoop, FakeLoopTransport


class Recorder(Protocol):
    def __init__(self) -> None:
        self.events: list[object] = []

    def pauseProducing(self) -> None:
        self.events.append("pause")

    def resumeProducing(self) -> None:
        self.events.append("resume")

    def stopProducing(self) -> None:
        self.events.append("stop")

    def connectionLost(self, reason) -> None:
        self.events.append(reason.value)


class Connection:
    def __init__(self, folder: Path) -> None:
        (folder / "file").write_bytes(b"x" * 3_000_000)
        self.file = os.open(folder / "file", os.O_RDONLY)
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.protocol = Recorder()
        self.loop = FakeLoop()
        self.below = FakeLoopTransport()
        self.below.names["socket"] = self.here
        self.transport = LoopTransport(self.loop, Factory.forProtocol(lambda: self.protocol))
        self.below.attach(self.transport)
        self.transport.registerProducer(self.protocol, True)

    def send(self, length: int = 3_000_000) -> int:
        return self.transport.send_from(self.file, 0, length, 0)

    def close(self) -> None:
        self.transport.connection_lost(None)
        self.here.close()
        self.there.close()
        os.close(self.file)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    before = open_descriptors()
    connection = Connection(tmp_path)
    yield connection
    connection.close()
    assert not connection.loop.writers
    assert open_descriptors() <= before


def test_a_file_that_the_socket_takes_at_once(connection: Connection) -> None:
    """Nobody is paused, and nothing waits."""
    assert connection.send(1000) == 1000
    assert connection.there.recv(2000) == b"x" * 1000
    assert connection.protocol.events == []
    assert connection.transport.write_buffer_size() == 0


def test_a_socket_that_is_full(connection: Connection) -> None:
    """The producer is paused and resumed as with ordinary writes, and what is unsent counts."""
    sent = connection.send()
    assert 0 < sent < 3_000_000
    assert connection.protocol.events == ["pause"]
    assert connection.transport.write_buffer_size() == 3_000_000 - sent
    while connection.protocol.events == ["pause"]:
        connection.there.recv(1_000_000)
        connection.loop.poll()
    assert connection.protocol.events == ["pause", "resume"]
    assert connection.transport.write_buffer_size() == 0


def test_what_was_written_goes_first(connection: Connection) -> None:
    """The descriptor is not touched before uvloop has sent all that it has, and says when that is."""
    connection.below.unsent = 10
    assert connection.send() == 0
    assert connection.protocol.events == ["pause"]
    assert connection.below.high_water == 0
    connection.below.drain()
    assert connection.protocol.events == ["pause", "resume"]
    assert connection.below.high_water == 65536
    assert connection.send(10) == 10


def test_a_client_that_is_gone(connection: Connection) -> None:
    """The connection ends as if uvloop had found it."""
    connection.there.close()
    assert connection.send() == 0
    assert connection.below.did[-1] == "abort"
    assert connection.send() == 0
    connection.transport.connection_lost(None)
    assert isinstance(connection.protocol.events[-1], error.ConnectionLost)
    assert connection.send() == 0


@pytest.mark.parametrize("end", ["abortConnection", "loseConnection"])
def test_closed_while_the_socket_is_full(connection: Connection, end: str) -> None:
    """Nothing waits for the socket any more."""
    connection.send()
    assert connection.loop.writers
    getattr(connection.transport, end)()
    assert not connection.loop.writers
    assert connection.send() == 0


def test_errors_of_the_file_are_the_callers(connection: Connection) -> None:
    """They do not end the connection."""
    with pytest.raises(EOFError):
        connection.transport.send_from(connection.file, 3_000_000, 1, 0)
    with pytest.raises(OSError, match="Bad file"):
        connection.transport.send_from(-1, 0, 1, 0)
    assert connection.below.did == []


class Reader:
    def __init__(self) -> None:
        self.events: list[str] = []

    def pause(self) -> None:
        self.events.append("pause")

    def resume(self) -> None:
        self.events.append("resume")

    def stop(self) -> None:
        self.events.append("stop")


def test_reading_left_to_somebody_else(connection: Connection) -> None:
    """They are told to pause and to resume in the transport's place, until it reads again."""
    reader = Reader()
    connection.transport.divert(reader)
    assert not connection.below.reading
    connection.transport.pauseProducing()
    connection.transport.resumeProducing()
    assert reader.events == ["resume", "pause", "resume"]
    assert not connection.below.reading
    connection.transport.restore()
    assert connection.below.reading
    connection.transport.pauseProducing()
    assert not connection.below.reading
    connection.transport.divert(reader)
    connection.transport.restore()
    assert not connection.below.reading
    assert reader.events == ["resume", "pause", "resume"]


def test_what_is_in_store_comes_before(tmp_path: Path) -> None:
    """Octets that came while the protocol was paused at its start are its own, even where the first lead elsewhere."""
    reader = Reader()

    class Diverting(Recorder):
        def connectionMade(self) -> None:
            self.transport.pauseProducing()

        def dataReceived(self, data: bytes) -> None:
            self.events.append(data)
            self.transport.divert(reader)

    loop, below, protocol = FakeLoop(), FakeLoopTransport(), Diverting()
    below.attach(LoopTransport(loop, Factory.forProtocol(lambda: protocol)))
    below.receive(b"first")
    below.receive(b"second")
    loop.turn()
    protocol.transport.resumeProducing()
    loop.turn()
    assert protocol.events == [b"first", b"second"]
    assert not below.reading
