"""Choosing an upstream and leasing it for one exchange."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.errors import GatewayError
from gateway.upstream.pool import Upstream


class Lease:
    """The right to use one upstream for one exchange; released once, with an outcome."""

    __slots__ = ("name", "upstream")

    def __init__(self, upstream: Upstream) -> None:
        upstream.in_flight += 1
        self.upstream = upstream
        self.name = upstream.name

    def release(self, error: GatewayError | None) -> None:
        """Give the upstream back, with what it did wrong."""
        self.upstream.in_flight -= 1


class Balancer:
    """Leases the least busy of several upstreams; equals take turns. One that is down is left out.

    Args:
        upstreams: At least one.
    """

    __slots__ = ("_turn", "_upstreams")

    def __init__(self, upstreams: Sequence[Upstream]) -> None:
        self._upstreams = tuple(upstreams)
        self._turn = 0

    def checkout(self, tried: Collection[Upstream] = (), wished: str = "") -> Lease | None:
        """Lease an upstream that is neither down nor among `tried`; None where there is none.

        A single upstream is never down: there is nobody to use in its place.

        Args:
            tried: Upstreams that have failed this exchange.
            wished: Name of the one to use if it may be used.
        """
        upstreams = self._upstreams
        if len(upstreams) == 1:
            return None if tried else Lease(upstreams[0])
        self._turn = (self._turn + 1) % len(upstreams)
        candidates = [
            upstream
            for upstream in upstreams[self._turn :] + upstreams[: self._turn]
            if not upstream.down and upstream not in tried
        ]
        if wished:
            candidates = [upstream for upstream in candidates if upstream.name == wished] or candidates
        return Lease(min(candidates, key=_in_flight)) if candidates else None

    def __len__(self) -> int:
        return len(self._upstreams)


def _in_flight(upstream: Upstream) -> int:
    return upstream.in_flight
