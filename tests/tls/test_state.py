"""What is remembered of a name, in a file that something else may have written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.tls.schedule import after_failure
from gateway.tls.state import NameState, Window
from gateway.units import Seconds

WINDOW = Window(certificate="a.b", start=Seconds(1), end=Seconds(2), moment=Seconds(1.5), poll=Seconds(3))
STATE = NameState(failures=3, error="no", staging=True, window=WINDOW, alarmed=("failure",), renewed=True)


def damaged(**values: object) -> bytes:
    return json.dumps({**json.loads(STATE.to_json()), **values}).encode()


def test_comes_back() -> None:
    """What is written is read as the same, without a window too."""
    assert NameState.from_json(STATE.to_json()) == STATE
    for nothing in (None, {}, 0, ""):
        assert NameState.from_json(damaged(window=nothing)) == replace(STATE, window=None)


@pytest.mark.parametrize(
    "data",
    [
        damaged(failures=-1),
        damaged(failures=1.5),
        damaged(failures="3"),
        damaged(next_try=None),
        damaged(held_until="tomorrow"),
        damaged(error=[]),
        damaged(staging="no"),
        damaged(renewed=1),
        damaged(alarmed=5),
        damaged(window="soon"),
        damaged(window={"start": 1}),
        damaged(window={**json.loads(STATE.to_json())["window"], "moment": "then"}),
        damaged(window={**json.loads(STATE.to_json())["window"], "certificate": 5}),
        STATE.to_json()[:-5],
        STATE.to_json().replace(b"no", b"\xff"),
        b"[" * 100_000,
    ],
)
def test_damaged(data: bytes) -> None:
    """A value of another kind, or half a file, makes all of it count as nothing."""
    assert NameState.from_json(data) == NameState()


def test_of_a_later_version() -> None:
    """What a later version remembers besides is left out: a version put back still knows the rest."""
    window = {**json.loads(STATE.to_json())["window"], "colour": "green"}
    assert NameState.from_json(damaged(window=window, colour="green")) == STATE


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 300])
def test_numbers_that_are_no_times(number: str) -> None:
    """Whatever numbers stand there, the next attempt has its time."""
    state = NameState.from_json(STATE.to_json().replace(b'"first_failure": 0', b'"first_failure": ' + number.encode()))
    assert after_failure(state, Seconds(1000), "no", lambda: 0.5).next_try > 1000
