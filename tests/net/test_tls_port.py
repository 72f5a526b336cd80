from __future__ import annotations

import errno
import socket

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.logger import LogEvent, globalLogPublisher

from gateway.net.tls_port import RETRY, TLSPort
from gateway.tls.sni import ServerNames
from tests.support.loops import PollingLoop

PEER = ("192.0.2.7", 4321)


class Accepted:
    """A connection that came in.

    Attributes:
        closed: Whether it was closed.
    """

    closed = False

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def close(self) -> None:
        self.closed = True


class Listening:
    """A listening socket.

    Attributes:
        waiting: Connections that can be accepted.
        asked: How often one was asked for.
        problem: Why none can be accepted.
        accepted: The connections given out.
        closed: Whether it was closed.
    """

    family = socket.AF_INET

    def __init__(self) -> None:
        self.waiting = 0
        self.asked = 0
        self.problem: OSError | None = None
        self.accepted: list[Accepted] = []
        self.closed = False

    def fileno(self) -> int:
        return -1 if self.closed else 7

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 443)

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def setsockopt(self, *_: object) -> None:
        pass

    def close(self) -> None:
        assert not self.closed
        self.closed = True

    def accept(self) -> tuple[Accepted, tuple[str, int]]:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        if not self.waiting:
            raise BlockingIOError
        self.waiting -= 1
        self.accepted.append(Accepted())
        return self.accepted[-1], PEER


class Refusing(Factory):
    """Counts connections and wants none of them."""

    noisy = False

    def __init__(self) -> None:
        self.seen = 0

    def buildProtocol(self, addr: IAddress | None) -> None:
        self.seen += 1


def listen() -> tuple[PollingLoop, Listening, Refusing]:
    loop, sock, factory = PollingLoop(), Listening(), Refusing()
    TLSPort(loop, sock, factory, ServerNames()).startListening()
    return loop, sock, factory


def test_connections_one_by_one() -> None:
    """Of connections that come one at a time few are followed by a question in vain."""
    loop, sock, factory = listen()
    for _ in range(90):
        sock.waiting = 1
        loop.turn()
    assert factory.seen == 90
    assert sock.asked <= 100


def test_a_storm_of_connections() -> None:
    """Connections that keep waiting are accepted many at a time, yet not all at once."""
    loop, sock, factory = listen()
    sock.waiting = 1000
    for _ in range(16):
        loop.turn()
    assert 100 < factory.seen < 200
    for _ in range(60):
        loop.turn()
    assert factory.seen == 1000


def test_none_can_be_accepted() -> None:
    """Where the system refuses, it is asked again after a second."""
    loop, sock, factory = listen()
    sock.problem = OSError(errno.EMFILE, "too many open files")
    sock.waiting = 1
    loop.turn()
    assert loop.readers == {}
    sock.problem = None
    ((delay, _, again),) = loop.timers
    again()
    loop.turn()
    assert (delay, factory.seen) == (RETRY, 1)


class Failing(Factory):
    """Makes no protocol, but an error."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> None:
        raise ValueError("no protocol today")


def test_a_connection_that_cannot_be_set_up() -> None:
    """It is closed and the failure logged; the port goes on."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    try:
        loop, sock = PollingLoop(), Listening()
        TLSPort(loop, sock, Failing(), ServerNames()).startListening()
        sock.waiting = 2
        loop.turn()
        loop.turn()
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert [accepted.closed for accepted in sock.accepted] == [True, True]
    assert [event["log_format"] for event in events] == ["connection dropped: it could not be set up"] * 2
    assert list(loop.readers) == [7]


def test_connections_nobody_wants_are_closed() -> None:
    """A factory without a protocol refuses."""
    loop, sock, _ = listen()
    sock.waiting = 1
    loop.turn()
    assert [accepted.closed for accepted in sock.accepted] == [True]


def test_a_client_that_left_before_it_was_accepted() -> None:
    """Its place in the queue is empty, and that is all."""
    loop, sock, factory = listen()
    sock.problem = ConnectionAbortedError()
    loop.turn()
    sock.problem, sock.waiting = None, 1
    loop.turn()
    assert (factory.seen, loop.timers) == (1, [])


def test_stopped_while_none_can_be_accepted() -> None:
    """A port that is stopped asks no more, not even later; stopping twice does nothing."""
    loop, sock = PollingLoop(), Listening()
    port = TLSPort(loop, sock, Refusing(), ServerNames())
    port.startListening()
    sock.problem = OSError(errno.EMFILE, "too many open files")
    loop.turn()
    port.stopListening()
    ((_, handle, _),) = loop.timers
    assert handle.cancelled
    assert sock.closed
    port.stopListening()
    assert loop.readers == {}
