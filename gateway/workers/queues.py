"""The queues of connections that a worker accepts from: its own, and those of workers that are being replaced."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from socket import socket
from typing import Final, Protocol

from gateway.net.listening import ListenerService


class Acceptor(Protocol):
    """Who accepts; `gateway.serving.Serving`."""

    def accept_from(self, sockets: Sequence[Sequence[socket]]) -> list[ListenerService]:
        """Accept also from these sockets."""

    def accept_no_more(self, listeners: Iterable[ListenerService]) -> None:
        """Leave sockets to others."""


class Queues:
    """The sockets of all places.

    Args:
        acceptor: Who accepts.
        sockets: Of each place the descriptors of each listener; one that places share is in all of them.
    """

    def __init__(self, acceptor: Acceptor, sockets: Sequence[Sequence[Sequence[int]]]) -> None:
        self._acceptor = acceptor
        every = Counter(each for place in sockets for some in place for each in some)
        self._inherited = list(every)
        shared = {each for each, times in every.items() if times > 1}
        self._sets = {number: _only(place, every.keys() - shared) for number, place in enumerate(sockets, 1)}
        self._sets[_SHARED] = _only(sockets[0], shared)
        self._accepting: dict[int, list[ListenerService]] = {}

    def accept(self, places: Iterable[int]) -> None:
        """Accept from the sockets of these places and of no others, and from those that all share."""
        wanted = {_SHARED, *places}
        for place in self._accepting.keys() - wanted:
            self._acceptor.accept_no_more(self._accepting.pop(place))
        for place in wanted - self._accepting.keys():
            copies = [[socket(fileno=os.dup(each)) for each in some] for some in self._sets[place]]
            self._accepting[place] = self._acceptor.accept_from(copies)

    def close(self) -> None:
        """Close what was inherited, so that nothing waits here; what is accepted from is the acceptor's to close."""
        for each in self._inherited:
            os.close(each)
        self._inherited = []


def _only(place: Sequence[Sequence[int]], those: Collection[int]) -> list[list[int]]:
    return [[each for each in some if each in those] for some in place]


_SHARED: Final = 0
"""Stands for no worker's place."""
