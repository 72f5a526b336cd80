"""The issuing service: has a certificate for every name that wants one, and renews it in time.

Decisions are `gateway.tls.schedule`'s, orders `gateway.tls.acme`'s; here are timers, the names, and what becomes of a
certificate: on disk, then in memory. An order belongs to its name: a reload changes nothing about it unless the name
goes away. Nothing here waits for the authority before the gateway serves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from gateway.tls.acme import Issuer, Wish
from gateway.tls.alarm import Alarm
from gateway.tls.certificate import CertifiedKey
from gateway.tls.certificate_id import certificate_id
from gateway.tls.dns import check_known
from gateway.tls.kept import Kept
from gateway.tls.problems import IssuingError, NotStored, OrderRefused, SettingsLacking, ValidationFailed
from gateway.tls.schedule import (
    BUILT,
    CHECK,
    SKEW,
    after_failure,
    after_success,
    alarms,
    decide,
)
from gateway.tls.sni import ServerNames
from gateway.tls.state import NameState
from gateway.tls.state_folder import Requests, StateLock
from gateway.tls.store import DirectoryStore
from gateway.tls.upkeep import Upkeep
from gateway.tls.windows import RenewalWindows
from gateway.tls.worker import Worker
from gateway.units import Seconds

log = Logger()

LOOK: Final = Seconds(5)
"""How often wishes are taken up; a name is looked at when its time has come, and every ten minutes in any case."""
AT_ONCE: Final = 4
"""Orders under way at a time."""
_TIDY: Final = 86400.0


class IssuingService:
    """Keeps certificates for names.

    Args:
        store: Where they are kept.
        lock: Keeps a second gateway out.
        requests: Wishes of the operator.
        issuer: Gets certificates.
        staging: Gets them where nothing is lost when validation fails; None where there is no such place.
        names: Where handshakes look.
        alarm: Tells people.
        worker: Runs what blocks.
        clock: Timers.
        now: Seconds of the epoch.
        random: Gives a number of at least 0 and less than 1.
        take_over: Folder of txacme's certificates to go on with; None for none.
        check_known: Raises OrderRefused for a name that DNS does not know; blocks.
    """

    def __init__(
        self,
        *,
        store: DirectoryStore,
        lock: StateLock,
        requests: Requests,
        issuer: Issuer,
        staging: Issuer | None,
        names: ServerNames,
        alarm: Alarm,
        worker: Worker,
        clock: IReactorTime,
        now: Callable[[], Seconds],
        random: Callable[[], float],
        take_over: Path | None = None,
        check_known: Callable[[str, Seconds], None] = check_known,
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._staging = staging
        self._server_names = names
        self._alarm = alarm
        self._worker = worker
        self._clock = clock
        self._now = now
        self._random = random
        self._check_known = check_known
        self._upkeep = Upkeep(store, lock, requests, take_over)
        self._names: dict[str, Kept] = {}
        self._wanted: Mapping[str, str | None] = {}
        self._unasked: frozenset[str] = frozenset()
        self._windows = RenewalWindows(issuer.authority, worker, now, random, self._remember)
        self._timer: IDelayedCall | None = None
        self._round: Deferred[None] | None = None
        self._running = False
        self._tidied = 0.0
        self._said: set[str] = set()
        self.skew = 0.0

    # Life.

    def load(self, wanted: Mapping[str, str | None], unasked: frozenset[str] = frozenset()) -> None:
        """Read stored certificates into memory, before the listeners open. Blocks, but asks nobody.

        Args:
            wanted: Profile by name of everything that wants a certificate; None: what is stored is shown, no other is
                asked for.
            unasked: Those that nobody asked for: they want one only where DNS knows them.
        """
        self._wanted, self._unasked = dict(wanted), unasked
        foreign = self._upkeep.foreign()
        for name, profile in wanted.items():
            key, state = self._upkeep.read(name)
            self._add(name, profile, key or foreign.get(name), state)

    def start(self) -> None:
        """Begin to look after the names."""
        self._running = True
        self._look()

    def stop(self) -> None:
        """Stop; orders under way go on with the next start."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for entry in list(self._names.values()):
            if entry.task is not None:
                entry.task.cancel()
        self._upkeep.end()

    def set_names(self, wanted: Mapping[str, str | None], unasked: frozenset[str] = frozenset()) -> None:
        """Look after other names from now on, as of `load`; those that stay notice nothing."""
        self._wanted, self._unasked = dict(wanted), unasked
        for name in [name for name in self._names if name not in wanted]:
            self._drop(self._names.pop(name))
        for name, profile in wanted.items():
            if name in self._names:
                self._names[name].profile, self._names[name].unasked = profile, name in unasked
            else:
                found = Deferred.fromCoroutine(self._find(name))
                found.addErrback(lambda failure: log.failure("a certificate could not be read", failure))

    def note_date(self, date: Seconds) -> None:
        """Compare the authority's clock with ours; called in the worker's thread."""
        self.skew = date - self._now()

    # Names.

    async def _find(self, name: str) -> None:
        key, state = await self._worker.run(partial(self._upkeep.read, name))
        # Meanwhile the site may have gone again, or come back.
        if name in self._wanted and name not in self._names:
            self._add(name, self._wanted[name], key, state)
            if self._running:
                self._begin_round()

    def _add(self, name: str, profile: str | None, key: CertifiedKey | None, state: NameState) -> None:
        if state.window is not None and (key is None or state.window.certificate != certificate_id(key)):
            state = dataclasses.replace(state, window=None)
        self._names[name] = Kept(name, profile, state, key, name in self._unasked)
        if key is not None:
            self._server_names.put(name, key, renewed=state.renewed)

    def _drop(self, entry: Kept) -> None:
        if entry.task is not None:
            entry.task.cancel()
        # Another certificate under the same name may have taken its place by now.
        if entry.key is not None and self._server_names.find(entry.name) is entry.key:
            self._server_names.remove(entry.name)

    # Rounds.

    def _look(self) -> None:
        self._timer = self._clock.callLater(LOOK, self._look)
        self._begin_round()

    def _begin_round(self) -> None:
        if self._round is None:
            going = self._round = Deferred.fromCoroutine(self._round_of_looks())
            going.addErrback(lambda failure: log.failure("looking after certificates failed", failure))
            going.addBoth(self._round_over)

    def _round_over(self, _: object) -> None:
        self._round = None

    async def _round_of_looks(self) -> None:
        now = self._now()
        early = now < BUILT
        self._say("clock", "the clock is wrong: it is before the date of this version; none is judged" if early else "")
        if early:
            return
        try:
            wishes = await self._tend(now)
        except OSError as error:
            self._say("folder", f"the state folder cannot be used, so none is asked for: {error}")
            for entry in self._names.values():
                self._give_alarms(entry, now)
            return
        self._say("folder", "")
        other = wishes is None
        self._say("lock", "another gateway uses this state folder: it renews them, not this one" if other else "")
        skew = abs(self.skew)
        self._say("skew", f"the clock differs from the authority's by {skew:.0f} s" if skew > SKEW else "")
        if wishes is not None and self._running:
            for name in wishes:
                self._wish(name)
            self._look_at_names(now)

    async def _tend(self, now: Seconds) -> list[str] | None:
        wishes = await self._worker.run(partial(self._upkeep.tend, frozenset(self._names), now))
        if wishes is not None and not self._tidied <= now < self._tidied + _TIDY:
            self._tidied = now
            await self._issuer.tidy()
        return wishes

    def _look_at_names(self, now: Seconds) -> None:
        for entry in sorted(self._names.values(), key=lambda entry: entry.look_at):
            if entry.profile is not None and entry.task is None and entry.is_due(now):
                self._look_at(entry, now)

    def _look_at(self, entry: Kept, now: Seconds) -> None:
        self._give_alarms(entry, now)
        self._windows.ask(entry, now)
        decision = decide(entry.validity, entry.state, now)
        if entry.wished or decision.at <= now:
            if sum(each.task is not None for each in self._names.values()) >= AT_ONCE:
                return
            reason = "asked for by the operator" if entry.wished else decision.reason
            entry.wished = False
            task = entry.task = Deferred.fromCoroutine(self._renew(entry, reason))
            task.addErrback(self._failed_badly, entry)
            task.addBoth(self._over, entry)
            return
        entry.look_at = min(decision.at, now + CHECK * (0.9 + 0.2 * self._random()))

    def _wish(self, name: str) -> None:
        entry = self._names.get(name)
        if entry is None or entry.profile is None:
            log.warn("a renewal was asked for {name}, which no site has", name=name)
            return
        entry.wished = True

    def _over(self, _: object, entry: Kept) -> None:
        entry.task = None
        entry.look_at = self._now()

    def _failed_badly(self, failure: Any, entry: Kept) -> None:
        if failure.check(CancelledError):
            return
        log.failure("{name}: asking for a certificate failed", failure, name=entry.name)
        entry.state = after_failure(entry.state, self._now(), "an internal error, see the log", self._random)

    # One name.

    async def _renew(self, entry: Kept, reason: str) -> None:
        attempt = entry.state.failures
        replaces = ""
        if entry.key is not None and entry.state.window is not None and attempt % 3 != 2:
            replaces = certificate_id(entry.key)
        wish = Wish(name=entry.name, replaces=replaces, profile=entry.profile or "", remembered=entry.state.challenge)
        try:
            if entry.unasked:
                await self._worker.run(partial(self._check_known, entry.name, self._now()))
            log.info("{name}: asking for a certificate: {reason}", name=entry.name, reason=reason)
            if entry.state.staging and self._staging is not None:
                await self._staging.rehearse(wish)
                log.info("{name}: validated on the staging directory, now for real", name=entry.name)
            issued = await self._issuer.issue(wish)
            await self._keep(entry, issued.key)
        except IssuingError as error:
            await self._failed(entry, error)
            return
        entry.state = after_success(entry.state, self._now(), issued.challenge, entry.profile or "")
        entry.ask_at = 0.0
        await self._remember(entry)
        days = (issued.key.not_after - self._now()) / 86400
        log.info(
            "{name}: new certificate by {issuer}, {days} days", name=entry.name, issuer=issued.key.issuer,
            days=round(days, 1),
        )  # fmt: skip

    async def _keep(self, entry: Kept, key: CertifiedKey) -> None:
        """Store a certificate and show it; it is shown even if the disk is full."""
        try:
            await self._worker.run(partial(self._store.put, entry.name, key))
        except OSError as error:
            raise NotStored(f"the new certificate could not be stored: {error.strerror}") from error
        finally:
            if self._names.get(entry.name) is entry:
                entry.key = key
                self._server_names.put(entry.name, key)

    async def _failed(self, entry: Kept, error: IssuingError) -> None:
        now = self._now()
        if isinstance(error, OrderRefused):
            if str(error) != entry.state.error:
                log.warn("{name}: no certificate: {error}", name=entry.name, error=str(error))
            entry.state = dataclasses.replace(entry.state, held_until=error.until, error=str(error))
            await self._remember(entry)
            return
        state = after_failure(entry.state, now, str(error), self._random)
        held = now + error.retry_after if error.retry_after is not None else 0.0
        staging = isinstance(error, ValidationFailed) and self._staging is not None
        entry.state = dataclasses.replace(state, held_until=Seconds(held), staging=staging)
        log.error("{name}: no certificate: {error}", name=entry.name, error=str(error))
        # With other settings, the next start may succeed at once.
        saved = dataclasses.replace(entry.state, next_try=Seconds(0)) if isinstance(error, SettingsLacking) else None
        await self._remember(entry, saved)

    async def _remember(self, entry: Kept, state: NameState | None = None) -> None:
        try:
            await self._worker.run(partial(self._store.put_state, entry.name, state or entry.state))
        except OSError as error:
            log.error("{name}: nothing can be remembered: {error}", name=entry.name, error=error.strerror)

    # Alarms.

    def _give_alarms(self, entry: Kept, now: Seconds) -> None:
        due = alarms(entry.validity, entry.state, now)
        if not due or entry.profile is None:
            return
        entry.state = dataclasses.replace(entry.state, alarmed=(*entry.state.alarmed, *due))
        given = Deferred.fromCoroutine(self._tell(entry, due))
        given.addErrback(lambda failure: log.failure("an alarm failed", failure))

    async def _tell(self, entry: Kept, due: tuple[str, ...]) -> None:
        await self._remember(entry)
        # The last one says it all where several fell due at once.
        await self._alarm.give(due[-1], entry.name, entry.state.error)

    def _say(self, about: str, sentence: str) -> None:
        """Say what is wrong once for as long as it is; an empty sentence says that it is not."""
        if not sentence:
            self._said.discard(about)
        elif about not in self._said:
            self._said.add(about)
            log.error("certificates: {sentence}", sentence=sentence)
