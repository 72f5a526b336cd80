"""What a WebSocket's one side does, as the other side sees it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    ClientDisconnected,
    ClientTimeout,
    GatewayStopping,
    ProtocolError,
    ResponseIncomplete,
    ResponseInvalid,
    ResponseStalled,
)
from gateway.protocol.websocket_frames import PING_TOKEN
from tests.support.relayed import Relayed
from tests.support.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, close, frame, read_frames


def opened(**settings: object) -> Relayed:
    return Relayed(**settings).switch()  # type: ignore[arg-type]


def up(opcode: int, payload: bytes = b"", **more: object) -> bytes:
    return frame(opcode, payload, masked=True, **more)  # type: ignore[arg-type]


# Closing handshakes.


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1012, 1014, 3000, 4999, None])
def test_a_clients_close_is_relayed_and_the_apps_answer_comes_back(code: int | None) -> None:
    """Codes and reasons pass both ways; then the client's connection ends, and the app is left to end its own."""
    reason = b"" if code is None else b"bye"
    socket = opened()
    socket.client_sends(up(TEXT, b"last") + close(code, reason, masked=True))
    payload = b"" if code is None else code.to_bytes(2, "big") + reason
    assert socket.to_app() == [Frame(TEXT, b"last", True, True), Frame(CLOSE, payload, True, True)]
    assert socket.stream.body == b""
    socket.app_sends(close(4001, b"answer"))
    assert socket.stream.body == close(4001, b"answer")
    assert socket.stream.ended
    assert socket.exchange.error is None
    socket.app_sends(b"", end=True)
    assert socket.over
    assert socket.logged.error is None


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4000, None])
def test_an_apps_close_is_relayed_and_the_clients_answer_comes_back(code: int | None) -> None:
    """The app's code reaches the client, and the client's answer the app."""
    socket = opened()
    socket.app_sends(close(code))
    assert socket.stream.body == close(code)
    assert socket.exchange.sent == b""
    socket.client_sends(close(code, masked=True))
    assert [found.code for found in socket.to_app()] == [code]
    assert socket.stream.ended
    socket.app_sends(b"", end=True)
    assert socket.over


def test_a_half_closed_client_still_gets_the_answer() -> None:
    """A client that sends its close frame and FIN in one is answered."""
    socket = opened()
    socket.client_sends(close(1001, masked=True), end=False)
    socket.client_sends(b"", end=True)
    assert not socket.stream.ended
    socket.app_sends(close(1001))
    assert socket.stream.body == close(1001)
    assert socket.stream.ended


def test_a_close_that_the_app_never_answers_is_echoed() -> None:
    """After the closing time-out the client gets its own code back, and the app's connection is cut."""
    socket = opened(close=5)
    socket.client_sends(close(4000, b"why", masked=True))
    socket.pass_time(4)
    assert socket.stream.body == b""
    socket.pass_time(2)
    assert socket.stream.body == close(4000, b"why")
    assert socket.stream.ended
    assert isinstance(socket.exchange.error, ResponseStalled)
    assert socket.over


def test_a_close_that_the_app_answers_by_leaving_is_echoed() -> None:
    """An app that drops the connection instead of answering leaves the client its own code."""
    socket = opened()
    socket.client_sends(close(4000, masked=True))
    socket.app_sends(b"", end=True)
    assert socket.stream.body == close(4000)
    assert socket.stream.ended
    assert socket.over


def test_a_close_that_the_client_never_answers_is_echoed_to_the_app() -> None:
    """The app gets its own code back after the time-out, then FIN, and a second time-out cuts it."""
    socket = opened(close=5)
    socket.app_sends(close(1012))
    socket.pass_time(6)
    assert [found.code for found in socket.to_app()] == [1012]
    assert socket.exchange.ended
    assert socket.stream.ended
    assert not socket.over
    socket.pass_time(6)
    assert socket.exchange.error is not None
    assert socket.over


def test_an_app_that_leaves_after_its_close_frame_does_not_change_the_code() -> None:
    """Many servers close the connection right behind their close frame."""
    socket = opened()
    socket.app_sends(close(4100), end=True)
    assert socket.stream.body == close(4100)
    socket.client_sends(close(4100, masked=True))
    assert socket.stream.ended
    assert socket.over


def test_crossing_closes_answer_each_other() -> None:
    """When both sides start to close, each one's frame is the other's answer."""
    socket = opened()
    socket.client_sends(close(4000, masked=True))
    socket.app_sends(close(4001), end=True)
    assert socket.stream.body == close(4001)
    assert [found.code for found in socket.to_app()] == [4000]
    assert socket.over


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (close(999, masked=True), 1002),
        (close(1005, masked=True), 1002),
        (close(1006, masked=True), 1002),
        (close(1015, masked=True), 1002),
        (close(2999, masked=True), 1002),
        (close(5000, masked=True), 1002),
        (close(1001, b"\xff\xfe", masked=True), 1007),
    ],
)
def test_a_close_frame_with_an_impossible_code_or_reason_is_refused(bad: bytes, code: int) -> None:
    """The client gets 1002 or 1007 (RFC 6455 §7.4, §8.1), the app no close frame."""
    socket = opened()
    socket.client_sends(bad)
    assert [found.code for found in socket.to_client()] == [code]
    assert socket.stream.ended
    assert (socket.exchange.sent, socket.exchange.ended) == (b"", True)


def test_an_app_that_answers_with_an_impossible_code_leaves_the_client_its_own() -> None:
    """A malformed answer is no answer."""
    socket = opened()
    socket.client_sends(close(4000, masked=True))
    socket.app_sends(close(1005))
    assert socket.stream.body == close(4000)
    assert socket.stream.ended


def test_nothing_is_forwarded_behind_a_close_frame() -> None:
    """Data behind a peer's close frame is dropped (RFC 6455 §5.5.1)."""
    socket = opened()
    socket.client_sends(close(1001, masked=True) + up(TEXT, b"late"))
    socket.client_sends(up(TEXT, b"later"))
    assert [found.opcode for found in socket.to_app()] == [CLOSE]


# One side goes.


@pytest.mark.parametrize(
    "before",
    [
        b"",
        frame(TEXT, b"whole"),
        frame(TEXT, b"fragment", fin=False),
        frame(BINARY, b"x" * 300)[:3],
    ],
)
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_an_app_that_vanishes_between_frames_is_a_service_restart(before: bytes, how: str) -> None:
    """The client gets close 1012, and Phoenix's comes back at once; never 1000."""
    socket = opened()
    socket.app_sends(before)
    if how == "fin":
        socket.app_sends(b"", end=True)
    else:
        socket.app_lost(ResponseIncomplete("reset"))
    assert socket.to_client()[-1].code == 1012
    assert not socket.stream.ended
    socket.client_sends(close(1012, masked=True))
    assert socket.stream.ended
    assert socket.over
    assert isinstance(socket.logged.error, ResponseIncomplete)


def test_a_client_that_does_not_answer_1012_is_ended_in_time() -> None:
    """The closing time-out holds for clients too."""
    socket = opened(close=5)
    socket.app_sends(b"", end=True)
    socket.pass_time(6)
    assert socket.stream.ended
    assert socket.over


def test_an_app_that_vanishes_inside_a_frame_is_a_fin() -> None:
    """A close frame would be read as payload: what came, then FIN."""
    socket = opened()
    part = frame(BINARY, b"x" * 300)[:200]
    socket.app_sends(part)
    socket.app_sends(b"", end=True)
    assert socket.stream.body == part
    assert socket.stream.ended
    assert socket.over


def test_a_client_that_leaves_is_an_end_without_close_frame() -> None:
    """The app sees 1006: FIN behind what the client sent."""
    socket = opened()
    socket.client_sends(up(TEXT, b"last"), end=False)
    socket.client_sends(b"", end=True)
    assert socket.exchange.sent == up(TEXT, b"last")
    assert socket.exchange.ended
    assert socket.stream.ended
    socket.app_sends(b"", end=True)
    assert socket.over
    assert isinstance(socket.logged.error, ClientDisconnected)


def test_a_client_that_is_lost_is_an_end_without_close_frame() -> None:
    """A reset connection is not written to any more."""
    socket = opened()
    socket.client_lost(ClientDisconnected("reset"))
    assert socket.exchange.ended
    assert socket.exchange.sent == b""
    socket.app_sends(frame(TEXT, b"late"))
    socket.app_sends(b"", end=True)
    assert socket.stream.body == b""
    assert socket.over


def test_an_app_that_stays_when_the_client_has_left_is_cut() -> None:
    """After the closing time-out the app's connection is reset, so nothing leaks."""
    socket = opened(close=5)
    socket.client_lost(ClientDisconnected("reset"))
    socket.pass_time(6)
    assert socket.exchange.error is not None
    assert socket.over


# Broken rules.


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (frame(TEXT, b"no mask"), 1002),
        (up(3, b"opcode"), 1002),
        (up(TEXT, b"rsv", reserved=4), 1002),
        (up(CONTINUATION, b"of nothing"), 1002),
        (up(PING, b"x" * 126), 1002),
        (up(BINARY, b"x" * 2001), 1009),
        (up(BINARY, b"x" * 1500, fin=False) + up(CONTINUATION, b"x" * 1500), 1009),
    ],
)
def test_a_client_that_breaks_a_rule_is_told_and_the_app_sees_an_end(bad: bytes, code: int) -> None:
    """1002 or 1009 to the client; FIN without a close frame to the app; the client's close frame ends it."""
    socket = opened(max_frame=2000, max_message=2500)
    socket.client_sends(up(TEXT, b"fine") + bad)
    assert [found.code for found in socket.to_client()] == [code]
    assert socket.exchange.ended
    assert CLOSE not in [found.opcode for found in socket.to_app()]
    assert not socket.stream.ended
    socket.client_sends(up(TEXT, b"more") + close(code, masked=True))
    assert socket.stream.ended
    socket.app_sends(b"", end=True)
    assert socket.over
    assert isinstance(socket.logged.error, ProtocolError)


@pytest.mark.parametrize(
    ("bad", "code"), [(up(TEXT, b"masked"), 1002), (frame(11), 1002), (frame(BINARY, b"x" * 2001), 1009)]
)
def test_an_app_that_breaks_a_rule_is_told_and_the_client_gets_1011(bad: bytes, code: int) -> None:
    """1002 or 1009 to the app, 1011 to the client."""
    socket = opened(max_frame=2000)
    socket.app_sends(bad)
    assert [found.code for found in socket.to_app()] == [code]
    assert [found.code for found in socket.to_client()] == [1011]
    socket.client_sends(close(1011, masked=True))
    socket.app_sends(close(code), end=True)
    assert socket.stream.ended
    assert socket.over
    assert isinstance(socket.logged.error, ResponseInvalid)


def test_a_client_that_never_closes_after_an_error_is_ended() -> None:
    """What still comes is skipped until the time-out."""
    socket = opened(close=5)
    socket.client_sends(up(3))
    for _ in range(6):
        socket.client_sends(up(BINARY, b"x" * 5000))
        socket.pass_time(1)
    assert socket.stream.ended
    assert socket.over


def test_a_malformed_close_frame_after_an_error_ends_it() -> None:
    """A client that answers an error with a broken close frame has closed."""
    socket = opened()
    socket.client_sends(up(3))
    socket.client_sends(frame(CLOSE, b"x"))
    assert socket.stream.ended


# The gateway stops.


def test_a_stopping_gateway_closes_both_sides_with_1001() -> None:
    """Both get 1001; the answers end it."""
    socket = opened()
    emptied = socket.sockets.close_all()
    assert [found.code for found in socket.to_client()] == [1001]
    assert [found.code for found in socket.to_app()] == [1001]
    socket.client_sends(close(1001, masked=True))
    socket.app_sends(close(1001), end=True)
    assert socket.over
    assert emptied.called
    assert isinstance(socket.logged.error, GatewayStopping)


def test_a_stopping_gateway_waits_for_the_end_of_a_frame() -> None:
    """1001 comes behind the frame that was begun, within the closing time-out."""
    socket = opened(close=5)
    down, upward = frame(BINARY, b"x" * 300), up(BINARY, b"y" * 300)
    socket.app_sends(down[:100])
    socket.client_sends(upward[:100])
    socket.sockets.close_all()
    assert (socket.stream.body, socket.exchange.sent) == (down[:100], upward[:100])
    socket.app_sends(down[100:] + frame(TEXT, b"late"))
    socket.client_sends(upward[100:] + up(TEXT, b"late"))
    assert [found.opcode for found in socket.to_client()] == [BINARY, CLOSE]
    assert [found.opcode for found in socket.to_app()] == [BINARY, CLOSE]


def test_a_frame_that_does_not_end_in_time_is_cut_when_the_gateway_stops() -> None:
    """No close frame goes inside a frame: FIN to the client, reset to the app."""
    socket = opened(close=5)
    down = frame(BINARY, b"x" * 300)[:100]
    socket.app_sends(down)
    socket.sockets.close_all()
    socket.pass_time(6)
    assert socket.stream.body == down
    assert socket.stream.ended
    assert socket.exchange.error is not None
    assert socket.over


# Keep-alive.


def test_a_silent_client_is_pinged_and_its_pong_keeps_the_socket() -> None:
    """A ping goes out after 30 s of silence; the pong counts, and does not reach the app."""
    socket = opened(ping=30, idle=90)
    socket.pass_time(36)
    assert socket.to_client()[-1].payload == PING_TOKEN
    for _ in range(10):
        socket.client_sends(up(PONG, PING_TOKEN))
        socket.pass_time(35)
    assert not socket.stream.ended
    assert socket.exchange.sent == b""
    assert {found.opcode for found in socket.to_client()} == {PING}


def test_traffic_of_either_side_keeps_the_socket() -> None:
    """Any octet counts as life, so nothing is pinged while something comes."""
    socket = opened(ping=30, idle=90)
    for index in range(20):
        (socket.app_sends if index % 2 else socket.client_sends)(frame(TEXT, masked=index % 2 == 0))
        socket.pass_time(20)
    assert PING not in [found.opcode for found in socket.to_client()]
    assert not socket.stream.ended


def test_a_dead_client_is_closed_after_the_idle_limit() -> None:
    """No octet for 90 s: close 1001, and the app sees the client gone."""
    socket = opened(ping=30, idle=90, close=5)
    socket.pass_time(85)
    assert not socket.exchange.ended
    socket.pass_time(20)
    assert socket.to_client()[-1].code == 1001
    assert socket.exchange.ended
    socket.app_sends(b"", end=True)
    assert socket.over
    assert isinstance(socket.logged.error, ClientTimeout)


def test_nothing_is_pinged_inside_an_outgoing_frame() -> None:
    """While the app stands still inside a frame no ping is put into it, and none is saved up."""
    socket = opened(ping=30, idle=90)
    data = frame(BINARY, b"x" * 300)
    socket.app_sends(data[:100])
    socket.pass_time(70)
    socket.app_sends(data[100:])
    assert socket.stream.body == data


def test_a_client_that_was_stopped_for_the_apps_sake_is_not_judged() -> None:
    """Where the app reads nothing, the client is not pinged, and it is the app that is cut: 1012."""
    socket = opened(ping=30, idle=90)
    socket.sink.pause_body()
    assert socket.stream.paused
    socket.pass_time(80)
    assert socket.stream.body == b""
    socket.pass_time(20)
    assert isinstance(socket.exchange.error, ResponseStalled)
    assert [found.code for found in socket.to_client()] == [1012]
    assert not socket.stream.paused
    socket.client_sends(close(1012, masked=True))
    assert socket.over


def test_nothing_is_kept_once_a_socket_is_over() -> None:
    """Late calls hit nothing."""
    socket = opened()
    relay = socket.request.state
    sides = (relay.client, relay.upstream)  # type: ignore[attr-defined]
    socket.client_sends(close(1000, masked=True))
    socket.app_sends(close(1000), end=True)
    assert socket.over
    for side in sides:
        side.send_data(frame(TEXT, b"late") + close(1001), False)
        side.close(1001)
    socket.pass_time(200)
    assert socket.stream.body == close(1000)
    assert len(socket.to_app()) == 1
    assert relay.code == 1000  # type: ignore[attr-defined]


def test_no_limit_means_no_limit() -> None:
    """With `idle` and `ping` at 0 a silent socket stays, and nothing is sent."""
    socket = opened(ping=0, idle=0)
    socket.pass_time(1000, step=10)
    assert socket.stream.body == b""
    assert not socket.stream.ended


# Anything in any order.

client_octets = st.sampled_from(
    [
        up(TEXT, b"hello"),
        up(BINARY, b"x" * 200)[:100],
        up(BINARY, b"x" * 200)[100:],
        up(TEXT, b"a", fin=False),
        up(CONTINUATION, b"b"),
        up(PONG, PING_TOKEN),
        up(PING, b"p"),
        close(4000, b"why", masked=True),
        close(None, masked=True),
        close(1005, masked=True),
        frame(TEXT, b"unmasked"),
        up(CLOSE, b"x"),
        b"\x82",
    ]
)
app_octets = st.sampled_from(
    [
        frame(TEXT, b"hello"),
        frame(BINARY, b"x" * 200)[:100],
        frame(BINARY, b"x" * 200)[100:],
        frame(TEXT, b"a", fin=False),
        frame(CONTINUATION, b"b"),
        frame(PING, b"p"),
        close(4001, b"because"),
        close(None),
        close(999),
        up(TEXT, b"masked"),
        frame(CLOSE, b"x"),
        b"\x82",
    ]
)
steps = st.one_of(
    st.tuples(st.just("client_sends"), client_octets),
    st.tuples(st.just("app_sends"), app_octets),
    st.tuples(st.sampled_from(["client_ends", "client_lost", "app_ends", "app_lost", "stop"]), st.just(b"")),
    st.tuples(st.sampled_from(["client_slow", "client_reads", "app_slow", "app_reads", "wait"]), st.just(b"")),
)


def take(socket: Relayed, what: str, data: bytes) -> None:
    """Take one step, as far as the peer's connection still allows it."""
    client, app = socket.open_peers
    if what.startswith("client") and client:
        if what == "client_sends":
            socket.client_sends(data)
        elif what == "client_ends":
            socket.client_sends(b"", end=True)
            socket.client_ended = True
        elif what == "client_lost":
            socket.client_lost(ClientDisconnected("reset"))
        elif what == "client_slow":
            socket.request.pause_writing()
        else:
            socket.request.resume_writing()
    elif what.startswith("app") and app:
        if what == "app_sends":
            socket.app_sends(data)
        elif what in ("app_ends", "app_lost"):
            socket.app_ended = True
            if what == "app_ends":
                socket.app_sends(b"", end=True)
            else:
                socket.app_lost(ResponseIncomplete("reset"))
        elif what == "app_slow":
            socket.sink.pause_body()
        else:
            socket.sink.resume_body()
    elif what == "stop":
        socket.sockets.close_all()
    elif what == "wait":
        socket.pass_time(20)


def check_frames(data: bytes, source: bytes) -> None:
    """Check that whole frames went out, but for a last one of the far side, and nothing behind a close frame."""
    size = len(data)
    while True:
        try:
            found = read_frames(data[:size])
            break
        except (AssertionError, IndexError):
            size -= 1
    assert data[size:] in source
    assert CLOSE not in [one.opcode for one in found[:-1]]
    assert all(one.code != 1000 for one in found if one.opcode == CLOSE)
    if found and found[-1].opcode == CLOSE:
        assert size == len(data)


@settings(max_examples=400)
@given(st.lists(steps, max_size=14))
def test_whatever_happens_ends_cleanly(taken: list[tuple[str, bytes]]) -> None:
    """In any order of events only whole frames go out, nothing behind a close frame or an end, and all is let go."""
    socket = opened(ping=30, idle=90, close=5)
    for what, data in taken:
        take(socket, what, data)
    socket.pass_time(60, step=5)
    socket.sockets.close_all()
    socket.pass_time(300, step=5)
    assert socket.over
    assert socket.stream.ended or socket.stream.error or socket.client_gone
    assert socket.exchange.ended or socket.exchange.error or socket.app_ended
    assert len(socket.runtime.log.finished) == 1
    check_frames(socket.stream.body, b"".join(data for what, data in taken if what == "app_sends"))
    check_frames(socket.exchange.sent, b"".join(data for what, data in taken if what == "client_sends"))
