"""Which upstreams are well: who is asked when, and when enough was answered to change one's mind.

Where there are several processes only their leader checks, and tells the others what is down. An upstream of which
nothing is known is used, and one that has no other beside it is used whatever its checks say (`upstream.balancer`).

state    meaning                                   next
unknown  not enough was answered yet; it is used   up, down
up       it is used                                down after `failures` checks that failed one after the other
down     nothing is sent there                     up after `successes` checks that passed one after the other
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from gateway.upstream.pool import Upstream, UpstreamRegistry
from gateway.upstream.probe import Check, Probe

log = Logger()

JITTER: Final = 0.1
"""Part of the interval by which checks come earlier or later, so that those of many sites spread out."""

Down = frozenset[str]
"""Marks of the upstreams that are down."""


class HealthChecks:
    """Checks the upstreams of a registry, as long as they are there.

    Args:
        registry: The upstreams; those that are down are marked in it.
        reactor: For timers.
        random: From 0 to 1.
        tell: Told which are down, whenever that changes.
    """

    def __init__(
        self,
        registry: UpstreamRegistry,
        reactor: IReactorTime,
        random: Callable[[], float],
        tell: Callable[[Down], object] = lambda _: None,
    ) -> None:
        self._registry = registry
        self._reactor = reactor
        self._random = random
        self._tell = tell
        self._running = False
        self._watched: dict[str, _Watch] = {}
        registry.changed = self._look

    def start(self) -> None:
        """Begin to check."""
        self._running = True
        self._look()

    def stop(self) -> None:
        """Check no more."""
        self._running = False
        for watch in self._watched.values():
            watch.stop()
        self._watched.clear()

    def _look(self) -> None:
        """Check the upstreams that there are now, and no others; what is known of those that stay stays."""
        if not self._running:
            return
        wanted = {upstream.mark: upstream for upstream in self._registry if upstream.check is not None}
        for mark in self._watched.keys() - wanted.keys():
            self._watched.pop(mark).stop()
        for mark, upstream in wanted.items():
            watch = self._watched.get(mark)
            if watch is None:
                watch = self._watched[mark] = _Watch(upstream, self._reactor, self._random, self._agree)
                watch.start()
            watch.upstream = upstream
        self._agree()

    def _agree(self) -> None:
        down = frozenset(mark for mark, watch in self._watched.items() if watch.up is False)
        if down != self._registry.down:
            self._registry.set_down(down)
            self._tell(down)


class _Watch:
    """What is known of one upstream, which may have several pools.

    Attributes:
        upstream: One of the pools.
        up: Whether it is well; None as long as nobody knows.
    """

    def __init__(
        self, upstream: Upstream, reactor: IReactorTime, random: Callable[[], float], changed: Callable[[], object]
    ) -> None:
        self.upstream = upstream
        self.up: bool | None = None
        self._reactor = reactor
        self._random = random
        self._changed = changed
        self._timer: IDelayedCall | None = None
        self._probe: Probe | None = None
        self._alike = 0  # answers in a row that say the same
        self._passed = False
        self._since = 0.0

    def start(self) -> None:
        """Ask, some time within the first interval."""
        self._ask_in(self._random())

    def _ask_in(self, intervals: float) -> None:
        check = self.upstream.check
        if check is not None:
            self._timer = self._reactor.callLater(intervals * check.health.interval, self._ask)

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._probe is not None:
            self._probe.cancel()

    def _ask(self) -> None:
        check = self.upstream.check  # a reload may have changed how to ask
        if check is not None:
            self._probe = Probe(self.upstream, check, self._reactor, partial(self._answered, check))
            self._probe.start()

    def _answered(self, check: Check, wrong: str) -> None:
        passed = not wrong
        self._alike = self._alike + 1 if passed is self._passed else 1
        self._passed = passed
        self._ask_in(1 + JITTER * (2 * self._random() - 1))
        health = check.health
        if self.up is not passed and self._alike >= (health.successes if passed else health.failures):
            self._change(check, wrong)

    def _change(self, check: Check, wrong: str) -> None:
        before, self.up = self.up, not wrong
        now = self._reactor.seconds()
        site = check.host.decode("ascii")
        if wrong:
            sentence = "{site}: {upstream} is down and gets no requests: {wrong}"
            if check.alone:
                sentence = "{site}: {upstream} is down, but gets requests all the same, as it is the only one: {wrong}"
            log.warn(sentence, site=site, upstream=self.upstream.name, wrong=_line(wrong))
        elif before is False:
            sentence = "{site}: {upstream} is up again after {time:.0f} s"
            log.info(sentence, site=site, upstream=self.upstream.name, time=now - self._since)
        self._since = now
        self._changed()


def _line(text: str) -> str:
    """Make a reason fit for a log line, whatever a peer put into it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
