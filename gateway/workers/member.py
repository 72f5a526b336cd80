"""A worker as the leader sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from gateway.units import Seconds
from gateway.workers.link import Link
from gateway.workers.messages import (
    Answer,
    Figures,
    FromWorker,
    Leaving,
    Said,
    Serves,
    read_workers,
)
from gateway.workers.process import Child, ending
from gateway.workers.sayings import Repeater

log = Logger()

SILENT: Final = Seconds(30)
"""How long a worker may say nothing. It speaks every second, and one that hangs holds connections in vain."""
_REAP: Final = Seconds(0.02)
_PARTING: Final = Seconds(10)
"""How long a process may go on without its link, once it is idle: on a busy machine even an end takes its time."""


class Member:
    """One worker.

    Args:
        number: The place that it fills, from 1.
        child: Its process.
        reactor: For timers.
        repeater: Takes what it says to the operator.
        replace: Called once, when somebody shall take its place.
        ended: Called once its process is gone.
        answer: Called whenever it answered a question, or will answer none.
        serves: Called once it can accept connections.

    Attributes:
        link: To it.
        connections: Its client connections.
        clients: Those of clients that have many.
        generation: The generation that it serves; 0 before the first.
        answered: The last question that it answered.
        leaving: Whether it was told to end.
        places: The places from whose sockets it accepts.
        since: When it was started.
    """

    def __init__(
        self,
        number: int,
        child: Child,
        reactor: IReactorTime,
        repeater: Repeater,
        replace: Callable[[Member], object],
        ended: Callable[[Member], object],
        answer: Callable[[], object],
        serves: Callable[[], object],
    ) -> None:
        self.number = number
        self.link: Link[FromWorker] = Link(read_workers, self._hear, self._lost)
        self.connections = 0
        self.clients: Mapping[str, int] = {}
        self.generation = 0
        self.answered = 0
        self.places: tuple[int, ...] = ()
        self.since = Seconds(reactor.seconds())
        self._child = child
        self._reactor = reactor
        self._repeater = repeater
        self._replace = replace
        self._ended = ended
        self._answer = answer
        self._serves = serves
        self._heard = self.since
        self.leaving = False
        self._unlinked = Seconds(0)

    @property
    def accepting(self) -> bool:
        """Whether it can take connections."""
        return self.generation > 0 and not self.leaving and bool(self.link.connected)

    @property
    def name(self) -> str:
        """How the log calls it."""
        return f"worker {self.number} (pid {self._child.pid})"

    def look(self) -> None:
        """End it if it hangs."""
        if self._reactor.seconds() - self._heard > SILENT and not self._unlinked:
            log.error("{name} hangs: it said nothing for {silent:.0f} s", name=self.name, silent=SILENT)
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self._child.poll() is None:
            self._child.kill()

    def _hear(self, said: FromWorker) -> None:
        self._heard = Seconds(self._reactor.seconds())
        match said:
            case Figures():
                self.connections, self.clients = said.connections, said.clients
            case Said():
                self._repeater.repeat(self.number, said)
            case Serves():
                before, self.generation = self.generation, said.generation
                if not before:
                    log.info("{name} serves", name=self.name)
                    self._serves()
            case Answer():
                self.answered = said.number
                self._answer()
            case Leaving():
                log.info("{name} was told to end: another takes its place", name=self.name)
                self.leaving = True
                self._replace(self)

    def _lost(self) -> None:
        """Have it replaced at once, and see how it ended."""
        self._unlinked = Seconds(self._reactor.seconds())
        self.connections, self.clients = 0, {}
        if not self.leaving:
            self._replace(self)
        self._answer()
        self._reap()

    def _reap(self) -> None:
        status, unlinked = self._child.poll(), self._unlinked
        if status is None:
            if self._reactor.seconds() - unlinked > _PARTING:
                self._child.kill()
            self._reactor.callLater(_REAP, self._reap)
            return
        if status or not self.leaving:
            lived = unlinked - self.since
            log.error("{name} {ending} after {lived:.1f} s", name=self.name, ending=ending(status), lived=lived)
        self._ended(self)
