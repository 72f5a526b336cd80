"""The deadlines of a front connection: what a client may keep waiting, and for how long."""

from __future__ import annotations

from typing import Protocol

from gateway.errors import ClientTimeout, GatewayError, ProtocolError
from gateway.net.sweeper import Stillness
from gateway.server.connection import FrontDoor, State
from gateway.units import Seconds


class Watched(Protocol):
    """A connection as its deadlines see it; implemented by `server.http1`.

    Attributes:
        front: Holds the limits.
        state: Where it stands.
        exchanges: Number of requests begun.
        reading_paused: Whether we have stopped reading from the client.
        awaits_continue: Whether the client waits for 100 (Continue) before its content.
        body_octets: Octets of the current request's content, framing included.
    """

    front: FrontDoor
    state: State
    exchanges: int
    reading_paused: bool
    awaits_continue: bool
    body_octets: int

    @property
    def begun(self) -> bool:
        """Whether part of a head is there, or the first one is awaited."""

    @property
    def has_partial_head(self) -> bool:
        """Whether part of a head is there."""

    @property
    def unsent(self) -> int:
        """Octets the client has not taken, where that matters."""

    def refuse(self, error: GatewayError) -> None:
        """Answer what is not a request and close."""

    def break_off(self, error: GatewayError) -> None:
        """Answer content that came too slowly."""

    def expire(self, error: ClientTimeout) -> None:
        """Give a client up that neither reads nor sends."""

    def close(self) -> None:
        """Close once all is written."""

    def abort(self) -> None:
        """Cut the connection."""


class ClientDeadlines(Stillness):
    """What one connection's sweeps have seen."""

    __slots__ = ("_body", "_octets_before")

    def __init__(self) -> None:
        super().__init__()
        self._body: Stillness | None = None
        self._octets_before = 0

    def sweep(self, connection: Watched, now: Seconds) -> None:
        """Look at a connection and act on what has stood still for too long."""
        limits = connection.front.limits
        state = connection.state
        unsent = connection.unsent
        if unsent:
            if self.lasted(("write", unsent), now) >= limits.write_idle:
                connection.expire(ClientTimeout(f"the client read nothing for {limits.write_idle:g} s"))
        elif state is State.IDLE:
            self._sweep_idle(connection, now)
        elif state is State.BODY and not connection.reading_paused:
            self._sweep_body(connection, now)
        elif state is State.LINGER:
            lingered = self.lasted("linger", now)
            if lingered >= 2 * limits.linger:
                connection.abort()
            elif lingered >= limits.linger:
                connection.close()  # not by a reset, which would take what the kernel still has to send
        else:
            self.lasted(None, now)
            self._body = None  # a pause is not the client's: afterwards its rate is judged anew
            self._octets_before = connection.body_octets

    def _sweep_idle(self, connection: Watched, now: Seconds) -> None:
        limits = connection.front.limits
        begun = connection.begun
        limit = limits.header_time if begun else limits.keep_alive
        mark = 2 * connection.exchanges + begun  # a number, for many connections idle at once
        if self.lasted(mark, now) < limit:
            return
        if connection.has_partial_head:
            connection.refuse(ProtocolError(f"no complete head within {limit:g} s", 408))
        else:
            connection.state = State.LINGER
            connection.close()

    def _sweep_body(self, connection: Watched, now: Seconds) -> None:
        limits = connection.front.limits
        octets = connection.body_octets
        if connection.awaits_continue and not octets:
            self.lasted(None, now)  # the client waits for the leaf, whose deadlines hold
            return
        if self._body is None:
            self._body = Stillness()
        whole = self._body.lasted(connection.exchanges, now)
        if not whole:
            self._octets_before = min(self._octets_before, octets)
        octets -= self._octets_before
        if self.lasted(("body", connection.exchanges, octets), now) >= limits.body_idle:
            connection.break_off(ProtocolError(f"request content stood still for {limits.body_idle:g} s", 408))
        elif whole >= limits.body_rate_after and octets < limits.body_rate * whole:
            connection.break_off(ProtocolError(f"request content below {limits.body_rate:g} octets/s", 408))
