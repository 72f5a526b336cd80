"""A crew of workers in memory: the leader's side real, each process a fake whose end of the link is the test's."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from gateway.config.model import GatewayConfig
from gateway.workers.crew import Crew
from gateway.workers.link import Link
from gateway.workers.messages import FromLeader, FromWorker, read_leaders, write
from tests.support.reloading import FakeReactor
from tests.support.transports import FakeTransport

_Said = TypeVar("_Said", bound=FromLeader)


class FakeChild:
    """A process.

    Attributes:
        status: How it ended; None while it runs.
        killed: Whether it was ended at once.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.killed = False

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.killed = True
        self.status = -9


class FakeWorker:
    """A process and its end of the link.

    Attributes:
        child: The process.
        descriptors: What it inherited.
        heard: What the leader said so far.
    """

    def __init__(self, child: FakeChild, descriptors: Sequence[int]) -> None:
        self.child = child
        self.descriptors = tuple(descriptors)
        self.heard: list[FromLeader] = []
        self._transport: FakeTransport | None = None
        self._read: Link[FromLeader] = Link(read_leaders, self.heard.append, lambda: None)

    def attach(self, link: Link[FromWorker]) -> None:
        self._transport = FakeTransport(link)

    @property
    def transport(self) -> FakeTransport:
        assert self._transport is not None
        return self._transport

    def listen(self) -> list[FromLeader]:
        """Take what the leader said since the last time."""
        self.heard.clear()
        self._read.dataReceived(self.transport.take())
        return list(self.heard)

    def told(self, kind: type[_Said]) -> list[_Said]:
        """Take what the leader said, and keep what is of one kind."""
        return [said for said in self.listen() if isinstance(said, kind)]

    def say(self, said: FromWorker) -> None:
        data = write(said)
        self.transport.receive(len(data).to_bytes(4, "big") + data)

    def die(self, status: int = -9) -> None:
        """End, the link first, as the kernel does it."""
        self.transport.lose()
        self.child.status = status


class FakeCrew:
    """A crew whose processes are fakes.

    Attributes:
        crew: The crew.
        reactor: Its clock.
        workers: All workers that were ever started, in order.
        refuse: What the system says instead of starting one.
    """

    def __init__(self, folder: Path, config: GatewayConfig) -> None:
        self.reactor = FakeReactor()
        self.workers: list[FakeWorker] = []
        self.refuse: OSError | None = None
        self._sockets: dict[socket.socket, FakeWorker] = {}
        self.crew = Crew(folder, config, self.reactor, self._spawn, self._attach)

    def start(self) -> None:
        self.crew.bind()
        self.crew.start()

    def _spawn(self, descriptors: Sequence[int]) -> tuple[FakeChild, socket.socket]:
        if self.refuse is not None:
            raise self.refuse
        worker = FakeWorker(FakeChild(1000 + len(self.workers)), descriptors)
        self.workers.append(worker)
        sock = socket.socket(socket.AF_UNIX)
        self._sockets[sock] = worker
        return worker.child, sock

    def _attach(self, sock: socket.socket, link: Link[FromWorker]) -> None:
        self._sockets.pop(sock).attach(link)
        sock.close()
