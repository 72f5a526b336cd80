"""What something costs, told without a clock, or by one that runs only while this process does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.waiting import PATIENCE


def calls(act: Callable[[], object]) -> int:
    """Count the calls of functions, Python's and C's, that an act makes: the same on every machine."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@contextmanager
def without_end_is_an_error() -> Iterator[None]:
    """Fail where the processor works on something for minutes, for which any machine needs a moment."""

    def fail(_number: int, _frame: object) -> None:
        raise AssertionError("it does not end")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
