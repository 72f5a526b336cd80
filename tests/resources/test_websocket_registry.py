"""All open sockets: limits, sweeping, closing in batches."""

from __future__ import annotations

import pytest

from gateway.errors import GatewayStopping, HTTPError
from gateway.protocol.websocket_events import Code
from gateway.resources import websocket_registry
from gateway.resources.websocket import WebSocket
from gateway.resources.websocket_registry import OpenSockets
from gateway.units import Seconds


class FakeSocket:
    """An `OpenSocket` that keeps what it was told."""

    def __init__(self, site: str = "example.com", address: str = "203.0.113.9") -> None:
        self.site = site
        self.address = address
        self.deadline = Seconds(0)
        self.calls: list[object] = []

    def look(self, now: Seconds) -> None:
        self.calls.append(("look", now))

    def expire(self, now: Seconds) -> None:
        self.calls.append(("expire", now))

    def close(self, code: Code) -> None:
        self.calls.append(("close", code))


def registry(now: float = 100) -> OpenSockets:
    return OpenSockets(lambda: Seconds(now))


def test_a_site_has_so_many_sockets() -> None:
    """Over the site's limit: 503 with Retry-After, for that site alone, until one is over."""
    sockets, limits = registry(), WebSocket(connections=2)
    members = [FakeSocket(address=f"192.0.2.{index}") for index in range(2)]
    for member in members:
        sockets.check("example.com", member.address, limits)
        sockets.add(member)
    with pytest.raises(HTTPError, match=r"websocket\.connections") as caught:
        sockets.check("example.com", "192.0.2.3", limits)
    assert caught.value.status == 503
    assert caught.value.fields == ((b"Retry-After", b"10"),)
    sockets.check("example.org", "192.0.2.3", limits)
    sockets.remove(members[0])
    sockets.remove(members[0])
    sockets.check("example.com", "192.0.2.3", limits)
    assert len(sockets) == 1


def test_a_client_has_so_many_sockets() -> None:
    """Over the client's limit: 429, for that client alone."""
    sockets, limits = registry(), WebSocket(connections_per_client=1)
    member = FakeSocket()
    sockets.add(member)
    with pytest.raises(HTTPError, match="connections_per_client") as caught:
        sockets.check("example.com", member.address, limits)
    assert caught.value.status == 429
    sockets.check("example.com", "192.0.2.1", limits)
    sockets.remove(member)
    sockets.check("example.com", member.address, limits)


def test_the_sweep_looks_now_and_then_and_ends_what_is_over_its_deadline() -> None:
    """Open sockets are looked at every 5 s, closing ones every time, and those not looked at any more."""
    sockets = registry()
    still, closing = FakeSocket(), FakeSocket()
    sockets.add(still)
    sockets.add(closing)
    sockets.begin_closing(closing, Seconds(3))
    assert closing.deadline == 103
    for now in range(100, 107):
        sockets.sweep(Seconds(now))
    assert still.calls == [("look", 100), ("look", 105)]
    assert closing.calls == [("expire", 103), ("expire", 104), ("expire", 105), ("expire", 106)]
    sockets.remove(closing)
    sockets.sweep(Seconds(110))
    assert len(closing.calls) == 4


def test_closing_all_goes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch at once, one at every sweep; nothing new is let in; the Deferred fires when all are gone."""
    monkeypatch.setattr(websocket_registry, "BATCH", 2)
    sockets = registry()
    members = [FakeSocket(address=str(index)) for index in range(5)]
    for member in members:
        sockets.add(member)
    closing, left = members[0], members[1]
    sockets.begin_closing(closing, Seconds(5))
    emptied = sockets.close_all()
    sockets.remove(left)
    told = [sum(("close", Code.GOING_AWAY) in member.calls for member in members)]
    for now in (101, 102, 103):
        sockets.sweep(Seconds(now))
        told.append(sum(("close", Code.GOING_AWAY) in member.calls for member in members))
    assert told[0] <= 2
    assert told[-1] >= 3
    assert closing.calls.count(("close", Code.GOING_AWAY)) == 0
    with pytest.raises(GatewayStopping):
        sockets.check("example.com", "192.0.2.1", WebSocket())
    assert not emptied.called
    for member in members:
        sockets.remove(member)
    assert emptied.called


def test_closing_none_is_done_at_once() -> None:
    """A gateway without sockets need not wait."""
    assert registry().close_all().called


def test_something_is_explained_once_and_only_so_often() -> None:
    """Hostile requests cannot fill the log."""
    sockets = registry()
    assert sockets.first_time("a", "x")
    assert not sockets.first_time("a", "x")
    assert sockets.first_time("b", "x")
    assert sum(sockets.first_time("c", str(index)) for index in range(1000)) < 200
