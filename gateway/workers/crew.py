"""The leader's side: N workers that serve what the gateway decides, each replaced once it is gone."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from random import random
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger, globalLogPublisher
from twisted.python.failure import Failure

from gateway.compile import Compiler
from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.errors import Blame, GatewayError
from gateway.http.forwarding import Via
from gateway.https import SecureSites
from gateway.net.disk import DiskThreads
from gateway.net.sweeper import Sweeper
from gateway.reload import ONLY_AT_START
from gateway.resources.page import ErrorPages
from gateway.resources.websocket_registry import OpenSockets
from gateway.serving import build_context, monotonic, own_name, unknown_hosts
from gateway.sticky_key import KeyWhenNeeded
from gateway.units import Seconds
from gateway.upstream.health import HealthChecks
from gateway.upstream.pool import UpstreamRegistry
from gateway.web.tree import VirtualHosts
from gateway.workers.generation import Generation
from gateway.workers.link import Attach
from gateway.workers.member import Member
from gateway.workers.messages import Accept, Ask, Begin, Configure, Cut, Elsewhere, Gone, Health, Reopen, Sticky, Stop
from gateway.workers.mirror import Audience, MirroredNames, MirroredTokens
from gateway.workers.packing import pack_config
from gateway.workers.process import Spawn
from gateway.workers.sayings import Repeater
from gateway.workers.sockets import ListeningSockets, flat

log = Logger()

LOOK: Final = Seconds(1)
"""How often workers are looked after, and told what the others count."""
ANSWER_TIME: Final = Seconds(10)
"""How long workers may take to say that they have what an authority will look for."""
PROVEN: Final = Seconds(10)
"""A worker that lives as long is replaced at once when it dies."""
FIRST_PAUSE: Final = Seconds(0.5)
"""How long to wait before the second try of a worker that dies young; each time twice as long, up to `LAST_PAUSE`."""
LAST_PAUSE: Final = Seconds(30)
CUT: Final = Seconds(5)
"""How long a worker may take to end, beyond the time that its exchanges have."""


class NoWorkerError(GatewayError):
    """No worker can be started; the log says why."""

    status = None
    blame = Blame.OPERATOR
    reason = "workers"


class Crew:
    """Has other processes serve; implements `gateway.service.Servers`.

    Sites are built here too, so that a site which cannot be built is known before any worker hears of it.

    Args:
        folder: The folder of site files.
        config: The machine's settings.
        reactor: The reactor.
        spawn: Starts a worker.
        attach: Gives a link its socket.

    Attributes:
        secure: The certificates, the same in all workers.
        tokens: What the challenge http-01 is answered with, by all workers.
    """

    def __init__(
        self, folder: Path, config: GatewayConfig, reactor: IReactorTime, spawn: Spawn, attach: Attach
    ) -> None:
        self._folder = folder
        self._config = config
        self._reactor = reactor
        self._spawn = spawn
        self._attach = attach
        self._audience = Audience()
        self._names = MirroredNames(self._audience, config.tls)
        self.tokens = MirroredTokens(self._audience)
        self.secure = SecureSites(config, monotonic, self._names)
        self._via = own_name()
        self._disk = DiskThreads(reactor)
        self._sticky: tuple[Sticky, ...] = ()
        self._kept_key = KeyWhenNeeded(Path(config.state), self._take_key)
        self.upstreams = UpstreamRegistry()
        self._checks = HealthChecks(self.upstreams, reactor, random, lambda down: self._audience(Health(down=down)))
        self.unknown = unknown_hosts(config)
        context = build_context(reactor, Sweeper(), self._disk, self.upstreams, Via(self._via))
        self.compiler = Compiler(context, ErrorPages(), OpenSockets(monotonic), self.secure.place)
        self._sockets = ListeningSockets(config, folder)
        self._generation = Generation()
        self._places = [_Place(number) for number in range(1, config.workers + 1)]
        self._members: list[Member] = []
        self._repeater = Repeater(monotonic)
        self._questions = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._stopped: Deferred[None] | None = None
        self._ticks = LoopingCall(self._look)
        self._ticks.clock = reactor

    # What the gateway decides.

    def bind(self) -> None:
        """Bind the listeners, while that is permitted.

        Raises:
            ListenError: One cannot be opened.
        """
        self._sockets.bind()

    def start(self) -> None:
        """Start the workers; until they serve, connections wait.

        Raises:
            NoWorkerError: None can be started, so nobody would ever accept a connection.
        """
        globalLogPublisher.addObserver(self._repeater)
        self._kept_key.start()
        self._checks.start()
        self._sockets.listen()
        for place in self._places:
            self._fill(place)
        if not self._members:
            raise NoWorkerError("no worker can be started")
        self._ticks.start(LOOK, now=False).addErrback(_log_bug)

    def use(self, tree: VirtualHosts, sites: Iterable[Site], refused: Iterable[BrokenSite]) -> None:
        """Have these sites served; the tree was built of them to see that it can be."""
        sites = tuple(sites)
        self._kept_key.use(sites)
        self._audience(*self._generation.next(sites, refused))

    def close_site(self, name: str) -> None:
        """Have the WebSockets of a site closed that is gone."""
        self._audience(Gone(site=name))

    def configure(self, config: GatewayConfig) -> None:
        """Put new settings of gateway.toml into effect."""
        kept = {name: getattr(self._config, name) for name in ONLY_AT_START}
        self._config = dataclasses.replace(config, **kept)
        self._audience(Configure(config=pack_config(self._config)))

    def reopen_logs(self) -> None:
        """Have access logs opened anew."""
        self._audience(Reopen())

    async def ready(self) -> None:
        """Wait until all workers have what was said until now; one that does not answer is not waited for long."""
        if not self._members:
            return
        self._questions += 1
        answered: Deferred[None] = Deferred()
        self._waiting.append((self._questions, answered))
        self._audience(Ask(number=self._questions))
        answered.addTimeout(ANSWER_TIME, self._reactor)
        try:
            await answered
        except NoAnswer:
            log.warn("not all workers know how to answer a challenge yet: it may fail")
        finally:
            self._waiting = [each for each in self._waiting if each[1] is not answered]

    def stop(self) -> Deferred[None]:
        """Accept no more and have all workers drain; fires once they are gone."""
        if self._ticks.running:
            self._ticks.stop()
            globalLogPublisher.removeObserver(self._repeater)
        self._checks.stop()
        self._sockets.close()
        for place in self._places:
            place.forget()
        busy = sum(member.connections for member in self._members)
        if busy:
            log.info("stopping: workers have {count} connections", count=busy)
        for member in self._members:
            member.leaving = True
        self._audience(Stop())
        if not self._members:
            return succeed(None)
        stopped = self._stopped = Deferred[None]()
        late = self._reactor.callLater(self._config.limits.stop + CUT, self._kill)
        return stopped.addBoth(lambda _: late.cancel() if late.active() else None)

    def cut(self) -> None:
        """Have workers cut what a stop still waits for."""
        self._audience(Cut())

    # Workers.

    def _fill(self, place: _Place) -> None:
        """Start a worker."""
        place.timer = None
        if self._stopped is not None:
            return
        descriptors = self._sockets.descriptors
        try:
            child, sock = self._spawn(flat(descriptors))
        except OSError as error:
            pause = place.pause(died_young=True)
            sentence = "worker {number} cannot be started: {error}"
            if self._ticks.running:  # else it is not known yet whether any worker can
                sentence += "; tried again in {pause:.1f} s"
            if isinstance(error, PermissionError):
                sentence += "; the user that the gateway runs as must be permitted to run it"
            log.error(sentence, number=place.number, error=error, pause=pause)
            self._fill_later(place, pause)
            return
        member = Member(
            place.number, child, self._reactor, self._repeater, lambda each: self._replace(place, each), self._ended,
            self._hear_answers, self._share_out,
        )  # fmt: skip
        member.answered = self._questions  # it does not accept before it has heard the answers
        self._attach(sock, member.link)
        self._members.append(member)
        begin = Begin(
            version=version("gateway"),
            folder=str(self._folder),
            via=self._via,
            sockets=descriptors,
            config=pack_config(self._config),
        )
        member.link.say(begin, *self._names.everything(), *self.tokens.everything(), *self._sticky)
        member.link.say(Health(down=self.upstreams.down), *self._generation.everything())
        self._audience.join(member.link)

    def _take_key(self, key: bytes) -> None:
        self._sticky = (Sticky(key=key),)
        self._audience(*self._sticky)

    def _share_out(self) -> None:
        """Have each queue of connections accepted from, by another worker while its own is being replaced."""
        able = [member for member in self._members if member.accepting]
        if self._stopped is not None or not able:
            return
        own = {member.number: member for member in able}
        shares: dict[Member, list[int]] = {member: [] for member in able}
        for place in self._places:
            shares[own.get(place.number) or able[place.number % len(able)]].append(place.number)
        for member, numbers in shares.items():
            if member.places != tuple(numbers):
                member.places = tuple(numbers)
                member.link.say(Accept(places=member.places))

    def _replace(self, place: _Place, member: Member) -> None:
        """Have another worker take the place of one that is gone or going."""
        self._audience.leave(member.link)
        if self._stopped is not None:
            return
        self._share_out()
        pause = place.pause(died_young=self._reactor.seconds() - member.since < PROVEN)
        if pause:
            log.error("{name} died young: another is tried in {pause:.1f} s", name=member.name, pause=pause)
        self._fill_later(place, pause)

    def _fill_later(self, place: _Place, pause: Seconds) -> None:
        place.timer = self._reactor.callLater(pause, self._fill, place)

    def _ended(self, member: Member) -> None:
        self._members.remove(member)
        self._hear_answers()
        if self._stopped is not None and not self._members:
            self._stopped.callback(None)

    def _kill(self) -> None:
        for member in self._members:
            member.kill()

    def _look(self) -> None:
        """Look after all workers, and tell each how many connections the others have."""
        total = sum(member.connections for member in self._members)
        clients: Counter[str] = Counter()
        for member in self._members:
            clients.update(member.clients)
        for member in self._members:
            member.look()
            others = dict(clients - Counter(member.clients))  # what is not more than none falls out
            member.link.say(Elsewhere(connections=total - member.connections, clients=others))

    def _hear_answers(self) -> None:
        """Tell those who wait that every worker has answered which was asked and is still there."""
        asked = [member for member in self._members if member.link.connected and not member.leaving]
        answered = min((member.answered for member in asked), default=self._questions)
        for number, waiting in list(self._waiting):
            if number <= answered and not waiting.called:
                waiting.callback(None)


class _Place:
    """A place that a worker fills.

    Args:
        number: Its number, from 1.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.timer: IDelayedCall | None = None
        self._young = 0

    def pause(self, *, died_young: bool) -> Seconds:
        """Tell how long to wait before the next worker is started, its predecessor having gone."""
        self._young = self._young + 1 if died_young else 0
        if self._young < 2:
            return Seconds(0)
        return Seconds(min(LAST_PAUSE, FIRST_PAUSE * 2 ** min(self._young - 2, 16)))

    def forget(self) -> None:
        """Have nobody fill it any more."""
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = None


def _log_bug(failure: Failure) -> None:
    log.failure("workers could not be looked after", failure)
