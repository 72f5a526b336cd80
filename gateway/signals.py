"""Signals of the operating system as plain calls."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


def on_signal(
    number: signal.Signals,
    act: Callable[[], object],
    call: Callable[[Callable[[], object]], object],
    *,
    instead: bool = False,
) -> Callable[[], object]:
    """Act on a signal from now on, after whoever did so before; to be called in the main thread.

    So twistd still rotates its own log at SIGUSR1.

    Args:
        number: The signal.
        act: What to do.
        call: Runs it soon, in the reactor's thread and out of any other code: `reactor.callFromThread`.
        instead: Whoever acted before does not any more.

    Returns:
        Undoes it.
    """
    before = signal.getsignal(number)

    def handle(number: int, frame: FrameType | None) -> None:
        if callable(before) and not instead:
            before(number, frame)
        call(act)

    signal.signal(number, handle)
    return lambda: signal.signal(number, before if before is not None else signal.SIG_DFL)
