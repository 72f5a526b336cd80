"""The soak: `python -m benchmarks.soak [--minutes 10]`. Exits with 1 where anything was found."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import resource
import shutil
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.backend import backend, compiled
from benchmarks.process import BenchmarkError, free_ports, running, wait_for_port
from benchmarks.soak.crowd import crowd
from benchmarks.soak.follow import Follower, unexpected
from benchmarks.soak.origin import Origin, die_and_return
from benchmarks.soak.report import Outcome, report
from benchmarks.soak.server import Ports, prepare
from benchmarks.soak.slow import aborted_upload, impatient, never_asking, slow_reader, slow_writer
from benchmarks.soak.sockets import idle_websocket, websocket
from benchmarks.soak.tally import Tally, compare
from benchmarks.soak.volume import idling, reconnecting, staying, staying_tls
from benchmarks.soak.watch import PIPE, Watch, descriptors, left_over
from benchmarks.soak.wire import Connection, WrongError, give_up_long_waits
from benchmarks.soak.world import FILES, World, ask, request
from benchmarks.soak.wrong import dead_application, dying_application, files, malformed, odd_application
from gateway.net.pipes import KEPT

_SETTLE = 30.0
_CLIENTS: tuple[tuple[Callable[[World], Awaitable[None]], int], ...] = (
    (staying, 24),
    (staying_tls, 4),
    (reconnecting, 6),
    (idling, 60),
    (files, 4),
    (slow_reader, 3),
    (slow_writer, 4),
    (aborted_upload, 3),
    (impatient, 3),
    (never_asking, 2),
    (malformed, 3),
    (odd_application, 4),
    (dying_application, 3),
    (dead_application, 1),
    (websocket, 6),
    (idle_websocket, 30),
)
"""Kinds of clients, and how many of each are there at any time."""


async def _client(kind: Callable[[World], Awaitable[None]], world: World) -> None:
    """Be one client after the other until the time is up; one that fails is a finding."""
    await asyncio.sleep(random.random())
    while world.going_on:
        try:
            await kind(world)
        except (WrongError, OSError, ValueError) as error:
            world.tally.found(f"{kind.__name__}: {error!r}")
            await asyncio.sleep(0.2)


async def _warm_up(world: World) -> None:
    """Let every kind of client be there once, so that what is opened once is open."""
    connection = await world.connect(FILES)
    connection.write(request("files", FILES, "GET", "/small.css"))
    world.etag = (await ask(world, "files", connection, (200,))).field(b"ETag").decode()
    connection.close()
    await asyncio.gather(*(_client(kind, world) for kind, _ in _CLIENTS))


async def _settled(pid: int, base: Counter[str]) -> list[str]:
    """Wait until no more descriptors are open than before the load, for a bounded time."""
    deadline = time.monotonic() + _SETTLE
    while (left := left_over(base, descriptors(pid))) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    return left


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class _Running:
    """What was started, and what is asked of it."""

    folder: Path
    ports: Ports
    pid: int
    workers: int
    dying: Origin
    seconds: float
    seed: int

    @property
    def output(self) -> bytes:
        """The operator's log."""
        return (self.folder / "output").read_bytes()


async def _soak(it: _Running) -> Outcome:
    known = tuple(line.partition(b" ")[2] for line in it.output.splitlines())
    tally = Tally()
    world = World(it.ports.http, it.ports.https, time.monotonic() + 5, tally, _tls())
    follower = Follower(it.folder / "logs")
    helpers = [
        asyncio.create_task(each) for each in (follower.run(), give_up_long_waits(tally), die_and_return(it.dying))
    ]
    pipes = descriptors(it.pid)[PIPE] + 2 * KEPT * it.workers  # each worker may keep so many
    await _warm_up(world)
    await asyncio.sleep(6)  # longer than gateway keeps connections to the applications
    base = descriptors(it.pid)
    base[PIPE] = pipes
    world.until = time.monotonic() + it.seconds
    watch = Watch(it.pid)
    watching = asyncio.create_task(watch.run())
    clients = [asyncio.create_task(_client(kind, world)) for kind, count in _CLIENTS for _ in range(count)]
    await asyncio.gather(*clients, crowd(compiled("crowd", it.folder), it.ports.http, it.seconds, it.seed, tally))
    load = watch.load
    watching.cancel()
    for connection in list(Connection.open):
        connection.transport.abort()
    left = await _settled(it.pid, base)
    await asyncio.sleep(2)  # longer than lines are gathered
    for each in helpers:
        each.cancel()
    follower.read()
    follower.close()
    wrong = [f"left open: {each}" for each in left]
    wrong += [f"no line of the access log: {line!r}" for line in follower.odd]
    wrong += compare(tally, follower.logged)
    wrong += [f"log: {line}" for line in unexpected(it.output, known)[:20]]
    return Outcome(tally, wrong, watch.readings, load, watch.most_descriptors, it.seconds)


async def _run(folder: Path, minutes: float, workers: int, seed: int) -> Outcome:
    odd, dying = Origin(), Origin()
    await odd.start()
    await dying.start()
    with backend(folder) as application:
        http, https, dead = free_ports(3)
        ports = Ports(http, https, application.port, odd.port, dying.port, dead)
        output = folder / "output"
        with running(prepare(folder, ports, workers), output) as pid:
            wait_for_port(ports.http, pid, output)
            return await _soak(_Running(folder, ports, pid, workers, dying, minutes * 60, seed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the load lasts; default: 10")
    parser.add_argument("--workers", type=int, default=1, help="processes of the gateway; default: 1")
    parser.add_argument("--seed", type=int, default=1, help="of what clients draw by lot")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy logs there at the end")
    return parser.parse_args()


def main() -> int:
    """Soak, and print the report.

    Returns:
        The exit status: 1 where something was found, 2 where nothing ran.
    """
    arguments = _arguments()
    if not 0 < arguments.minutes <= 24 * 60 or not 1 <= arguments.workers <= 64:
        print("minutes are from 0 to 1440, workers from 1 to 64", file=sys.stderr)
        return 2
    random.seed(arguments.seed)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                outcome = runner.run(_run(Path(name), arguments.minutes, arguments.workers, arguments.seed))
        except BenchmarkError as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            if arguments.keep:
                with contextlib.suppress(FileNotFoundError):
                    shutil.copytree(name, arguments.keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("files"))
    print(report(outcome))
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
