"""When to ask for a certificate."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gateway.tls.schedule import Validity, after_failure, after_success, alarms, choose_moment, decide
from gateway.tls.state import NameState, Window
from gateway.units import Seconds

DAY = 86400
VALID = Validity(Seconds(0), Seconds(90 * DAY))


def window(start: float, end: float, moment: float = 0) -> Window:
    return Window(certificate="a", start=Seconds(start), end=Seconds(end), moment=Seconds(moment), poll=Seconds(0))


def test_curve() -> None:
    """Waits are those of FEATURES §19, then six hours; a day once 30 days have passed."""
    state, now, waits = NameState(), Seconds(0), []
    for _ in range(160):
        state = after_failure(state, now, "no", lambda: 0.5)
        waits.append(round(state.next_try - now) / 60)
        now = state.next_try
    curve = [1, 2, 2, 5] + [10] * 3 + [20] * 4 + [30] * 6 + [60] * 3 + [120] * 2 + [180] * 2
    assert waits[: len(curve)] == curve
    assert set(waits[len(curve) :]) == {360, 1440}
    assert waits[-1] == 1440
    assert sum(waits[: waits.index(1440)]) == pytest.approx(30 * 1440, rel=0.02)


def test_spread() -> None:
    """Waits are spread by a fifth either way."""
    shortest = after_failure(NameState(), Seconds(0), "no", lambda: 0.0)
    longest = after_failure(NameState(), Seconds(0), "no", lambda: 0.9999)
    assert shortest.next_try == 48
    assert 71 < longest.next_try < 72


def test_no_certificate() -> None:
    """A name without a certificate asks at once, unless it waits."""
    assert decide(None, NameState(), Seconds(5)).at == 0
    assert decide(None, NameState(held_until=Seconds(99)), Seconds(5)).at == 99


def test_last_moment() -> None:
    """In the last fiftieth of the lifetime our own back-off is half an hour at most; the authority's word stands."""
    now = Seconds(89 * DAY)
    state = NameState(failures=30, last_failure=now, next_try=Seconds(now + 6 * 3600), error="no")
    assert decide(VALID, state, now).at == now + 1800
    held = NameState(failures=30, last_failure=now, held_until=Seconds(now + 7200))
    assert decide(VALID, held, now).at == now + 7200


@pytest.mark.parametrize(("wait", "longest"), [("next_try", 1.5), ("held_until", 30)])
def test_waits_of_a_wrong_clock(wait: str, longest: float) -> None:
    """What a clock that was years ahead wrote down keeps nobody waiting once the clock is right again."""
    for days, waits in ((longest, True), (3650, False), (float("inf"), False)):
        until = Seconds(days * DAY)
        assert (decide(None, NameState(**{wait: until}), Seconds(0)).at == until) is waits


def test_window_before_fraction() -> None:
    """A window's moment counts in place of the fraction, less one interval of checks."""
    state = NameState(window=window(10 * DAY, 11 * DAY, 10.5 * DAY))
    assert decide(VALID, state, Seconds(0)).at == 10.5 * DAY - 600


def test_moment_stays() -> None:
    """The moment is drawn once for a window, and anew when the window moves or the certificate changes."""
    first = choose_moment(None, window(100, 200), Seconds(0), None, 0.25)
    assert first.moment == 125
    again = choose_moment(first, window(100, 200), Seconds(50), None, 0.9)
    assert again.moment == 125
    moved = choose_moment(first, window(100, 300), Seconds(50), None, 0.5)
    assert moved.moment == 200


def test_poll_is_clamped() -> None:
    """Retry-After of renewal information counts between an hour and a day; without it six hours."""
    polls = [choose_moment(None, window(1, 2), Seconds(0), wait, 0).poll for wait in (1.0, 7200.0, 1e9, None)]
    assert polls == [3600, 7200, 86400, 6 * 3600]


def test_alarms() -> None:
    """Alarms come at the first failure, a quarter, an eighth and the end; each once."""
    failing = NameState(failures=1)
    stages = [alarms(VALID, failing, Seconds(day * DAY)) for day in (60, 70, 80, 91)]
    assert stages == [
        ("failure",),
        ("failure", "quarter"),
        ("failure", "quarter", "eighth"),
        ("failure", "quarter", "eighth", "expired"),
    ]
    assert alarms(VALID, NameState(failures=1, alarmed=("failure", "quarter")), Seconds(80 * DAY)) == ("eighth",)
    assert all(len(before) < len(after) for before, after in pairwise(stages))


def test_no_alarm_before_a_late_window() -> None:
    """A moment that the authority set late is no reason for an alarm."""
    late = NameState(window=window(80 * DAY, 82 * DAY, 81 * DAY))
    assert alarms(VALID, late, Seconds(75 * DAY)) == ()


def test_the_second_certificate_counts_as_renewed() -> None:
    """Only a name that had a certificate before is renewed, and it stays so, also across a restart."""
    first = after_success(NameState(), Seconds(1_000), "http-01", "")
    assert not first.renewed
    second = after_success(first, Seconds(2_000), "http-01", "")
    assert second.renewed
    assert NameState.from_json(after_success(second, Seconds(3_000), "", "").to_json()).renewed
