"""A thread of its own for calls that block: the authority's client, files, hooks. The reactor never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

_Result = TypeVar("_Result")


class Worker(Protocol):
    """Runs blocking calls somewhere else, one after the other."""

    def run(self, call: Callable[[], _Result]) -> Deferred[_Result]:
        """Run a call; its result or failure comes back to the reactor's thread."""


class ThreadWorker:
    """One thread with a queue; a daemon, so that a call that hangs does not keep the process from ending.

    Args:
        reactor: The reactor.
        name: Name of the thread.
    """

    def __init__(self, reactor: IReactorFromThreads, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = False

    def run(self, call: Callable[[], _Result]) -> Deferred[_Result]:
        """Run a call behind those before it."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        result: Deferred[_Result] = Deferred()

        def work() -> None:
            outcome: _Result | Failure
            try:
                outcome = call()
            except BaseException:
                outcome = Failure()
            self._reactor.callFromThread(_deliver, result, outcome)

        self._queue.put(work)
        return result

    def stop(self) -> None:
        """End the thread after the call that it is in; results that come later are dropped with the reactor."""
        if self._started:
            self._queue.put(None)

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()


def _deliver(result: Deferred[_Result], outcome: _Result | Failure) -> None:
    if not result.called:
        result.callback(outcome)
