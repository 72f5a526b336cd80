from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from gateway.net.loop_endpoints import ConnectingTransport, LoopClientEndpoint, LoopPort, LoopServerEndpoint
from tests.support.loops import FakeLoop, FakeLoopTransport


class ScriptedLoop(asyncio.SelectorEventLoop):
    """A real loop without a network: look-ups and connections end as scripted."""

    addresses: list[str]
    outcomes: dict[str, OSError | None]
    tried: list[str]

    async def getaddrinfo(self, host, port, **_):
        if not self.addresses:
            raise socket.gaierror(-2, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.addresses]

    async def create_connection(self, make: Callable[[], object], host: str, port: int):
        self.tried.append(host)
        if host not in self.outcomes:
            await asyncio.sleep(60)
        problem = self.outcomes[host]
        if problem is not None:
            raise problem
        transport = FakeLoopTransport(peer=(host, port))
        transport.attach(make())
        return transport, None

    async def create_unix_connection(self, make: Callable[[], object], path: str):
        return await self.create_connection(make, path, 0)


@pytest.fixture
def loop() -> Iterator[ScriptedLoop]:
    made = ScriptedLoop()
    made.addresses, made.outcomes, made.tried = [], {}, []
    yield made
    made.run_until_complete(asyncio.sleep(0))
    made.close()


def connect(
    loop: ScriptedLoop, host: str = "app.example", path: str = "", timeout: float = 1.0, factory=None
) -> object:
    connecting = LoopClientEndpoint(loop, host, 4000, path, timeout).connect(factory or Factory.forProtocol(Protocol))
    return finish(loop, connecting)


def finish(loop: ScriptedLoop, connecting: Deferred[object]) -> object:
    results: list[object] = []
    connecting.addBoth(results.append)
    for _ in range(50):
        loop.run_until_complete(asyncio.sleep(0.01))
        if results:
            break
    (result,) = results
    return result.value if isinstance(result, Failure) else result


def test_all_addresses_in_turn(loop: ScriptedLoop) -> None:
    """All addresses of a name are tried, each once, until one accepts."""
    loop.addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    loop.outcomes = {"192.0.2.1": ConnectionRefusedError(111, "x"), "192.0.2.2": None, "192.0.2.3": None}
    assert isinstance(connect(loop), Protocol)
    assert loop.tried == ["192.0.2.1", "192.0.2.2"]


def test_all_refuse(loop: ScriptedLoop) -> None:
    """When no address accepts, the last refusal is reported."""
    loop.addresses = ["192.0.2.1", "192.0.2.2"]
    loop.outcomes = {"192.0.2.1": OSError(113, "x"), "192.0.2.2": ConnectionRefusedError(111, "y")}
    assert isinstance(connect(loop), ConnectionRefusedError)


def test_silent_address_leaves_time_for_the_next(loop: ScriptedLoop) -> None:
    """An address that does not answer takes only its share of the time."""
    loop.addresses = ["192.0.2.1", "192.0.2.2"]
    loop.outcomes = {"192.0.2.2": None}
    assert isinstance(connect(loop, timeout=0.1), Protocol)


def test_nobody_answers(loop: ScriptedLoop) -> None:
    """Silence everywhere is a time-out."""
    loop.addresses = ["192.0.2.1", "192.0.2.2"]
    assert isinstance(connect(loop, timeout=0.1), TimeoutError)
    assert loop.tried == ["192.0.2.1", "192.0.2.2"]


def test_unknown_name(loop: ScriptedLoop) -> None:
    """A name without addresses fails as a look-up."""
    assert isinstance(connect(loop), socket.gaierror)


def test_literal_addresses_and_paths(loop: ScriptedLoop) -> None:
    """Nothing is looked up for an IP address or a UNIX socket."""
    loop.outcomes = {"::1": None, "/run/a.sock": None}
    assert isinstance(connect(loop, "::1"), Protocol)
    assert isinstance(connect(loop, "", "/run/a.sock"), Protocol) is True


def test_cancelled(loop: ScriptedLoop) -> None:
    """Whoever no longer wants the connection gets Twisted's CancelledError and no protocol."""
    loop.addresses = ["192.0.2.1"]
    connecting = LoopClientEndpoint(loop, "app.example", 4000, "", 1.0).connect(Factory.forProtocol(Protocol))
    loop.run_until_complete(asyncio.sleep(0.01))
    connecting.cancel()
    assert isinstance(finish(loop, connecting), CancelledError)


def test_factory_without_protocol(loop: ScriptedLoop) -> None:
    """A factory that makes no protocol fails the connection."""
    loop.outcomes = {"192.0.2.1": None}
    factory = Factory()
    factory.buildProtocol = lambda address: None
    assert "no protocol" in str(connect(loop, "192.0.2.1", factory=factory))


class Counting(Factory):
    """Counts how often it was started and stopped."""

    noisy = False
    protocol = Protocol

    def __init__(self) -> None:
        self.started = self.stopped = 0

    def startFactory(self) -> None:
        self.started += 1

    def stopFactory(self) -> None:
        self.stopped += 1


def test_a_port_from_listening_to_the_end(loop: ScriptedLoop, tmp_path: Path) -> None:
    """Connections wait from the start on, are accepted once the loop runs, and stay up when the port is closed."""
    factory = Counting()
    with socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as late:
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(tmp_path / "a.sock"))
        listening = LoopServerEndpoint(loop, bound, 5).listen(factory)
        client.connect(str(tmp_path / "a.sock"))  # before the loop runs
        port = finish(loop, listening)
        assert isinstance(port, LoopPort)
        assert port.getHost() == UNIXAddress(str(tmp_path / "a.sock"))
        loop.run_until_complete(asyncio.sleep(0))
        stopping = port.stopListening()
        finish(loop, stopping)
        assert bound.fileno() == -1
        with pytest.raises(ConnectionRefusedError):
            late.connect(str(tmp_path / "a.sock"))
        client.sendall(b"still there")
        assert (factory.started, factory.stopped) == (1, 1)
        assert (tmp_path / "a.sock").exists()  # may be systemd's
        finish(loop, port.stopListening())
        assert factory.stopped == 1


def test_a_look_up_that_takes_too_long(loop: ScriptedLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that is silent costs no more than the time to connect."""

    async def silent(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(loop, "getaddrinfo", silent)
    assert isinstance(connect(loop, timeout=0.02), TimeoutError)


def test_a_connection_that_comes_too_late_is_dropped() -> None:
    """Nobody waits for it any more, so no protocol is made, and the connection is cut."""
    outcome: Deferred[object] = Deferred()
    below, factory = FakeLoopTransport(), Counting()
    transport = ConnectingTransport(FakeLoop(), factory, outcome)
    transport.settled = True
    below.attach(transport)
    assert below.did == ["abort"]
    assert not outcome.called
    transport.connection_lost(None)
    assert factory.stopped == 0


def test_the_factory_stops_with_its_connection() -> None:
    """Each connection holds its factory, from the attempt to the loss."""
    outcome: Deferred[object] = Deferred()
    below, factory = FakeLoopTransport(), Counting()
    factory.doStart()
    below.attach(ConnectingTransport(FakeLoop(), factory, outcome))
    assert outcome.called
    assert factory.stopped == 0
    below.protocol.connection_lost(None)
    assert factory.stopped == 1


class Hearing(Protocol):
    """Remembers what it is told, the end included."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def dataReceived(self, data: bytes) -> None:
        self.heard.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.heard.append(type(reason.value))


ANSWER = b"HTTP/1.1 413 Content Too Large\r\n\r\n"


@pytest.mark.parametrize(("paused", "heard"), [(False, [ANSWER, ConnectionLost]), (True, [ConnectionLost])])
def test_an_answer_is_heard_though_writing_failed(paused: bool, heard: list[object]) -> None:
    """A server that refuses a request and closes before it has read it all is understood, unless reading is paused."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(ANSWER)
        below, protocol = FakeLoopTransport(), Hearing()
        below.names["socket"] = ours
        transport = ConnectingTransport(FakeLoop(), Factory.forProtocol(lambda: protocol), Deferred())
        below.attach(transport)
        if paused:
            transport.pauseProducing()
        transport.connection_lost(BrokenPipeError())
    assert protocol.heard == heard
