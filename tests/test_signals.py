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


def test_whoever_acted_before_still_does() -> None:
    """Twistd rotates its own log at the signal at which the access log is reopened."""
    seen: list[int] = []
    handed: list[Callable[[], object]] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: seen.append(number))
    try:
        undo = on_signal(signal.SIGUSR1, lambda: 42, handed.append)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert (seen, len(handed)) == ([signal.SIGUSR1], 1)
        undo()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert (len(seen), len(handed)) == (2, 1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_instead_of_whoever_acted_before() -> None:
    """A second signal to stop does not reach Twisted, which would call it an error."""
    seen: list[int] = []
    handed: list[Callable[[], object]] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: seen.append(number))
    try:
        undo = on_signal(signal.SIGUSR1, lambda: 42, handed.append, instead=True)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert (seen, len(handed)) == ([], 1)
        undo()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert (len(seen), len(handed)) == (1, 1)
    finally:
        signal.signal(signal.SIGUSR1, before)
