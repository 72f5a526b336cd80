"""Signals of the operating system as plain calls."""

from __future__ import annotations

import signal
from collections.abc import Callable


def on_signal(
    number: signal.Signals, act: Callable[[], object], call: Callable[[Callable[[], object]], object]
) -> Callable[[], object]:
    """Act on a signal from now on; to be called in the main thread.

    Args:
        number: The signal.
        act: What to do.
        call: Runs it soon, in the reactor's thread and out of any other code: `reactor.callFromThread`.

    Returns:
        Undoes it.
    """
    before = signal.signal(number, lambda _number, _frame: call(act))
    return lambda: signal.signal(number, before if before is not None else signal.SIG_DFL)
