"""The queues that a worker accepts from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from socket import AF_UNIX, socket
from typing import cast

import pytest

from gateway.net.listening import ListenerService
from gateway.workers.queues import Queues


class Acceptor:
    """Remembers what is accepted from, by inode."""

    def __init__(self) -> None:
        self.now: list[list[list[int]]] = []

    def accept_from(self, sockets: Sequence[Sequence[socket]]) -> list[ListenerService]:
        inodes = [[_inode(sock.detach()) for sock in some] for some in sockets]
        self.now.append(inodes)
        return cast("list[ListenerService]", inodes)

    def accept_no_more(self, listeners: Iterable[ListenerService]) -> None:
        self.now.remove(cast("list[list[int]]", listeners))


def _inode(descriptor: int) -> int:
    found = os.fstat(descriptor).st_ino
    os.close(descriptor)
    return found


@pytest.fixture
def inherited() -> list[int]:
    return [socket(AF_UNIX).detach() for _ in range(3)]


def test_own_others_and_shared(inherited: list[int]) -> None:
    """What all share is accepted from throughout, the rest by the places that are named."""
    one, two, shared = inherited
    a, b, both = (os.fstat(each).st_ino for each in inherited)
    acceptor = Acceptor()
    queues = Queues(acceptor, [[[one], [shared]], [[two], [shared]]])
    queues.accept([1, 2])
    assert sorted(acceptor.now) == sorted([[[], [both]], [[a], []], [[b], []]])
    queues.accept([2])
    assert sorted(acceptor.now) == sorted([[[], [both]], [[b], []]])
    queues.accept([2, 1])
    assert sorted(acceptor.now) == sorted([[[], [both]], [[a], []], [[b], []]])
    queues.close()


def test_closed(inherited: list[int]) -> None:
    """At the end no inherited socket stays open, so that nothing waits in it."""
    queues = Queues(Acceptor(), [[inherited[:1]], [inherited[1:]]])
    queues.close()
    for each in inherited:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(each)
    queues.close()
