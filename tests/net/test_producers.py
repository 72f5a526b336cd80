from __future__ import annotations

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from gateway.net.producers import PullPusher
from tests.support.loops import FakeLoop


@implementer(IPullProducer)
class Pulled:
    def __init__(self) -> None:
        self.events: list[str] = []

    def resumeProducing(self) -> None:
        self.events.append("more")

    def stopProducing(self) -> None:
        self.events.append("stop")


def test_asks_once_a_turn() -> None:
    """The producer is asked once a turn, however often it is resumed, until it is paused."""
    loop, producer = FakeLoop(), Pulled()
    pusher = PullPusher(loop, producer)
    pusher.resumeProducing()
    pusher.resumeProducing()
    loop.turn()
    loop.turn()
    pusher.pauseProducing()
    loop.turn()
    assert producer.events == ["more", "more"]


def test_stops() -> None:
    """A stopped producer hears of it and is asked no more."""
    loop, producer = FakeLoop(), Pulled()
    pusher = PullPusher(loop, producer)
    pusher.resumeProducing()
    pusher.stopProducing()
    loop.turn()
    assert producer.events == ["stop"]


def test_may_end_while_asked() -> None:
    """A producer that ends when asked is asked no more."""
    loop = FakeLoop()

    @implementer(IPullProducer)
    class Ending(Pulled):
        def resumeProducing(self) -> None:
            super().resumeProducing()
            pusher.pauseProducing()

    producer = Ending()
    pusher = PullPusher(loop, producer)
    pusher.resumeProducing()
    loop.turn()
    loop.turn()
    assert producer.events == ["more"]
