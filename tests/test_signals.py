"""Signals become calls."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from gateway.signals import on_signal


def test_a_signal_becomes_a_call() -> None:
    """The act is handed over, not done within the handler; afterwards all is as before."""
    handed: list[Callable[[], object]] = []
    before = signal.getsignal(signal.SIGHUP)
    undo = on_signal(signal.SIGHUP, lambda: 42, handed.append)
    os.kill(os.getpid(), signal.SIGHUP)
    assert [act() for act in handed] == [42]
    undo()
    assert signal.getsignal(signal.SIGHUP) == before
