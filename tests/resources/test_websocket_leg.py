"""The hooks of Autobahn that the legs rely on: these tests fail when one changes its meaning."""

from __future__ import annotations

import subprocess
import sys

import pytest
from autobahn.twisted.websocket import WebSocketClientProtocol, WebSocketServerProtocol
from autobahn.websocket.protocol import WebSocketProtocol

from gateway.errors import ProtocolError, ResponseInvalid
from gateway.protocol.websocket_frames import PING_TOKEN
from gateway.protocol.websocket_handshake import Offer, canonical_request
from gateway.resources.websocket_leg import ClientLeg, ServerLeg
from tests.support.websocket import CLOSE, PING, PONG, close, frame, read_frames

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
NONCE = b"the sample nonce"


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


def server_leg(subprotocol: bytes | None = None, offered: tuple[bytes, ...] = (b"a", b"b")) -> ServerLeg:
    leg = ServerLeg()
    leg.start()
    leg.offer(canonical_request(Offer(KEY, offered)))
    assert leg.accept(subprotocol) == ACCEPT
    return leg


def client_leg() -> ClientLeg:
    leg = ClientLeg(NONCE)
    leg.start()
    assert leg.key == KEY
    leg.confirm(answer(ACCEPT))
    return leg


def answer(accept: bytes, status: bytes = b"101 Switching Protocols") -> bytes:
    return (b"HTTP/1.1 %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n") % (
        status,
        accept,
    )


def attached(*, client: bool) -> tuple[ServerLeg | ClientLeg, RecordingSide]:
    leg, side = client_leg() if client else server_leg(), RecordingSide()
    leg.attach(side)
    return leg, side


both = pytest.mark.parametrize("client", [True, False], ids=["client leg", "server leg"])


# Opening.


@pytest.mark.parametrize("subprotocol", [None, b"a", b"b"])
def test_the_server_side_answers_the_key_of_the_rfc(subprotocol: bytes | None) -> None:
    """`onConnect` may answer later, `sendData` writes the 101, and it holds the accept value of §1.3."""
    assert server_leg(subprotocol).open


def test_the_server_side_waits_for_the_app() -> None:
    """Before `accept` nothing is open or written."""
    leg = ServerLeg()
    leg.start()
    leg.offer(canonical_request(Offer(KEY)))
    assert not leg.open
    assert leg.accept(None) == ACCEPT


@pytest.mark.parametrize(
    "request_",
    [
        canonical_request(Offer(b"short")),
        canonical_request(Offer(KEY)).replace(b"13", b"8"),
        canonical_request(Offer(KEY)).replace(b"GET", b"PUT"),
        canonical_request(Offer(KEY, (b"a", b"a"))),
    ],
)
def test_the_server_side_refuses_a_broken_handshake(request_: bytes) -> None:
    """`failHandshake` is Autobahn's way to say no; nothing is written."""
    leg = ServerLeg()
    leg.start()
    with pytest.raises(ProtocolError):
        leg.offer(request_)


def test_the_client_side_checks_the_answer_to_its_key() -> None:
    """`startHandshake` writes nothing, `websocket_key` is what `processHandshake` checks against."""
    assert client_leg().open


@pytest.mark.parametrize(
    "response",
    [
        answer(ACCEPT[:-2] + b"A="),
        answer(ACCEPT, b"200 OK"),
        answer(ACCEPT).replace(b"Upgrade: websocket", b"Upgrade: h2c"),
        answer(ACCEPT).replace(b"Connection: Upgrade", b"Connection: close"),
    ],
)
def test_the_client_side_refuses_a_wrong_answer(response: bytes) -> None:
    """A 101 that does not answer the key opens nothing."""
    leg = ClientLeg(NONCE)
    leg.start()
    with pytest.raises(ResponseInvalid):
        leg.confirm(response)


# Pings.


@both
def test_a_ping_carries_the_token_and_its_pong_is_taken(client: bool) -> None:
    """Our ping is one control frame, masked where we are the client; the pong changes nothing."""
    leg, side = attached(client=client)
    leg.ping()
    (ping,) = read_frames(side.written)
    assert (ping.opcode, ping.payload, ping.masked) == (PING, PING_TOKEN, client)
    leg.receive(frame(PONG, PING_TOKEN, masked=not client))
    assert side.reports == []
    assert leg.open


# Closing.


@both
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_a_peers_close_is_reported_and_answered_only_on_demand(client: bool, code: int) -> None:
    """`sendCloseFrame(isReply=True)` is held back until `answer`; no connection is dropped meanwhile."""
    leg, side = attached(client=client)
    leg.receive(close(code, b"why", masked=not client))
    assert side.reports == [("received", code, b"why")]
    assert side.written == b""
    assert leg.open
    leg.answer(4000, b"so")
    (sent,) = read_frames(side.written)
    assert (sent.opcode, sent.payload, sent.masked) == (CLOSE, b"\x0f\xa0so", client)
    assert not leg.open


@both
@pytest.mark.parametrize("code", [1001, 1002, 1009, 1011, 1012, 4000, None])
def test_our_close_goes_out_once_and_its_answer_is_reported(client: bool, code: int | None) -> None:
    """`sendCloseFrame` sends any code, `state` is closing then, and the peer's frame is the answer."""
    leg, side = attached(client=client)
    leg.close(code)
    leg.close(1001)
    (sent,) = read_frames(side.written)
    assert (sent.opcode, sent.code) == (CLOSE, code)
    leg.receive(close(code, masked=not client))
    assert side.reports == [("answered", code, b"")]


@both
@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_an_impossible_code_is_refused_with_1002(client: bool, code: int) -> None:
    """`failedByMe` says that Autobahn objected; it answered with 1002 itself."""
    leg, side = attached(client=client)
    leg.receive(close(code, masked=not client))
    assert side.reports == [("refused",)]
    assert [sent.code for sent in read_frames(side.written)] == [1002]


@both
def test_a_reason_that_is_not_utf8_is_refused_with_1007(client: bool) -> None:
    """Autobahn judges the reason's encoding (RFC 6455 §5.5.1, §8.1)."""
    leg, side = attached(client=client)
    leg.receive(close(1000, b"\xc3\x28", masked=not client))
    assert side.reports == [("refused",)]
    assert [sent.code for sent in read_frames(side.written)] == [1007]


@both
def test_a_detached_leg_reports_nothing(client: bool) -> None:
    """What comes late is written nowhere."""
    leg, side = attached(client=client)
    leg.detach()
    leg.receive(close(1000, masked=not client))
    leg.close(1001)
    assert (side.written, side.reports) == (b"", [])


# What is not behaviour, but relied on.


def test_every_option_of_autobahns_is_set_on_the_classes() -> None:
    """With `CONFIG_ATTRS` empty no option is copied from the factory, so none may be missing."""
    for leg, base in ((ServerLeg, WebSocketServerProtocol), (ClientLeg, WebSocketClientProtocol)):
        assert leg.CONFIG_ATTRS == ()
        assert base.CONFIG_ATTRS
        for name in base.CONFIG_ATTRS:
            assert hasattr(leg, name), name
        assert leg.failByDrop is False
        assert leg.echoCloseCodeReason is True
        assert leg.openHandshakeTimeout == leg.closeHandshakeTimeout == 0


def test_an_open_leg_keeps_few_attributes_of_its_own() -> None:
    """Some 60 attributes of the handshake are dropped, or an idle socket would cost 4 KB more."""
    for client in (True, False):
        leg, _ = attached(client=client)
        assert len(vars(leg)) <= 8


def test_code_1014_is_allowed() -> None:
    """Registered as Bad Gateway after RFC 6455, and missing from Autobahn's list."""
    assert 1014 in WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED


def test_no_reactor_is_installed_and_nothing_is_logged() -> None:
    """Importing and running a leg leaves the choice of the reactor to the plugin, and the log to us."""
    script = (
        "import sys; from twisted.logger import globalLogPublisher; seen = [];"
        "from gateway.resources.websocket_leg import ClientLeg, ServerLeg;"
        "globalLogPublisher.addObserver(seen.append);"
        "leg = ClientLeg(b'the sample nonce'); leg.start();"
        f"leg.confirm({answer(ACCEPT)!r}); leg.close(1001); leg.receive({close(999)!r});"
        "server = ServerLeg(); server.start();"
        "assert 'twisted.internet.reactor' not in sys.modules; assert not seen, seen"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
