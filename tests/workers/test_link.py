"""Links."""

from __future__ import annotations

import socket

from twisted.internet.testing import MemoryReactorClock

from gateway.workers.link import Link, attach
from gateway.workers.messages import LONGEST, Answer, Ask, FromWorker, Leaving, read_workers, write
from tests.support.transports import FakeTransport


class Ear:
    """One end with what it heard."""

    def __init__(self) -> None:
        self.heard: list[FromWorker] = []
        self.lost = 0
        self.link: Link[FromWorker] = Link(read_workers, self.heard.append, self._lose)
        self.wire = FakeTransport(self.link)

    def _lose(self) -> None:
        self.lost += 1


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def test_messages_in_pieces() -> None:
    """Messages arrive whole and in order, however they are cut."""
    ear = Ear()
    ear.wire.receive(framed(write(Answer(number=1))) + framed(write(Leaving())), 1)
    assert ear.heard == [Answer(number=1), Leaving()]


def test_what_is_no_message_ends_the_link() -> None:
    """After nonsense nothing more is heard."""
    ear = Ear()
    ear.wire.receive(framed(b"{}") + framed(write(Leaving())))
    assert ear.heard == []
    assert ear.wire.aborted
    assert ear.lost == 1


def test_too_long() -> None:
    """A message that is announced as longer than any ends the link before it is gathered."""
    ear = Ear()
    ear.wire.receive((LONGEST + 1).to_bytes(4, "big"))
    assert ear.wire.closing


def test_said_to_nobody() -> None:
    """What is said before there is a link, or after, is dropped."""
    Link(read_workers, print, print).say(Leaving())
    ear = Ear()
    ear.wire.lose()
    ear.link.say(Leaving())
    ear.link.close()
    assert ear.wire.take() == b""


def test_who_does_not_keep_up() -> None:
    """It is known whether the other end reads."""
    ear = Ear()
    ear.wire.high_water = 10
    assert not ear.link.full
    ear.link.say(Ask(number=1))
    assert ear.link.full
    ear.wire.take()
    assert not ear.link.full
    assert ear.wire.producer is not None
    ear.wire.producer.stopProducing()
    assert ear.link.full


def test_close() -> None:
    """What was said is sent before the link ends."""
    ear = Ear()
    ear.link.say(Leaving())
    ear.link.close()
    assert ear.wire.closing
    assert not ear.wire.aborted


def test_attach() -> None:
    """A socket becomes the link's own."""
    reactor = MemoryReactorClock()
    ours, theirs = socket.socketpair()
    ear: Link[FromWorker] = Link(read_workers, print, print)
    with theirs:
        attach(reactor, ours, ear)
        assert ours.fileno() == -1
