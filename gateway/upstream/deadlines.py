"""The deadlines of an upstream connection: how long an app may keep a request, and a connection may idle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.errors import GatewayError, ResponseStalled, ResponseTimeout
from gateway.net.sweeper import Stillness
from gateway.units import Seconds
from gateway.upstream.connection import Home, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an exchange has come; what stays equal stands still.

    Attributes:
        exchange: Number of the exchange on its connection.
        in_head: Whether the response's head is awaited.
        received: What has come of the response: heads while one is awaited, else octets.
        sent: Octets of request content sent.
        request_done: Whether the request is complete.
        unsent: Octets that the upstream has not taken, where they are too many.
        awaited: Whether the client waits for the upstream's 100 (Continue).
    """

    exchange: int
    in_head: bool
    received: int
    sent: int
    request_done: bool
    unsent: int
    awaited: bool


class Watched(Protocol):
    """A connection as its deadlines see it; implemented by `upstream.exchange`.

    Attributes:
        home: Holds the limits.
        state: Where it stands.
        exchanges: Number of exchanges begun.
        reading_paused: Whether we have stopped reading, because the client reads slowly.
    """

    home: Home
    state: State
    exchanges: int
    reading_paused: bool

    @property
    def progress(self) -> Progress:
        """How far the exchange has come."""

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for anything from this connection."""

    def fail(self, error: GatewayError) -> None:
        """End the exchange under way with an error."""

    def drop(self) -> None:
        """Close the connection, which is idle or to be given up."""

    def abort(self) -> None:
        """Cut the connection."""


class ExchangeDeadlines(Stillness):
    """What one connection's sweeps have seen."""

    __slots__ = ()

    def sweep(self, connection: Watched, now: Seconds) -> None:
        """Look at a connection and act on what has stood still for too long."""
        limits = connection.home.limits
        state = connection.state
        if state is State.IDLE:
            if self.lasted(("idle", connection.exchanges), now) >= limits.keep_alive:
                connection.drop()
        elif connection.is_over:
            if self.lasted("closing", now) >= limits.idle_timeout:
                connection.drop()
                connection.abort()
        elif state is State.TUNNEL or connection.reading_paused:
            self.lasted(None, now)
        else:
            self._sweep_exchange(connection, now)

    def _sweep_exchange(self, connection: Watched, now: Seconds) -> None:
        home, progress = connection.home, connection.progress
        limits = home.limits
        still = self.lasted(progress, now)
        if not progress.in_head or progress.unsent:
            if still >= limits.idle_timeout:
                connection.fail(ResponseStalled(f"{home.name} stood still for {limits.idle_timeout:g} s"))
        elif still >= limits.response_timeout and (progress.request_done or progress.awaited):
            # Otherwise unsent content is the front end's matter.
            connection.fail(ResponseTimeout(f"{home.name} sent no answer for {limits.response_timeout:g} s"))
