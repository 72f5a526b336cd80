from __future__ import annotations

import pytest
from twisted.internet import error
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import globalLogPublisher
from zope.interface import implementer
from zope.interface.verify import verifyObject

from gateway.net.transport import LoopTransport
from tests.support.loops import FakeLoop, FakeLoopTransport


class Recorder(Protocol):
    def __init__(self) -> None:
        self.events: list[object] = []

    def connectionMade(self) -> None:
        self.events.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)

    def connectionLost(self, reason) -> None:
        self.events.append(reason.value)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    def readConnectionLost(self) -> None:
        self.events.append("read side lost")

    def writeConnectionLost(self) -> None:
        self.events.append("write side lost")


@implementer(IPushProducer, IPullProducer)
class Producer:
    def __init__(self) -> None:
        self.events: list[str] = []

    def pauseProducing(self) -> None:
        self.events.append("pause")

    def resumeProducing(self) -> None:
        self.events.append("resume")

    def stopProducing(self) -> None:
        self.events.append("stop")


class Connection:
    def __init__(self, protocol: Recorder | None = None, **names: object) -> None:
        self.protocol = protocol or Recorder()
        self.loop = FakeLoop()
        self.below = FakeLoopTransport(**names)
        self.transport = LoopTransport(self.loop, Factory.forProtocol(lambda: self.protocol))
        self.below.attach(self.transport)

    def last(self) -> object:
        return self.protocol.events[-1]


@pytest.fixture
def logged():
    events: list[object] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_interfaces() -> None:
    """The adapter is all that a Twisted TCP transport must be."""
    assert verifyObject(ITCPTransport, Connection().transport)


def test_data_goes_straight_to_the_protocol() -> None:
    """What uvloop calls is the protocol's own method, and write is uvloop's own: nothing lies between."""
    connection = Connection()
    assert connection.below.data_received == connection.protocol.dataReceived
    assert connection.transport.write == connection.below.write
    connection.below.receive(b"x")
    connection.transport.writeSequence([b"a", b"b"])
    assert connection.protocol.events == ["made", b"x"]
    assert connection.below.written == [b"ab"]


def test_addresses() -> None:
    """Both ends are Twisted addresses."""
    transport = Connection().transport
    assert transport.getPeer() == IPv4Address("TCP", "192.0.2.7", 4321)
    assert transport.getHost() == IPv4Address("TCP", "127.0.0.1", 80)
    local = Connection(peer="", host="/run/a.sock").transport
    assert local.getPeer() == UNIXAddress(None)
    assert local.getHost() == UNIXAddress("/run/a.sock")


@pytest.mark.parametrize(
    ("problem", "reason"),
    [(None, error.ConnectionDone), (OSError(104, "reset"), error.ConnectionLost), (ValueError("bug"), ValueError)],
)
def test_loss(problem: Exception | None, reason: type[Exception]) -> None:
    """The protocol hears why it lost the connection in Twisted's terms, once, and late calls do nothing."""
    connection = Connection()
    connection.transport.connection_lost(problem)
    assert isinstance(connection.last(), reason)
    connection.transport.write(b"late")
    connection.transport.loseConnection()
    connection.transport.abortConnection()
    connection.transport.loseWriteConnection()
    connection.transport.pauseProducing()
    connection.transport.resumeProducing()
    connection.transport.setTcpNoDelay(True)
    assert connection.below.written == []
    assert connection.below.did == []
    assert connection.transport.write_buffer_size() == 0
    assert not connection.transport.connected
    assert len(connection.protocol.events) == 2


def test_operating_system_error_of_the_protocol(logged: list[dict[str, object]]) -> None:
    """An OSError that the protocol's code raised is logged, unlike one of the network."""
    connection = Connection()
    connection.transport.connection_lost(OSError(104, "reset"))
    assert logged == []
    connection = Connection()
    try:
        raise FileNotFoundError("bug")
    except FileNotFoundError as problem:
        connection.transport.connection_lost(problem)
    assert isinstance(connection.last(), FileNotFoundError)
    assert [event["log_format"] for event in logged] == ["connection dropped: its protocol failed"]


def test_abort() -> None:
    """Aborting drops the connection at once, with the reason that Twisted gives."""
    connection = Connection()
    connection.transport.abortConnection()
    connection.transport.connection_lost(None)
    assert connection.below.did == ["abort"]
    assert isinstance(connection.last(), error.ConnectionAborted)


def test_close() -> None:
    """Closing leaves it to uvloop to send what is unsent, once."""
    connection = Connection()
    connection.below.unsent = 10
    connection.transport.loseConnection()
    connection.transport.loseConnection()
    assert connection.below.did == ["close"]
    assert connection.transport.disconnecting
    assert connection.transport.write_buffer_size() == 10
    connection.transport.connection_lost(None)
    assert isinstance(connection.last(), error.ConnectionDone)


def test_end_of_file() -> None:
    """The peer's end of file ends the connection under a protocol that knows nothing of half-closed ones."""
    connection = Connection()
    assert not connection.transport.eof_received()
    connection.transport.connection_lost(None)
    assert connection.below.did == ["abort"]
    assert isinstance(connection.last(), error.ConnectionDone)


def test_half_close() -> None:
    """A protocol that knows half-closed connections may still write after the peer's end of file."""
    connection = Connection(HalfCloseable())
    assert connection.transport.eof_received()
    connection.transport.write(b"answer")
    connection.transport.loseWriteConnection()
    connection.transport.write(b"late")
    assert connection.protocol.events == ["made", "read side lost"]
    assert connection.below.written == [b"answer"]
    assert connection.below.did == ["write_eof"]


def test_push_producer() -> None:
    """Back-pressure reaches the producer, and it is stopped when the connection is lost."""
    connection, producer = Connection(), Producer()
    connection.transport.registerProducer(producer, True)
    connection.transport.pause_writing()
    connection.transport.resume_writing()
    with pytest.raises(RuntimeError):
        connection.transport.registerProducer(Producer(), True)
    connection.transport.connection_lost(None)
    assert producer.events == ["pause", "resume", "stop"]


def test_producer_registered_under_pressure() -> None:
    """A producer that comes while too much is unsent is paused at once; one that left hears nothing more."""
    connection, producer = Connection(), Producer()
    connection.transport.pause_writing()
    connection.transport.registerProducer(producer, True)
    connection.transport.unregisterProducer()
    connection.transport.resume_writing()
    assert producer.events == ["pause"]


def test_producer_registered_too_late() -> None:
    """A producer for a connection that is gone is stopped."""
    connection, producer = Connection(), Producer()
    connection.transport.connection_lost(None)
    connection.transport.registerProducer(producer, True)
    assert producer.events == ["stop"]


def test_pull_producer() -> None:
    """A pull producer is asked once a turn, not while too much is unsent, and not after it left."""
    connection, producer = Connection(), Producer()
    connection.transport.registerProducer(producer, False)
    assert producer.events == []
    connection.loop.turn()
    connection.loop.turn()
    connection.transport.pause_writing()
    connection.loop.turn()
    assert producer.events == ["resume"] * 2
    connection.transport.resume_writing()
    connection.loop.turn()
    connection.transport.unregisterProducer()
    connection.loop.turn()
    assert producer.events == ["resume"] * 3


def test_pause_reading() -> None:
    """The transport is itself a producer: pausing it stops reading, stopping it closes."""
    connection = Connection()
    connection.transport.pauseProducing()
    connection.transport.resumeProducing()
    connection.transport.stopProducing()
    assert connection.below.did == ["pause_reading", "resume_reading", "close"]


class PausedAtStart(Recorder):
    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.pauseProducing()


def test_pause_in_connection_made() -> None:
    """A pause asked for in connectionMade holds, though uvloop starts to read after it."""
    connection = Connection(PausedAtStart())
    connection.below.receive(b"early")
    connection.loop.turn()
    assert not connection.below.reading
    assert connection.protocol.events == ["made"]
    connection.transport.resumeProducing()
    connection.loop.turn()
    assert connection.below.reading
    assert connection.below.data_received == connection.protocol.dataReceived
    assert connection.protocol.events == ["made", b"early"]


def test_early_data_comes_before_the_end() -> None:
    """What came before such a pause took effect is not lost when the connection ends."""
    connection = Connection(PausedAtStart())
    connection.below.receive(b"early")
    connection.transport.connection_lost(None)
    assert connection.protocol.events[:2] == ["made", b"early"]
    assert isinstance(connection.last(), error.ConnectionDone)


def test_other_protocol() -> None:
    """Another protocol can take the connection over, as after an upgrade."""
    connection, other = Connection(), Recorder()
    connection.transport.protocol = other
    connection.below.receive(b"x")
    connection.transport.connection_lost(None)
    assert other.events[0] == b"x"
    assert connection.protocol.events == ["made"]


def test_broken_start(logged: list[object]) -> None:
    """A protocol that fails at the start costs its own connection, and the failure is logged."""

    class Broken(Recorder):
        def connectionMade(self) -> None:
            raise ValueError("bug")

    connection = Connection(Broken())
    assert connection.below.did == ["abort"]
    assert len(logged) == 1
    connection.transport.connection_lost(None)
    assert isinstance(connection.last(), ValueError)


def test_no_protocol() -> None:
    """A factory that makes no protocol refuses the connection."""
    factory = Factory()
    factory.buildProtocol = lambda address: None
    below = FakeLoopTransport()
    transport = LoopTransport(FakeLoop(), factory)
    below.attach(transport)
    transport.connection_lost(None)
    assert below.did == ["abort"]
