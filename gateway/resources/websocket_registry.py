"""All open WebSockets of the process: limits, one sweep for keep-alive and time-outs, closing in batches."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred

from gateway.errors import GatewayStopping, HTTPError
from gateway.protocol.websocket_events import Code
from gateway.units import Seconds

if TYPE_CHECKING:
    from gateway.resources.websocket import WebSocket


class OpenSocket(Protocol):
    """What the registry knows of one socket; implemented by `websocket_relay.Relay`.

    Attributes:
        site: Name of its site.
        address: Its client's address.
        deadline: When its closing must be over, in monotonic seconds; 0 while it is not closing.
    """

    site: str
    address: str
    deadline: Seconds

    def look(self, now: Seconds) -> None:
        """Ping or close if nothing was heard for too long."""

    def expire(self, now: Seconds) -> None:
        """End what is still there, the deadline being over."""

    def close(self, code: Code) -> None:
        """Start the closing handshake on both sides."""


class OpenSockets:
    """The sockets that are open now. Sweep it about once a second.

    Args:
        clock: Monotonic seconds.
        entropy: Makes random octets.
    """

    def __init__(self, clock: Callable[[], Seconds], entropy: Callable[[int], bytes] = os.urandom) -> None:
        self.clock = clock
        self.entropy = entropy
        self._open: set[OpenSocket] = set()
        self._closing: set[OpenSocket] = set()
        self._sites: Counter[str] = Counter()
        self._clients: Counter[tuple[str, str]] = Counter()
        self._next_look = Seconds(0)
        self._stopping: list[OpenSocket] | None = None
        self._emptied: list[Deferred[None]] = []
        self._explained: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def check(self, site: str, address: str, limits: WebSocket) -> None:
        """Refuse one more socket where a limit is reached.

        Raises:
            GatewayStopping: 503: nothing is opened any more.
            HTTPError: 503 where the site has its number, 429 where the client has.
        """
        if self._stopping is not None:
            raise GatewayStopping("no WebSocket is opened while the gateway stops")
        if self._sites[site] >= limits.connections:
            message = f"{limits.connections} WebSockets are open: websocket.connections"
            raise HTTPError(503, "websocket_site_limit", _RETRY, message)
        if self._clients[site, address] >= limits.connections_per_client:
            message = f"{limits.connections_per_client} WebSockets of one client: websocket.connections_per_client"
            raise HTTPError(429, "websocket_client_limit", _RETRY, message)

    def add(self, socket: OpenSocket) -> None:
        """Watch a socket until it is removed."""
        self._open.add(socket)
        self._sites[socket.site] += 1
        self._clients[socket.site, socket.address] += 1

    def remove(self, socket: OpenSocket) -> None:
        """Forget a socket that is over; unknown ones are ignored."""
        if socket not in self._open:
            return
        self._open.remove(socket)
        self._closing.discard(socket)
        _decrease(self._sites, socket.site)
        _decrease(self._clients, (socket.site, socket.address))
        if not self._open:
            emptied, self._emptied = self._emptied, []
            for waiting in emptied:
                waiting.callback(None)

    def begin_closing(self, socket: OpenSocket, duration: Seconds) -> None:
        """Set a socket's deadline."""
        socket.deadline = Seconds(self.clock() + duration)
        self._closing.add(socket)

    def sweep(self, now: Seconds) -> None:
        """End what is over its deadline, look at the silent ones, and close the next batch while stopping."""
        for socket in [socket for socket in self._closing if now >= socket.deadline]:
            socket.expire(now)
        if now >= self._next_look:
            self._next_look = Seconds(now + LOOK_INTERVAL)
            for socket in list(self._open):
                if not socket.deadline:
                    socket.look(now)
        self._close_batch()

    def close_all(self) -> Deferred[None]:
        """Open nothing more and close all with 1001, `BATCH` at once and as many at every sweep.

        Returns:
            Fires when none is left.
        """
        done: Deferred[None] = Deferred()
        if self._stopping is None:
            self._stopping = list(self._open)
        if self._open:
            self._emptied.append(done)
            self._close_batch()
        else:
            done.callback(None)
        return done

    def close_site(self, site: str) -> None:
        """Close the sockets of a site that is not served any more with 1001."""
        for socket in [socket for socket in self._open if socket.site == site and not socket.deadline]:
            socket.close(Code.GOING_AWAY)

    def first_time(self, site: str, subject: str) -> bool:
        """Tell whether something is to be explained to the operator: once each, up to a bound."""
        known = (site, subject) in self._explained
        if known or len(self._explained) >= _EXPLANATIONS:
            return False
        self._explained.add((site, subject))
        return True

    def _close_batch(self) -> None:
        if self._stopping:
            batch, self._stopping = self._stopping[-BATCH:], self._stopping[:-BATCH]
            for socket in batch:
                if socket in self._open and not socket.deadline:
                    socket.close(Code.GOING_AWAY)


_Key = TypeVar("_Key")


def _decrease(counter: Counter[_Key], key: _Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


BATCH: Final = 1_000
"""Sockets closed at once; Phoenix itself drains 10,000 in 2 s, and all of them come back at the same time."""
LOOK_INTERVAL: Final = Seconds(5)
"""How often every open socket is looked at, so how exactly silence is measured."""
_RETRY: Final = ((b"Retry-After", b"10"),)
_EXPLANATIONS: Final = 200
