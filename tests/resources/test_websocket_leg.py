"""The hooks of Autobahn that the legs rely on: these tests fail when one changes its meaning."""

from __future__ import annotations

import subprocess
import sys

import pytest
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.logger import capturedLogs

from gateway.protocol.websocket_frames import PING_TOKEN
from gateway.resources.websocket_leg import Leg
from tests.support.waiting import PATIENCE
from tests.support.websocket import CLOSE, PING, close, read_frames


class RecordingSide:
    """A `LegSide` that keeps what its leg writes and reports."""

    def __init__(self) -> None:
        self.written = b""
        self.reports: list[tuple[object, ...]] = []

    def write(self, data: bytes) -> None:
        self.written += data

    def close_received(self, code: int | None, reason: bytes) -> None:
        self.reports.append(("received", code, reason))

    def close_answered(self, code: int | None, reason: bytes) -> None:
        self.reports.append(("answered", code, reason))

    def close_refused(self) -> None:
        self.reports.append(("refused",))


def payload(code: int | None, reason: bytes = b"") -> bytes:
    return close(code, reason)[2:]


def attached() -> tuple[Leg, RecordingSide]:
    side = RecordingSide()
    return Leg(side), side


def test_a_leg_begins_open_and_says_nothing() -> None:
    """The opening handshake is over when a leg comes into being."""
    leg, side = attached()
    assert leg.open
    assert (side.written, side.reports) == (b"", [])


# Pings.


def test_a_ping_carries_the_token() -> None:
    """Our ping is one control frame, and changes nothing."""
    leg, side = attached()
    leg.ping()
    (ping,) = read_frames(side.written)
    assert (ping.opcode, ping.payload, ping.masked) == (PING, PING_TOKEN, False)
    assert side.reports == []
    assert leg.open


# Closing.


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_a_peers_close_is_reported_and_answered_only_on_demand(code: int) -> None:
    """`sendCloseFrame(isReply=True)` is held back until `answer`; no connection is dropped meanwhile."""
    leg, side = attached()
    leg.receive(payload(code, b"why"))
    assert side.reports == [("received", code, b"why")]
    assert side.written == b""
    assert leg.open
    leg.answer(4000, b"so")
    (sent,) = read_frames(side.written)
    assert (sent.opcode, sent.payload, sent.masked) == (CLOSE, b"\x0f\xa0so", False)
    assert not leg.open


@pytest.mark.parametrize("code", [1001, 1002, 1009, 1011, 1012, 4000, None])
def test_our_close_goes_out_once_and_its_answer_is_reported(code: int | None) -> None:
    """`sendCloseFrame` sends any code, `state` is closing then, and the peer's frame is the answer."""
    leg, side = attached()
    leg.close(code)
    leg.close(1001)
    (sent,) = read_frames(side.written)
    assert (sent.opcode, sent.code) == (CLOSE, code)
    leg.receive(payload(code))
    assert side.reports == [("answered", code, b"")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_an_impossible_code_is_refused_with_1002(code: int) -> None:
    """`failedByMe` says that Autobahn objected; it answered with 1002 itself."""
    leg, side = attached()
    leg.receive(payload(code))
    assert side.reports == [("refused",)]
    assert [sent.code for sent in read_frames(side.written)] == [1002]


def test_a_reason_that_is_not_utf8_is_refused_with_1007() -> None:
    """Autobahn judges the reason's encoding (RFC 6455 §5.5.1, §8.1)."""
    leg, side = attached()
    leg.receive(payload(1000, b"\xc3\x28"))
    assert side.reports == [("refused",)]
    assert [sent.code for sent in read_frames(side.written)] == [1007]


def test_a_detached_leg_reports_nothing() -> None:
    """What comes late is written nowhere."""
    leg, side = attached()
    leg.detach()
    leg.receive(payload(1000))
    leg.close(1001)
    assert (side.written, side.reports) == (b"", [])


# What is not behaviour, but relied on.


def test_a_leg_has_few_attributes_of_its_own() -> None:
    """What Autobahn's `__init__` and `connectionMade` would set on each are attributes of the classes."""
    assert sorted(vars(attached()[0])) == ["owner", "transport"]


def test_autobahn_finds_every_attribute_that_its_own_start_would_have_set() -> None:
    """A leg that says and hears everything it can meets no attribute that is missing, and Autobahn logs nothing."""
    leg, side = attached()
    with capturedLogs() as events:
        leg.ping()
        leg.receive(payload(999, b"bad code"))
        leg.receive(payload(1000, b"good"))
        leg.receive(payload(1000, b"late"))
        leg.close(1001)
        leg.answer(1000)
    assert [sent.opcode for sent in read_frames(side.written)] == [PING, CLOSE]
    assert side.reports[0] == ("refused",)
    assert not events


def test_what_one_leg_hears_is_not_seen_by_the_next() -> None:
    """Attributes of the classes are never changed in place."""
    leg, _ = attached()
    leg.receive(payload(999))
    leg, side = attached()
    leg.receive(payload(1000))
    assert side.reports == [("received", 1000, b"")]


def test_code_1014_is_allowed() -> None:
    """Registered as Bad Gateway after RFC 6455, and missing from Autobahn's list."""
    assert 1014 in WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED


def test_no_reactor_is_installed_and_nothing_is_logged() -> None:
    """Importing and running a leg leaves the choice of the reactor to the plugin, and the log to us."""
    script = (
        "import sys; from twisted.logger import globalLogPublisher; seen = [];"
        "from gateway.resources.websocket_leg import Leg;"
        "globalLogPublisher.addObserver(seen.append);"
        "from types import SimpleNamespace; quiet = lambda *_: None;"
        "side = SimpleNamespace(write=quiet, close_answered=quiet, close_received=quiet, close_refused=quiet);"
        f"leg = Leg(side); leg.close(1001); leg.receive({payload(999)!r}); Leg(side).ping();"
        "assert 'twisted.internet.reactor' not in sys.modules; assert not seen, seen"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=PATIENCE)
