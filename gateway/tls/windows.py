"""Renewal windows: when the authority would like certificates renewed, asked for as often as it wants (RFC 9773)."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gateway.tls.answers import RenewalInfo
from gateway.tls.authority import Authority
from gateway.tls.certificate import CertifiedKey
from gateway.tls.certificate_id import certificate_id
from gateway.tls.kept import Kept
from gateway.tls.problems import IssuingError
from gateway.tls.schedule import choose_moment, credible
from gateway.tls.state import Window
from gateway.tls.worker import Worker
from gateway.units import Seconds

log = Logger()

_FAILED: Final = 3600.0
"""When to ask again after asking failed."""
_NONE: Final = 86400.0
"""When to ask again an authority that gives no such information."""


class RenewalWindows:
    """Asks for the windows of names and notes them.

    Args:
        authority: Whom to ask.
        worker: Runs what blocks.
        now: Seconds of the epoch.
        random: Gives a number of at least 0 and less than 1.
        remember: Writes down what is remembered of a name.
    """

    def __init__(
        self,
        authority: Authority,
        worker: Worker,
        now: Callable[[], Seconds],
        random: Callable[[], float],
        remember: Callable[[Kept], Awaitable[None]],
    ) -> None:
        self._authority = authority
        self._worker = worker
        self._now = now
        self._random = random
        self._remember = remember

    def ask(self, kept: Kept, now: Seconds) -> None:
        """Ask for the window of a name, if it is time; a certificate that has expired has none (RFC 9773 §4.3)."""
        key, window = kept.key, kept.state.window
        if key is None or kept.asking or credible(kept.ask_at, now) > now or key.not_after <= now:
            return
        if window is not None and credible(window.poll, now) > now:
            return
        kept.asking, kept.ask_at = True, now + _FAILED
        asked = Deferred.fromCoroutine(self._learn(kept, key))
        asked.addErrback(lambda failure: log.failure("renewal information failed", failure))

    async def _learn(self, kept: Kept, key: CertifiedKey) -> None:
        identifier = certificate_id(key)
        try:
            info = None
            if identifier:
                info = await self._worker.run(partial(self._authority.renewal_info, identifier))
            if kept.key is not key:
                return
            if info is None:
                kept.ask_at = self._now() + _NONE
            else:
                await self._take(kept, identifier, info)
        except IssuingError as error:
            log.warn("{name}: no renewal information: {error}", name=kept.name, error=str(error))
        finally:
            kept.asking = False

    async def _take(self, kept: Kept, identifier: str, info: RenewalInfo) -> None:
        now, old = self._now(), kept.state.window
        given = Window(
            certificate=identifier,
            start=info.start,
            end=info.end,
            moment=info.start,
            poll=now,
            explanation=info.explanation,
        )
        window = choose_moment(old, given, now, info.retry_after, self._random())
        if old is not None and old.moment != window.moment:
            log.warn("{name}: the renewal window moved {page}", name=kept.name, page=info.explanation)
        kept.state = dataclasses.replace(kept.state, window=window)
        kept.ask_at, kept.look_at = 0.0, now
        await self._remember(kept)
