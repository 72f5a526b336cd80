"""A gateway of several workers: which processes there are, and clients of each, whichever the kernel chooses."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from tests.support.proc import children, owners, running
from tests.support.raw_http import RawHTTP
from tests.support.twistd import Twistd
from tests.support.waiting import eventually

TWO = "workers = 2\n"


def started(gateway: Twistd, times: int = 2) -> Twistd:
    """Wait until so many workers have begun to serve."""
    eventually(lambda: begun(gateway.process.text()) >= times, gateway.process.text)
    return gateway


def begun(log: str) -> int:
    """How many workers have begun to serve."""
    return log.count(") serves\n")


def workers(gateway: Twistd) -> set[int]:
    """Ids of the processes that serve: the only one, where it has no workers."""
    return children(gateway.process.pid) or {gateway.process.pid}


def end(pid: int, number: signal.Signals) -> None:
    """Send a process that is not ours a signal, and wait until it is gone."""
    os.kill(pid, number)
    eventually(lambda: not running(pid), lambda: f"{pid} ignores {number.name}")


def client_of(port: int, pid: int, pids: Collection[int]) -> RawHTTP:
    """A client of one of the processes that share a port."""

    def found() -> RawHTTP | None:
        client, owner = accepted(port, pids)
        if owner == pid:
            return client
        client.socket.close()
        return None

    return eventually(found, lambda: f"{pid} accepts no connection")


def accepted(port: int, pids: Collection[int]) -> tuple[RawHTTP, int]:
    """A client, and which of these processes has accepted its connection."""
    client = RawHTTP(port)
    chosen = client.socket.getsockname()[1]
    (owner,) = eventually(lambda: owners(port, chosen, pids), lambda: f"none of {pids} accepts the connection")
    return client, owner


@contextmanager
def client_of_each(port: int, pids: Collection[int]) -> Iterator[dict[int, RawHTTP]]:
    """A client of each of the processes that share a port."""
    with ExitStack() as clients:
        yield {pid: clients.enter_context(client_of(port, pid, pids)) for pid in pids}
