from __future__ import annotations

from gateway.net.tls_turn import Turn
from tests.support.loops import PollingLoop


class Wire:
    """A connection that notes what it is told; may fail."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.flushed = 0
        self.problem = problem
        self.failed: Exception | None = None

    def flush(self) -> None:
        self.flushed += 1
        if self.problem is not None:
            raise self.problem

    def fail(self, problem: Exception) -> None:
        self.failed = problem


def test_one_call_a_turn() -> None:
    """However many connections wait for the end of a turn, the loop is asked once, and anew in the next turn."""
    loop, wires = PollingLoop(), [Wire(), Wire(), Wire()]
    turn = Turn(loop)
    for expected in (1, 2):
        for wire in wires:
            turn.add(wire)
        assert len(loop.calls) == 1
        loop.turn()
        assert [wire.flushed for wire in wires] == [expected] * 3


def test_a_failure_stops_no_other() -> None:
    """A connection whose protocol fails is told, and the others are flushed all the same."""
    loop, problem = PollingLoop(), RuntimeError("a producer failed")
    wires = [Wire(), Wire(problem), Wire()]
    turn = Turn(loop)
    for wire in wires:
        turn.add(wire)
    loop.turn()
    assert [wire.flushed for wire in wires] == [1, 1, 1]
    assert [wire.failed for wire in wires] == [None, problem, None]
