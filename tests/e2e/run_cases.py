"""Runs every endpoint case on one reactor and one kind of address; prints what was seen as JSON.

Usage: run_cases.py REACTOR ADDRESS [CASE ...], where REACTOR is uvloop or epoll and ADDRESS what a listener takes.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("error")
if sys.argv[1] == "uvloop":
    from gateway.reactor import install

    assert install()
else:
    from twisted.internet import epollreactor

    epollreactor.install()

import endpoint_cases
import listener_cases
import tls_cases
from endpoint_peers import CASES, kind, logged
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from tests.support.waiting import PATIENCE

assert endpoint_cases
assert listener_cases
assert tls_cases


async def main() -> None:
    globalLogPublisher.addObserver(
        lambda event: logged.append(str(event)) if event.get("log_failure") or event.get("isError") else None
    )
    results: dict[str, object] = {}
    try:
        for name in sys.argv[3:] or CASES:
            before = len(logged)
            try:
                results[name] = await Deferred.fromCoroutine(CASES[name]()).addTimeout(2 * PATIENCE, reactor)
            except Exception as problem:
                results[name] = kind(problem)
            results[f"{name} logged"] = len(logged) - before
    finally:
        sys.stdout.write(json.dumps(results))
        Path(sys.argv[2].removeprefix("unix:")).unlink(missing_ok=True)
        reactor.stop()


reactor.callWhenRunning(lambda: Deferred.fromCoroutine(main()))
reactor.run()
