"""What an upstream connection is given and how it stands: limits, states, and where it lives between exchanges.

state    meaning                                        next
IDLE     in the pool; any octet is an error              HEAD, CLOSED
HEAD     a request is out, the response's head is not in  BODY, TUNNEL, IDLE, CLOSED
BODY     response content is coming                      IDLE, CLOSED
TUNNEL   opaque octets both ways after a 101             CLOSED
CLOSED   the transport is gone or being closed
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from gateway.net.pipes import Pipes
from gateway.net.sweeper import Sweeper
from gateway.protocol.http1_fields import HeadLimits
from gateway.units import ByteCount, Seconds

if TYPE_CHECKING:
    from gateway.upstream.exchange import UpstreamConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeLimits:
    """What an upstream may cost.

    Attributes:
        head: Limits of a response's head.
        response_timeout: From the last progress of the request to the response's head.
        idle_timeout: How long content may stand still, either way.
        keep_alive: How long an idle connection is kept.
        informational: Number of 1xx responses to one request.
    """

    head: HeadLimits = field(
        default_factory=lambda: HeadLimits(size=ByteCount(64_000), line=ByteCount(8_000), count=200)
    )
    response_timeout: Seconds = Seconds(60)
    idle_timeout: Seconds = Seconds(60)
    keep_alive: Seconds = Seconds(50)
    informational: int = 32


class State(Enum):
    """See the table in the module's docstring."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    TUNNEL = "tunnel"
    CLOSED = "closed"


# Looked up here once: an attribute of an Enum costs several times a global.
IDLE, HEAD, BODY, TUNNEL, CLOSED = State


class Home(Protocol):
    """Where connections live between exchanges; implemented by `upstream.pool.Upstream`."""

    name: str
    host: bytes
    limits: ExchangeLimits
    sweeper: Sweeper
    pipes: Pipes | None

    def put_back(self, connection: UpstreamConnection) -> bool:
        """Take a connection that may be used again; False where it is to be closed."""

    def forget(self, connection: UpstreamConnection) -> None:
        """Drop a connection that is gone."""
