"""Signals as calls in the reactor, beside what twistd does at the same signal."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from twisted.internet.interfaces import IReactorFromThreads


def on_signal(
    reactor: IReactorFromThreads, number: signal.Signals, action: Callable[[], object]
) -> Callable[[], object]:
    """Call `action` whenever a signal comes, after whoever handled it before.

    Args:
        reactor: Where to call it.
        number: The signal.
        action: What to do.

    Returns:
        Puts back what was there before.
    """
    before = signal.getsignal(number)

    def handle(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)
        reactor.callFromThread(action)

    signal.signal(number, handle)
    return lambda: signal.signal(number, before)
