"""What a front connection is given and how it stands: limits, states, and what connections share.

state    meaning                                     next
IDLE     no exchange; perhaps part of a head          BODY, WAIT, LINGER, CLOSED
BODY     request content is coming                    WAIT, TUNNEL, LINGER, CLOSED
WAIT     request complete, the response is not        IDLE, TUNNEL, LINGER, CLOSED
TUNNEL   opaque octets both ways after a 101          LINGER, CLOSED
LINGER   all is sent; what still comes is discarded   CLOSED
CLOSED   the transport is gone
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gateway.errors import GatewayError
from gateway.http.stream import PeerAddress, StreamServer
from gateway.protocol.http1_fields import HeadLimits
from gateway.units import ByteCount, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a client may cost.

    Attributes:
        head: Limits of a request's head.
        header_time: From a head's first octet (or from connecting) to its last.
        keep_alive: How long a connection may idle between requests.
        body_idle: How long request content may stand still.
        body_rate: Octets per second that request content must reach on average after `body_rate_after`.
        body_rate_after: Time before the rate is judged.
        write_idle: How long the client may read nothing of what waits for it.
        linger: How long and to how many octets a closed exchange is still read, so that the client sees the answer.
        pipelined: Octets of further requests kept while one is answered.
    """

    head: HeadLimits = field(default_factory=HeadLimits)
    header_time: Seconds = Seconds(15)
    keep_alive: Seconds = Seconds(60)
    body_idle: Seconds = Seconds(60)
    body_rate: float = 100.0
    body_rate_after: Seconds = Seconds(30)
    write_idle: Seconds = Seconds(60)
    linger: Seconds = Seconds(2)
    linger_size: ByteCount = ByteCount(1_000_000)
    pipelined: ByteCount = ByteCount(64_000)


class State(Enum):
    """See the table in the module's docstring."""

    IDLE = "idle"
    BODY = "body"
    WAIT = "wait"
    TUNNEL = "tunnel"
    LINGER = "linger"
    CLOSED = "closed"


# Looked up here once: an attribute of an Enum costs several times a global.
IDLE, BODY, WAIT, TUNNEL, LINGER, CLOSED = State


class FrontConnection(Protocol):
    """A connection as those see it that count it.

    Attributes:
        peer: The other end.
        trusted: Whether that is a trusted proxy.
    """

    peer: PeerAddress
    trusted: bool

    def close_when_idle(self) -> None:
        """Close now if no exchange is under way, else after the current one."""

    def abort(self) -> None:
        """Cut the connection."""

    def sweep(self, now: Seconds) -> None:
        """Act on what has stood still for too long."""


class FrontDoor(Protocol):
    """What connections share; implemented by `server.listener.Front`."""

    core: StreamServer
    limits: ConnectionLimits
    date_line: bytes
    stopping: bool

    def opened(self, connection: FrontConnection) -> GatewayError | None:
        """Count a connection and watch its deadlines; an error refuses it."""

    def closed(self, connection: FrontConnection) -> None:
        """Forget a connection."""
