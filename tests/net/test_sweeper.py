"""Deadlines by observation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.net.sweeper import Stillness, Sweeper
from gateway.units import Seconds


class Member:
    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.seen: list[float] = []
        self._act = act

    def sweep(self, now: Seconds) -> None:
        self.seen.append(now)
        self._act()


def test_members_are_swept() -> None:
    """Each member is told the time, until it is removed."""
    sweeper = Sweeper()
    one, other = Member(), Member()
    sweeper.add(one)
    sweeper.add(other)
    sweeper.sweep(Seconds(1))
    sweeper.remove(other)
    sweeper.remove(other)
    sweeper.sweep(Seconds(2))
    assert (one.seen, other.seen) == ([1, 2], [1])
    assert len(sweeper) == 1


def test_members_may_come_and_go_meanwhile() -> None:
    """A member may remove itself and add others while all are swept."""
    sweeper = Sweeper()
    late = Member()
    leaving = Member(lambda: (sweeper.remove(leaving), sweeper.add(late)))
    sweeper.add(leaving)
    sweeper.sweep(Seconds(1))
    sweeper.sweep(Seconds(2))
    assert (leaving.seen, late.seen) == ([1], [2])


def test_a_failing_member_stops_no_other() -> None:
    """A bug in one member is logged, and all others are swept."""
    sweeper = Sweeper()

    def fail() -> None:
        raise RuntimeError

    members = [Member(fail if index == 1 else lambda: None) for index in range(3)]
    for member in members:
        sweeper.add(member)
    sweeper.sweep(Seconds(1))
    assert [member.seen for member in members] == [[1], [1], [1]]


@pytest.mark.parametrize("mark", [None, 0, "mark", ("a", 1)])
def test_stillness(mark: object) -> None:
    """Time counts from the first look at which the mark was as it is."""
    stillness = Stillness()
    stillness.lasted("before", Seconds(3))
    assert stillness.lasted(mark, Seconds(5)) == 0
    assert stillness.lasted(mark, Seconds(9)) == 4
    assert stillness.lasted("other", Seconds(10)) == 0
    assert stillness.lasted(mark, Seconds(11)) == 0
