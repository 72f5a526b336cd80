"""Deadlines by observation: one sweep a second looks at every connection, nothing is written per request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from twisted.logger import Logger

from gateway.units import Seconds

log = Logger()


class Sweepable(Protocol):
    """Something with deadlines."""

    def sweep(self, now: Seconds) -> None:
        """Look at the clock and act on what has stood still for too long."""


class Sweeper:
    """All that is swept; the service calls `sweep` once a second."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: set[Sweepable] = set()

    def add(self, member: Sweepable) -> None:
        """Watch a member until it is removed."""
        self._members.add(member)

    def remove(self, member: Sweepable) -> None:
        """Stop watching; unknown members are ignored."""
        self._members.discard(member)

    def __len__(self) -> int:
        return len(self._members)

    def sweep(self, now: Seconds) -> None:
        """Sweep every member."""
        sweep_all(self._members, now)


def sweep_all(members: Collection[Sweepable], now: Seconds) -> None:
    """Sweep members, who may be removed meanwhile; one that fails stops no other."""
    for member in list(members):
        try:
            member.sweep(now)
        except Exception:
            log.failure("the deadlines of {member!r} could not be checked", member=member)


class Stillness:
    """How long a mark has stayed the same, as seen by repeated looks."""

    __slots__ = ("_mark", "_since")

    def __init__(self) -> None:
        self._mark: object = None
        self._since = Seconds(0)

    def lasted(self, mark: object, now: Seconds) -> Seconds:
        """Tell for how long `mark` has been equal at every look; 0 at the first one that differs."""
        if mark != self._mark:
            self._mark = mark
            self._since = now
        return Seconds(now - self._since)
