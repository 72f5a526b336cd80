"""Signals beside those who handled them before."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from gateway.observe.signals import on_signal


class Reactor:
    """Keeps what it is asked to call."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []

    def callFromThread(self, action: Callable[[], object]) -> None:  # noqa: N802  (IReactorFromThreads)
        self.calls.append(action)


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


def action() -> None:
    raise AssertionError("called outside of the reactor")


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_signal_is_a_call_in_the_reactor(before: signal.Handlers) -> None:
    """Nothing is done within the handler; afterwards all is as it was."""
    reactor = Reactor()
    signal.signal(signal.SIGUSR1, before)
    put_back = on_signal(reactor, signal.SIGUSR1, action)  # type: ignore[arg-type]  # structural
    os.kill(os.getpid(), signal.SIGUSR1)
    assert reactor.calls == [action]
    put_back()
    assert signal.getsignal(signal.SIGUSR1) is before


def test_whoever_handled_it_before_still_does() -> None:
    """Twistd rotates its own log at the same signal."""
    seen: list[int] = []
    reactor = Reactor()
    signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    on_signal(reactor, signal.SIGUSR1, action)  # type: ignore[arg-type]  # structural
    os.kill(os.getpid(), signal.SIGUSR1)
    assert seen == [signal.SIGUSR1]
    assert reactor.calls == [action]
