"""Content from socket to socket: in order, at the sink's pace, and nothing left behind however it ends."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import globalLogPublisher

from gateway.errors import GatewayError
from gateway.net.pipes import Pipes
from gateway.net.splicing import splice
from gateway.net.transport import LoopTransport
from tests.support.files import open_descriptors
from tests.support.loops import FakeLoop, FakeLoopTransport

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="splice is Linux's")


class Moving:
    """A source that the test writes into, and an output with a limited appetite.

    Attributes:
        left: Octets still to come.
        got: What came out.
        room: What the output takes before it pauses; None for all.
        events: What the owner was told of the end.
    """

    def __init__(self, left: int, room: int | None = None) -> None:
        self.content_left = left
        self.room = room
        self.got = b""
        self.following: list[int] = []
        self.events: list[object] = []
        self.pipes = Pipes(in_use=1)
        self.loop = FakeLoop()
        here, self.there = socket.socketpair()
        here.setblocking(False)
        self.here = here
        self.below = FakeLoopTransport()
        self.below.names["socket"] = here
        self.transport = LoopTransport(self.loop, Factory.forProtocol(Protocol))
        self.below.attach(self.transport)

    def start(self) -> bool:
        return splice(self.transport, self, self, self.pipes)

    # Output.

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        assert offset is None
        size = length if self.room is None else min(length, self.room)
        data = os.read(descriptor, size) if size else b""
        self.got += data
        self.following.append(following)
        if self.room is not None:
            self.room -= len(data)
        if len(data) < length:
            self.transport.pauseProducing()
        return len(data)

    # SpliceOwner.

    def content_moved(self, count: int) -> None:
        self.content_left -= count

    def content_complete(self, more: bool) -> None:
        self.events.append(("complete", more))

    def fail(self, error: GatewayError) -> None:
        self.events.append(error)

    def close(self) -> None:
        self.pipes.close()
        self.here.close()
        self.there.close()


@pytest.fixture
def moving() -> Iterator[Moving]:
    before = open_descriptors()
    moving = Moving(10)
    yield moving
    moving.close()
    assert len(moving.pipes) == 0
    assert not moving.loop.readers
    assert open_descriptors() <= before


def test_content_passes_by(moving: Moving) -> None:
    """The transport does not read meanwhile, and reads again once all has gone out."""
    assert moving.start()
    assert not moving.below.reading
    for piece in (b"0123", b"456", b"789"):
        assert moving.events == []
        moving.there.send(piece)
        moving.loop.poll()
    assert moving.got == b"0123456789"
    assert moving.events == [("complete", False)]
    assert moving.below.reading
    assert moving.following == [6, 3, 0]


def test_nothing_behind_it_is_taken(moving: Moving) -> None:
    """Octets behind the content stay in the socket, and the owner hears that there are some."""
    moving.start()
    moving.there.send(b"0123456789more")
    moving.loop.poll()
    assert moving.got == b"0123456789"
    assert moving.events == [("complete", True)]
    assert moving.here.recv(10) == b"more"


def test_the_sink_sets_the_pace(moving: Moving) -> None:
    """While it takes no more nothing is read, and it goes on where it stopped."""
    moving.room = 3
    moving.start()
    moving.there.send(b"01234567")
    moving.loop.poll()
    assert moving.got == b"012"
    assert not moving.loop.readers
    moving.there.send(b"89")
    moving.room = 4
    moving.transport.resumeProducing()
    assert moving.got == b"0123456"
    assert not moving.loop.readers
    moving.room = None
    moving.transport.resumeProducing()
    assert moving.got == b"01234567"
    moving.loop.poll()
    assert moving.got == b"0123456789"
    assert moving.events == [("complete", False)]


def test_begun_while_the_sink_is_slow(moving: Moving) -> None:
    """Nothing is read before the sink takes something."""
    moving.transport.pauseProducing()
    moving.start()
    moving.there.send(b"0123456789")
    assert not moving.loop.readers
    moving.transport.resumeProducing()
    moving.transport.resumeProducing()
    moving.loop.poll()
    assert moving.got == b"0123456789"


def test_the_end_comes_early(moving: Moving) -> None:
    """The transport reads again, finds the end and tells it as always."""
    moving.start()
    moving.there.send(b"012")
    moving.loop.poll()
    moving.there.shutdown(socket.SHUT_WR)
    moving.loop.poll()
    assert moving.got == b"012"
    assert moving.events == []
    assert moving.below.reading
    assert len(moving.pipes) == 0


def test_an_error_of_the_source(moving: Moving, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the transport's to find, too."""

    def reset(*_arguments: object, **_keywords: object) -> int:
        raise ConnectionResetError

    moving.start()
    moving.there.send(b"012")
    with monkeypatch.context() as patch:
        patch.setattr(os, "splice", reset)
        moving.loop.poll()
    assert moving.events == []
    assert moving.below.reading


@pytest.mark.parametrize("end", ["abortConnection", "loseConnection", "connection_lost"])
def test_a_connection_that_is_closed(moving: Moving, end: str) -> None:
    """Closed on either side, at whatever stage, nothing is left: neither watch nor descriptor, and no octet."""
    moving.room = 2
    moving.start()
    moving.there.send(b"0123")
    moving.loop.poll()
    arguments = (None,) if end == "connection_lost" else ()
    getattr(moving.transport, end)(*arguments)
    assert len(moving.pipes) == 0
    assert moving.events == []
    assert not moving.below.reading
    fresh = moving.pipes.take()
    assert fresh is not None
    with pytest.raises(BlockingIOError):
        os.read(fresh.reader, 1)
    moving.pipes.give_back(fresh)


def test_a_sink_that_is_gone(moving: Moving) -> None:
    """One that takes nothing and does not say why is not asked again and again."""
    moving.start()
    moving.send_from = lambda *_: 0  # type: ignore[method-assign]
    moving.there.send(b"0123")
    moving.loop.poll()
    assert not moving.loop.readers
    moving.transport.abortConnection()


def test_a_bug_on_the_way(moving: Moving) -> None:
    """It is logged and ends the exchange."""

    def broken(*_arguments: object) -> int:
        raise ValueError("bug")

    moving.start()
    moving.send_from = broken  # type: ignore[method-assign]
    moving.there.send(b"0123")
    events: list[object] = []
    globalLogPublisher.addObserver(events.append)
    moving.loop.poll()
    globalLogPublisher.removeObserver(events.append)
    assert len(events) == 1
    assert isinstance(moving.events[0], GatewayError)


def test_content_that_was_here_already(moving: Moving) -> None:
    """Where the transport had all of it in store, nothing is taken, and it reads again."""
    moving.start()
    moving.content_left = 0
    moving.there.send(b"next")
    moving.loop.poll()
    assert moving.got == b""
    assert moving.events == []
    assert moving.below.reading


def test_where_it_cannot_be(moving: Moving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pipe or descriptor, or on another transport, content comes as before."""
    assert not splice(object(), moving, moving, moving.pipes)
    taken = moving.pipes.take()
    assert taken is not None
    assert not moving.start()
    moving.pipes.give_back(taken)

    def refuse(_descriptor: int) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "dup", refuse)
        assert not moving.start()
    assert moving.below.reading
