"""The thread for calls that block."""

from __future__ import annotations

import threading
from collections.abc import Callable

from twisted.python.failure import Failure

from gateway.tls.worker import ThreadWorker
from tests.support.waiting import PATIENCE


class Reactor:
    """Runs what comes from threads when told."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.calls: list[Callable[[], object]] = []

    def callFromThread(self, function: Callable[..., object], *arguments: object) -> None:
        self.calls.append(lambda: function(*arguments))
        self.arrived.release()

    def run(self, count: int) -> None:
        for _ in range(count):
            assert self.arrived.acquire(timeout=PATIENCE)
            self.calls.pop(0)()


def test_order_and_results() -> None:
    """Calls run one after the other in another thread; results and errors come back to the reactor's."""
    reactor, results = Reactor(), []
    worker = ThreadWorker(reactor, "test")  # type: ignore[arg-type]
    threads = []

    def note(value: int) -> int:
        threads.append(threading.current_thread())
        return 10 // value

    for value in (2, 0, 5):
        worker.run(lambda value=value: note(value)).addBoth(results.append)
    assert results == []
    reactor.run(3)
    assert results[0] == 5
    assert isinstance(results[1], Failure)
    assert results[1].check(ZeroDivisionError)
    assert results[2] == 2
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon
    worker.stop()
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()


def test_cancelled() -> None:
    """A result that nobody waits for any more is dropped."""
    reactor, results = Reactor(), []
    worker = ThreadWorker(reactor, "test")  # type: ignore[arg-type]
    waiting = worker.run(lambda: 1)
    waiting.addBoth(results.append)
    waiting.cancel()
    reactor.run(1)
    assert len(results) == 1
    worker.stop()
