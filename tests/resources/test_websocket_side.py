"""One end of a relayed WebSocket: what arrives passes on, and slowness is passed back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ClientDisconnected, ClientTimeout
from tests.support.relayed import Relayed
from tests.support.websocket import BINARY, CONTINUATION, PING, PONG, TEXT, frame


def opened(**settings: object) -> Relayed:
    return Relayed(**settings).switch()  # type: ignore[arg-type]


def up(opcode: int, payload: bytes = b"", **more: object) -> bytes:
    return frame(opcode, payload, masked=True, **more)  # type: ignore[arg-type]


# Frames.


def test_frames_pass_both_ways_as_they_came_with_one_write_each() -> None:
    """Every chunk that arrives leaves in one write, byte for byte, masks included."""
    socket = opened()
    data = up(TEXT, b"hello") + up(PING, b"p") + up(BINARY, b"x" * 500, fin=False) + up(CONTINUATION, b"y")
    socket.client_sends(data)
    assert (socket.exchange.sent, socket.exchange.writes) == (data, 1)
    data = frame(TEXT, b"world") + frame(PONG, b"p") + frame(BINARY, b"z" * 70000)
    socket.app_sends(data)
    assert socket.stream.body == data
    assert socket.stream.events == ["head", "data"]


def test_octets_that_come_with_the_101_follow_it() -> None:
    """An app that speaks at once is heard."""
    socket = Relayed().switch(data=frame(TEXT, b"first"))
    assert socket.stream.status == 101
    assert socket.stream.body == frame(TEXT, b"first")


@settings(max_examples=40)
@given(
    upward=st.lists(st.binary(max_size=300), max_size=5),
    downward=st.lists(st.binary(max_size=300), max_size=5),
    size=st.integers(1, 400),
)
def test_any_split_relays_the_same_octets(upward: list[bytes], downward: list[bytes], size: int) -> None:
    """Tiny and huge pieces give the same octets on the far side."""
    socket = opened()
    sent = b"".join(up(BINARY, payload) for payload in upward)
    for start in range(0, len(sent), size):
        socket.client_sends(sent[start : start + size])
    answered = b"".join(frame(TEXT, payload) for payload in downward)
    for start in range(0, len(answered), size):
        socket.app_sends(answered[start : start + size])
    assert (socket.exchange.sent, socket.stream.body) == (sent, answered)


def test_compressed_frames_pass_where_the_extension_was_agreed() -> None:
    """With permessage-deflate end to end the first reserved bit is no error."""
    offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    socket = Relayed(offer).switch(b"Sec-WebSocket-Extensions: permessage-deflate")
    data = up(TEXT, b"\xca\x48\xcd\xc9\xc9\x07\x00", reserved=4)
    socket.client_sends(data)
    assert socket.exchange.sent == data


# Back-pressure.


def test_a_slow_side_stops_the_other() -> None:
    """Back-pressure goes from one stream to the other, both ways."""
    socket = opened()
    socket.request.pause_writing()
    assert socket.exchange.paused
    socket.request.resume_writing()
    assert not socket.exchange.paused
    socket.sink.pause_body()
    assert socket.stream.paused
    socket.sink.resume_body()
    assert not socket.stream.paused


def test_a_client_that_reads_nothing_while_closing_is_cut() -> None:
    """FIN would wait behind what it does not read, so the connection is reset."""
    socket = opened(close=5)
    socket.request.pause_writing()
    socket.sockets.close_all()
    socket.pass_time(6)
    assert isinstance(socket.stream.error, ClientTimeout)
    assert socket.over


def test_a_slow_client_that_leaves_does_not_keep_the_app_stopped() -> None:
    """Once nothing is forwarded the app is read again, or its end would never be seen."""
    socket = opened()
    socket.request.pause_writing()
    assert socket.exchange.paused
    socket.client_lost(ClientDisconnected("reset"))
    assert not socket.exchange.paused
