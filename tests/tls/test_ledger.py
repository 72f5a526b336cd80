"""Our own limits, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.tls.ledger import CERTIFICATE, FAILURE, ORDER, Entry, Ledger
from gateway.units import Seconds

NOW = Seconds(1_800_000_000)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger", NOW)


def fill(ledger: Ledger, kind: str, names: list[str], *, exempt: bool = False) -> None:
    for number, name in enumerate(names):
        ledger.save(ledger.note(Entry(NOW + number * 0.001, kind, name, exempt)))


@pytest.mark.parametrize(
    ("kind", "names", "asked", "window"),
    [
        (ORDER, [f"n{number}.org" for number in range(10)], "x.org", 10),
        (FAILURE, ["a.org"] * 5, "a.org", 3600),
        (CERTIFICATE, ["a.org"] * 5, "a.org", 7 * 86400),
        (CERTIFICATE, [f"n{number}.a.org" for number in range(50)], "x.a.org", 7 * 86400),
    ],
)
def test_limits(ledger: Ledger, kind: str, names: list[str], asked: str, window: float) -> None:
    """Each limit refuses what is one too many, says until when, and lets it through then."""
    fill(ledger, kind, names[:-1])
    assert ledger.refusal(asked, NOW) is None
    fill(ledger, kind, names[-1:])
    refusal = ledger.refusal(asked, NOW)
    assert refusal is not None
    assert refusal.until == pytest.approx(NOW + window, abs=1)
    assert "limit" in refusal.reason
    assert ledger.refusal(asked, Seconds(refusal.until + 1)) is None


def test_orders_in_three_hours(ledger: Ledger) -> None:
    """300 orders in three hours are the most, however they are spread."""
    for number in range(300):
        ledger.note(Entry(NOW + number * 30, ORDER, f"n{number}.org"))
    assert ledger.refusal("x.org", Seconds(NOW + 300 * 30)) is not None


def test_other_names(ledger: Ledger) -> None:
    """Limits of one name or domain leave others alone."""
    fill(ledger, FAILURE, ["a.org"] * 5)
    fill(ledger, CERTIFICATE, [f"n{number}.b.org" for number in range(50)])
    assert ledger.refusal("b.example", NOW) is None
    assert ledger.refusal("a.org", NOW) is not None


def test_replacing_is_exempt(ledger: Ledger) -> None:
    """Renewals that replace a certificate do not count, and are not refused for what the authority exempts."""
    fill(ledger, CERTIFICATE, ["a.org"] * 5)
    assert ledger.refusal("a.org", NOW) is not None
    assert ledger.refusal("a.org", NOW, replaces=True) is None
    fill(ledger, CERTIFICATE, ["c.org"] * 5, exempt=True)
    assert ledger.refusal("c.org", NOW) is None
    fill(ledger, FAILURE, ["a.org"] * 5)
    assert ledger.refusal("a.org", NOW, replaces=True) is not None


def test_survives(ledger: Ledger, tmp_path: Path) -> None:
    """A new process knows what the one before asked, even where its last line was torn."""
    fill(ledger, FAILURE, ["a.org"] * 5)
    path = tmp_path / "ledger"
    path.write_bytes(path.read_bytes() + b"\n[18000000")
    again = Ledger(path, NOW)
    assert again.refusal("a.org", NOW) is not None
    fill(again, FAILURE, ["b.org"] * 5)
    assert Ledger(path, NOW).refusal("b.org", NOW) is not None
    again.rewrite(again.forget(NOW))
    assert Ledger(path, NOW).refusal("b.org", NOW) is not None
    again.rewrite(again.forget(Seconds(NOW + 8 * 86400)))
    assert path.read_bytes() == b""
    assert again.refusal("b.org", NOW) is None


def test_what_cannot_be_read(tmp_path: Path, said: list[str]) -> None:
    """A ledger that cannot be read does not keep the gateway from starting; that it cannot be written is an error."""
    path = tmp_path / "ledger"
    path.mkdir()  # for root may read every file
    ledger = Ledger(path, NOW)
    assert said == [f"{path} cannot be read, and our own limits begin anew: Is a directory"]
    assert ledger.refusal("a.org", NOW) is None
    with pytest.raises(IsADirectoryError):
        ledger.save(ledger.note(Entry(NOW, ORDER, "a.org")))


def test_clock_from_the_future(ledger: Ledger) -> None:
    """What was written by a clock far ahead does not count for ever."""
    ledger.note(Entry(NOW + 1e9, FAILURE, "a.org"))
    for _ in range(5):
        ledger.note(Entry(NOW + 1e9, FAILURE, "a.org"))
    assert ledger.refusal("a.org", NOW) is None
