"""Alarms about certificates that sites bring along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.tls.alarm import Alarm
from gateway.tls.own_alarms import OwnAlarms
from gateway.tls.sni import ServerNames
from gateway.units import Seconds
from tests.support.fake_ca import self_signed
from tests.support.issuing import InlineWorker

DAY = 86400.0


class Watched:
    """A site with a certificate of its own."""

    def __init__(self) -> None:
        self.names = ServerNames()
        self.given: list[tuple[str, str]] = []
        self.now = 0.0
        alarm = Alarm(None, "https://hook.test", InlineWorker(), self._post)
        self.alarms = OwnAlarms(self.names, alarm, lambda: Seconds(self.now))

    def _post(self, url: str, body: dict[str, str]) -> None:
        self.given.append((body["alarm"], body["name"]))

    def look(self, days_left: float) -> list[tuple[str, str]]:
        key = self.names.find("")
        assert key is not None
        self.now = key.not_after - days_left * DAY
        self.alarms.look()
        given, self.given = self.given, []
        return given


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_each_once(watched: Watched) -> None:
    """A quarter, an eighth, and the end of its lifetime are told once each; a new certificate begins anew."""
    watched.names.put("", self_signed("a.example.org", timedelta(days=80)))
    watched.alarms.sites = {"_default": ("missing.example.org", "")}
    assert [watched.look(days) for days in (79, 21, 19, 18, 9, 1, -1, -2)] == [
        [],
        [],
        [("quarter", "_default")],
        [],
        [("eighth", "_default")],
        [],
        [("expired", "_default")],
        [],
    ]
    watched.names.put("", self_signed("a.example.org", timedelta(days=80)))
    assert watched.look(30) == []
    assert watched.look(-1) == [("expired", "_default")]


def test_nothing_to_say(watched: Watched) -> None:
    """Without a certificate, or with a clock that is wrong, there is no alarm."""
    watched.names.put("", self_signed("a.example.org", timedelta(days=80)))
    watched.alarms.sites = {"b": ("b.example.org",)}
    assert watched.look(-1) == []
    watched.alarms.sites = {"_default": ("",)}
    assert watched.look(30 * 365) == []
