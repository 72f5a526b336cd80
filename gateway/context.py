"""What a feature may ask for while a site is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.interfaces import IReactorTime

from gateway.http.forwarding import Via
from gateway.net.disk import Disk
from gateway.net.pipes import Pipes
from gateway.net.sweeper import Sweeper
from gateway.units import Seconds
from gateway.upstream.pool import UpstreamRegistry
from gateway.upstream.sticky import StickyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The process as features see it.

    Attributes:
        reactor: The reactor, for endpoints.
        clock: Monotonic seconds.
        wall_clock: Seconds since 1970.
        sweeper: Watches deadlines.
        disk: Who waits for the disk.
        upstreams: Pools, kept across reloads.
        via: Our name in Via.
        pipes: For large content of upstreams; None has all of it pass through this process.
        sticky: Key of the cookies that name upstreams.
    """

    reactor: IReactorTime
    clock: Callable[[], Seconds]
    wall_clock: Callable[[], Seconds]
    sweeper: Sweeper
    disk: Disk
    upstreams: UpstreamRegistry
    via: Via
    pipes: Pipes | None = None
    sticky: StickyKey = field(default_factory=StickyKey)
