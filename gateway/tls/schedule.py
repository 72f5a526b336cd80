"""When to ask for a certificate: decisions without files, network or clock.

Everything is a fraction of the lifetime, never a number of days: lifetimes are falling from 90 days to 47, and to six
for those who want it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.tls.state import NameState, Window
from gateway.units import Seconds

CHECK: Final = Seconds(600)
"""How often every name is looked at."""
BUILT: Final = Seconds(1_793_000_000)  # October 2026
"""A time that has passed: a clock before it is wrong, and nothing is judged by it."""
SKEW: Final = Seconds(300)
"""How far the authority's clock may be from ours without a word."""

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86400.0
_WAITS: Final = tuple(
    minutes * _MINUTE
    for minutes, times in ((1, 1), (2, 2), (5, 1), (10, 3), (20, 4), (30, 6), (60, 3), (120, 2), (180, 2))
    for _ in range(times)
)
_LAST_WAIT: Final = 6 * _HOUR
_PATIENT_AFTER: Final = 30 * _DAY
_PATIENT_WAIT: Final = 24 * _HOUR
_LONGEST_WAIT: Final = 2 * _DAY
_LONGEST_HELD: Final = 31 * _DAY
_URGENT_WAIT: Final = 30 * _MINUTE
_SHORT_LIFE: Final = 10 * _DAY
_POLL: Final = (1 * _HOUR, 24 * _HOUR)


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate holds.

    Attributes:
        not_before: Its first second, of the epoch.
        not_after: Its last.
    """

    not_before: Seconds
    not_after: Seconds

    @property
    def lifetime(self) -> float:
        """Seconds from first to last."""
        return max(1.0, self.not_after - self.not_before)

    def left(self, now: Seconds) -> float:
        """Tell the share of its lifetime that is left; negative once it has expired."""
        return (self.not_after - now) / self.lifetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a name.

    Attributes:
        at: When to ask for a certificate.
        due: When that would be if nothing had failed.
        reason: Why, for people.
    """

    at: Seconds
    due: Seconds
    reason: str


def decide(validity: Validity | None, state: NameState, now: Seconds) -> Decision:
    """Decide when to ask for a certificate for a name.

    Args:
        validity: Of its certificate; None if it has none.
        state: What is remembered of it.
        now: Seconds of the epoch.
    """
    due, reason = _due(validity, state)
    back_off = credible(state.next_try, now)
    if validity is not None and _is_last_moment(validity, now):
        back_off = min(back_off, Seconds(state.last_failure + _URGENT_WAIT))
    at = max(due, back_off, credible(state.held_until, now, _LONGEST_HELD))
    if at > due:
        reason = f"{reason}; waiting after: {state.error}" if state.error else reason
    return Decision(at, due, reason)


def credible(until: float, now: Seconds, longest: float = _LONGEST_WAIT) -> Seconds:
    """Give a time until which something was put off; 0 where it is so far away that a wrong clock must have set it.

    Args:
        until: Seconds of the epoch.
        now: Seconds of the epoch.
        longest: How far away a clock that is right sets it at most, in seconds.
    """
    return Seconds(until if until <= now + longest else 0)


def after_failure(state: NameState, now: Seconds, error: str, random: Callable[[], float]) -> NameState:
    """Note a failed attempt and choose when to try again.

    Args:
        state: As it was before.
        now: Seconds of the epoch.
        error: What went wrong, for people.
        random: Gives a number of at least 0 and less than 1.
    """
    first = state.first_failure if state.failures else now
    wait = _WAITS[state.failures] if state.failures < len(_WAITS) else _LAST_WAIT
    if now - first > _PATIENT_AFTER:
        wait = _PATIENT_WAIT
    return dataclasses.replace(
        state,
        failures=state.failures + 1,
        first_failure=first,
        last_failure=now,
        next_try=Seconds(now + wait * (0.8 + 0.4 * random())),
        error=error,
    )


def after_success(state: NameState, now: Seconds, challenge: str, profile: str) -> NameState:
    """Forget failures once a certificate is there."""
    renewed = state.renewed or bool(state.issued)
    return NameState(challenge=challenge or state.challenge, issued=now, profile=profile, renewed=renewed)


def choose_moment(old: Window | None, new: Window, now: Seconds, wait: float | None, rnd: float) -> Window:
    """Settle on a random moment in the authority's window, and keep it while the window stays where it is.

    Args:
        old: The window as it was known.
        new: The window as the authority gave it now.
        now: Seconds of the epoch.
        wait: Seconds after which it wants to be asked again; None if it did not say.
        rnd: A number of at least 0 and less than 1.

    Source: RFC 9773 §4.2, §4.3.
    """
    moved = old is None or (old.certificate, old.start, old.end) != (new.certificate, new.start, new.end)
    moment = Seconds(new.start + rnd * max(0.0, new.end - new.start)) if moved or old is None else old.moment
    shortest, longest = _POLL
    poll = Seconds(now + min(max(wait if wait is not None else 6 * _HOUR, shortest), longest))
    return dataclasses.replace(new, moment=moment, poll=poll)


def alarms(validity: Validity | None, state: NameState, now: Seconds) -> tuple[str, ...]:
    """List the alarms that should be given by now; one that was given stands in `state.alarmed`.

    A quarter and an eighth only count once renewal is due: an authority may set a later moment itself.
    """
    found = ["failure"] if state.failures else []
    if validity is not None:
        left = validity.left(now)
        due = now >= _due(validity, state)[0]
        found += [name for name, share in (("quarter", 1 / 4), ("eighth", 1 / 8)) if due and left <= share]
        found += ["expired"] if left <= 0 else []
    return tuple(name for name in found if name not in state.alarmed)


def _due(validity: Validity | None, state: NameState) -> tuple[Seconds, str]:
    if validity is None:
        return Seconds(0), "there is no certificate yet"
    emergency = Seconds(validity.not_after - validity.lifetime / 20)
    if state.window is not None:
        # A certificate that is new is kept for a while, whatever its window: no endless renewals.
        young = state.issued + min(_DAY, validity.lifetime / 10)
        wished = Seconds(max(state.window.moment - CHECK, young))
        if wished <= emergency:
            return wished, "the authority suggests this time (ARI)"
        return emergency, "a twentieth of its lifetime is left"
    if validity.lifetime < _SHORT_LIFE:
        return Seconds(validity.not_after - validity.lifetime / 2), "half of its lifetime is left"
    return Seconds(validity.not_after - validity.lifetime / 3), "a third of its lifetime is left"


def _is_last_moment(validity: Validity, now: Seconds) -> bool:
    return validity.left(now) <= 1 / 50 or validity.not_after - now < 5 * CHECK
