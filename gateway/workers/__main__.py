"""The process of a worker: `python -m gateway.workers LINK REACTOR`, started by the leader and by nobody else."""

from __future__ import annotations

import signal
import socket
import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

from twisted.logger import globalLogBeginner

from gateway import reactor as choice
from gateway.signals import on_signal
from gateway.workers.link import attach
from gateway.workers.sayings import Sayings

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor


def main(arguments: list[str]) -> None:
    """Serve until the leader says otherwise.

    Args:
        arguments: The descriptor of the link, and the module of the leader's reactor; empty for ours on uvloop.
    """
    # A terminal sends these to every process; the leader tells what there is to do.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    descriptor, module = arguments
    sayings = Sayings()
    globalLogBeginner.beginLoggingTo([sayings], redirectStandardIO=False)
    if module:
        import_module(module).install()
    else:
        choice.install()
    from twisted.internet import reactor as installed

    from gateway.workers.worker import Worker

    reactor = cast("AsyncioSelectorReactor", installed)  # or another with the same methods
    ended: list[bool] = []

    def end() -> None:
        if not ended:
            ended.append(True)
            reactor.callWhenRunning(reactor.stop)

    worker = Worker(reactor, end)
    sayings.link = worker.link
    attach(reactor, socket.socket(fileno=int(descriptor)), worker.link)
    on_signal(signal.SIGTERM, worker.leave, reactor.callFromThread)
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main(sys.argv[1:])
