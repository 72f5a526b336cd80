"""The last moments of a connection, with peers that are slow, talkative or gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gateway.net.draining import _ENOUGH, GOODBYE, Draining
from tests.support.loops import PollingLoop


class Ending:
    """A socket whose own half is closed.

    Attributes:
        done: How often it was said that there is nothing to wait for.
    """

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.there.setblocking(False)
        self.here.shutdown(socket.SHUT_WR)
        self.loop = PollingLoop()
        self.done = 0
        self.draining = Draining(self.loop, self.here, self._done)  # type: ignore[arg-type]

    def _done(self) -> None:
        self.done += 1
        self.draining.stop()


@pytest.fixture
def ending() -> Iterator[Ending]:
    made = Ending()
    yield made
    made.here.close()
    made.there.close()


def test_what_still_comes_is_dropped(ending: Ending) -> None:
    """It ends as the peer closes its half, and only then."""
    ending.draining.readable()  # woken for nothing
    ending.there.send(b"late")
    ending.draining.readable()
    assert ending.done == 0
    ending.there.shutdown(socket.SHUT_WR)
    ending.draining.readable()
    assert ending.done == 1
    ((delay, timer, _),) = ending.loop.timers
    assert (delay, timer.cancelled) == (GOODBYE, True)


def test_a_peer_that_sends_on_and_on(ending: Ending) -> None:
    """It is not listened to for ever."""
    sent = 0
    while not ending.done:
        sent += ending.there.send(b"x" * 10_000)
        ending.draining.readable()
    assert _ENOUGH < sent <= _ENOUGH + 10_000


def test_a_peer_that_says_nothing(ending: Ending) -> None:
    """Its time ends."""
    ((_, _, expire),) = ending.loop.timers
    expire()
    assert ending.done == 1


def test_a_peer_that_is_gone(ending: Ending) -> None:
    """A reset is as good an end as any."""
    ending.here.close()
    ending.draining.readable()
    assert ending.done == 1
