"""A worker: serves what the leader says, says what it counts, and ends with its link."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.https import SecureSites
from gateway.serving import Serving, monotonic
from gateway.tls.certificate import CertificateUnusable
from gateway.units import Seconds
from gateway.workers.link import Link
from gateway.workers.messages import (
    Accept,
    Answer,
    Ask,
    Begin,
    Configure,
    Cut,
    Elsewhere,
    Figures,
    FromLeader,
    Gone,
    Health,
    Leaving,
    Reopen,
    Serve,
    Serves,
    Sites,
    Sticky,
    Stop,
    read_leaders,
)
from gateway.workers.mirror import reflect
from gateway.workers.packing import unpack_config, unpack_sites
from gateway.workers.queues import Queues
from gateway.workers.sites import AgreedSites

log = Logger()

TELL: Final = Seconds(1)
"""How often a worker says what it counts."""

GOODBYE: Final = Seconds(2)
"""How long the last words may take to reach the leader."""


class Worker:
    """The worker of this process.

    Args:
        reactor: The reactor.
        ended: Called once all is over.

    Attributes:
        link: To the leader.
        serving: Who serves; None before the leader's first message.
    """

    def __init__(self, reactor: IReactorTime, ended: Callable[[], object]) -> None:
        self.link: Link[FromLeader] = Link(read_leaders, self._hear, self._lost)
        self.serving: Serving | None = None
        self._reactor = reactor
        self._ended = ended
        self._secure: SecureSites | None = None
        self._tokens: dict[bytes, bytes] = {}
        self._sites: AgreedSites | None = None
        self._queues: Queues | None = None
        self._started = False
        self._stopping = False
        self._figures = LoopingCall(self._count)
        self._figures.clock = reactor

    def leave(self) -> None:
        """End because somebody else than the leader wants it: another worker shall take this one's place."""
        self.link.say(Leaving())
        self._stop()

    # What the leader says.

    def _hear(self, said: FromLeader) -> None:
        if isinstance(said, Stop):
            self._stop()
        elif isinstance(said, Begin):
            self._begin(said)
        elif isinstance(said, Ask):
            self.link.say(Answer(number=said.number))
        elif self.serving is not None and self._sites is not None and self._secure is not None:
            self._obey(said, self.serving, self._sites, self._secure)

    def _begin(self, said: Begin) -> None:
        if said.version != version("gateway"):
            log.critical("another version of gateway was installed, {ours}: restart it", ours=version("gateway"))
            self._stop()
            return
        config = unpack_config(said.config)
        secure = self._secure = SecureSites(config, monotonic)
        serving = Serving(Path(said.folder), config, self._reactor, secure, self._tokens, said.via)
        self.serving = serving
        self._queues = Queues(serving, said.sockets)
        self._sites = AgreedSites(self._reactor, serving, self._served)
        self._figures.start(TELL).addErrback(_log_bug)

    def _obey(self, said: FromLeader, serving: Serving, sites: AgreedSites, secure: SecureSites) -> None:
        match said:
            case Sites():
                sites.tell(unpack_sites(said))
            case Serve():
                sites.serve(said.generation, said.files)
            case Accept():
                if self._queues is not None and not self._stopping:
                    self._queues.accept(said.places)
            case Gone():
                serving.close_site(said.site)
            case Configure():
                serving.configure(unpack_config(said.config))
            case Reopen():
                serving.reopen_logs()
            case Cut():
                serving.cut()
            case Health():
                serving.upstreams.set_down(said.down)
            case Sticky():
                serving.sticky.octets = said.key
            case Elsewhere():
                serving.count_elsewhere(said.connections, said.clients)
            case _:
                try:
                    reflect(said, secure.names, self._tokens)
                except CertificateUnusable as error:
                    log.error("a certificate that the leader has cannot be used here: {error}", error=error)

    # What it says.

    def _served(self, generation: int, failed: tuple[str, ...]) -> None:
        if not self._started and not self._stopping and self.serving is not None:
            self._started = True
            self.serving.start()
        self.link.say(Serves(generation=generation, failed=failed))

    def _count(self) -> None:
        serving = self.serving
        if serving is not None:
            clients = serving.clients_with_many()
            self.link.say(Figures(connections=len(serving.front), lost=serving.log_writer.lost, clients=clients))

    # The end.

    def _lost(self) -> None:
        """End where the leader is gone: nobody would replace this process, or tell it anything."""
        if self._stopping and not self._figures.running:
            self._ended()
        else:
            self._stop()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        if self._sites is not None:
            self._sites.stop()
        if self._queues is not None:
            self._queues.close()
        if self.serving is not None and self._started:
            self.serving.stop().addErrback(_log_bug).addCallback(self._over)
        else:
            self._over(None)

    def _over(self, _: object) -> None:
        if self._figures.running:
            self._figures.stop()
        if self.link.connected:
            self._reactor.callLater(GOODBYE, self._ended)
            self.link.close()
        else:
            self._ended()


def _log_bug(failure: Failure) -> None:
    log.failure("a task of a worker failed", failure)
