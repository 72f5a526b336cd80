"""RFC 6455 §5: frames of one direction."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.websocket_events import Close, Code, Event, MalformedClose, Violation
from gateway.protocol.websocket_frames import PING_TOKEN, FramePipe, Input
from gateway.units import ByteCount
from tests.support.websocket import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, close, frame, read_frames


def pipe(*, masked: bool = True, extended: bool = False, max_frame: int = 1000, max_message: int = 2000) -> FramePipe:
    return FramePipe(
        masked=masked, extended=extended, max_frame=ByteCount(max_frame), max_message=ByteCount(max_message)
    )


def run(target: FramePipe, *chunks: bytes) -> tuple[bytes, tuple[Event, ...]]:
    output = b"".join(target.receive_data(chunk) for chunk in chunks)
    return output, target.events


VALID = [
    ("§5.6 text", frame(TEXT, b"hello", masked=True)),
    ("§5.6 empty text", frame(TEXT, masked=True)),
    ("§5.6 binary", frame(BINARY, bytes(range(256)), masked=True)),
    ("§5.2 7-bit length", frame(BINARY, b"x" * 125, masked=True)),
    ("§5.2 16-bit length", frame(BINARY, b"x" * 126, masked=True)),
    ("§5.4 fragments", frame(TEXT, b"a", masked=True, fin=False) + frame(CONTINUATION, b"b", masked=True)),
    (
        "§5.4 three fragments, then a message",
        frame(TEXT, b"a", masked=True, fin=False)
        + frame(CONTINUATION, b"b", masked=True, fin=False)
        + frame(CONTINUATION, b"c", masked=True)
        + frame(TEXT, b"d", masked=True),
    ),
    (
        "§5.5 control frame between fragments",
        frame(TEXT, b"a", masked=True, fin=False)
        + frame(PING, b"p", masked=True)
        + frame(CONTINUATION, b"b", masked=True),
    ),
    ("§5.5.2 ping of 125 octets", frame(PING, b"x" * 125, masked=True)),
    ("§5.5.3 unsolicited pong", frame(PONG, b"", masked=True)),
    ("§5.5.3 pong as long as the token", frame(PONG, b"x" * len(PING_TOKEN), masked=True)),
]


@pytest.mark.parametrize("data", [data for _, data in VALID], ids=[name for name, _ in VALID])
def test_valid_frames_pass_as_they_came(data: bytes) -> None:
    """What follows RFC 6455 §5 leaves byte for byte, in one piece or in single octets."""
    assert run(pipe(), data) == (data, ())
    assert run(pipe(), *(data[index : index + 1] for index in range(len(data)))) == (data, ())


def test_frames_of_a_server_pass_unmasked() -> None:
    """A server's frames carry no mask (§5.1), of every length form."""
    data = frame(TEXT, b"a") + frame(BINARY, b"b" * 300) + frame(PING) + frame(BINARY, b"c" * 70000)
    assert run(pipe(masked=False, max_frame=0, max_message=0), data) == (data, ())


INVALID = [
    ("§5.1 unmasked from a client", True, frame(TEXT, b"a")),
    ("§5.1 masked from a server", False, frame(TEXT, b"a", masked=True)),
    ("§5.2 RSV1", True, frame(TEXT, b"a", masked=True, reserved=4)),
    ("§5.2 RSV2", True, frame(TEXT, b"a", masked=True, reserved=2)),
    ("§5.2 RSV3", True, frame(TEXT, b"a", masked=True, reserved=1)),
    *((f"§5.2 reserved opcode {code}", True, frame(code, b"", masked=True)) for code in (3, 4, 5, 6, 7, 11, 12, 15)),
    ("§5.2 16-bit length not needed", True, frame(TEXT, b"a" * 125, masked=True, form=126)),
    ("§5.2 64-bit length not needed", True, frame(TEXT, b"a" * 300, masked=True, form=127)),
    ("§5.2 length over 63 bits", True, bytes((0x82, 255)) + b"\xff" * 8 + b"keyk"),
    ("§5.4 continuation of nothing", True, frame(CONTINUATION, b"a", masked=True)),
    ("§5.4 last continuation of nothing", True, frame(CONTINUATION, b"a", masked=True, fin=False)),
    ("§5.4 message in a message", True, frame(TEXT, masked=True, fin=False) + frame(TEXT, masked=True)),
    ("§5.5 fragmented ping", True, frame(PING, b"", masked=True, fin=False)),
    ("§5.5 ping over 125 octets", True, frame(PING, b"x" * 126, masked=True)),
    ("§5.5 ping in 64-bit form", True, frame(PING, b"x", masked=True, form=127)),
    ("§5.5.1 close with one octet", True, frame(CLOSE, b"x", masked=True)),
    ("§5.5.1 close over 125 octets", True, frame(CLOSE, b"x" * 126, masked=True)),
    ("§5.5 fragmented close", True, frame(CLOSE, b"", masked=True, fin=False)),
]


@pytest.mark.parametrize(
    ("masked", "data"), [case[1:] for case in INVALID], ids=[f"{case[0]} {index}" for index, case in enumerate(INVALID)]
)
def test_broken_frames_are_violations_1002(masked: bool, data: bytes) -> None:
    """A broken frame is reported as 1002 at once, whatever the split, and nothing of it passes."""
    for chunks in ([data], [data[index : index + 1] for index in range(len(data))]):
        before = frame(BINARY, b"fine", masked=masked)
        target = pipe(masked=masked)
        output, events = run(target, before, *chunks, frame(TEXT, b"later", masked=masked))
        assert isinstance(events[0], Violation)
        assert events[0].code is Code.PROTOCOL_ERROR
        assert "RFC 6455 §5" in events[0].message
        first = frame(TEXT, masked=True, fin=False)
        assert output == before + (first if data.startswith(first) and len(data) > len(first) else b"")
        assert target.input is not Input.STRICT


@pytest.mark.parametrize("reserved", [1, 2, 4, 7])
def test_reserved_bits_pass_once_an_extension_was_agreed(reserved: int) -> None:
    """With an agreed extension the reserved bits are the endpoints' matter (§5.2)."""
    data = frame(TEXT, b"zip", masked=True, reserved=reserved)
    assert run(pipe(extended=True), data) == (data, ())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (frame(BINARY, b"x" * 1001, masked=True), "frame over 1000 octets"),
        (
            b"".join(
                frame(BINARY if index == 0 else CONTINUATION, b"x" * 700, masked=True, fin=False) for index in range(3)
            ),
            "message over 2000 octets",
        ),
    ],
)
def test_too_much_is_a_violation_1009(data: bytes, message: str) -> None:
    """A frame or message over its limit is reported as 1009 when its header is there, before its payload (§7.4.1)."""
    target = pipe()
    output, events = run(target, data[:-700])
    output_more, _ = run(target, data[-700:])
    assert events == (Violation(Code.TOO_BIG, message),)
    assert len(output + output_more) in (0, 2 * 708)


def test_limits_count_each_message_for_itself() -> None:
    """A frame of exactly the limit passes, and the sum starts again with each message."""
    data = frame(BINARY, b"x" * 1000, masked=True) * 5
    assert run(pipe(), data) == (data, ())
    assert run(pipe(max_frame=0, max_message=0), data) == (data, ())


def test_a_close_frame_is_taken_out_and_ends_the_input() -> None:
    """A close frame is reported without its mask, not passed, and nothing behind it counts (§5.5.1)."""
    first, last = frame(TEXT, b"a", masked=True), close(4000, b"bye", masked=True)
    target = pipe()
    found = (Close(b"\x0f\xa0bye"),)
    assert run(target, first + last + frame(TEXT, b"b", masked=True)) == (first, found)
    assert run(target, frame(TEXT, b"c")) == (b"", found)
    assert target.input is Input.CLOSED


@pytest.mark.parametrize("masked", [True, False])
def test_the_pong_to_our_ping_is_taken_out(masked: bool) -> None:
    """The pong that carries our token is dropped, and what surrounds it passes."""
    around, own = frame(TEXT, b"a", masked=masked), frame(PONG, PING_TOKEN, masked=masked)
    assert run(pipe(masked=masked), around + own + around) == (around + around, ())


def test_at_most_131_octets_are_held_back() -> None:
    """A whole data header passes with no payload yet; a control frame is held until it is whole."""
    target = pipe()
    header = frame(BINARY, b"x" * 500, masked=True)[:8]
    assert target.receive_data(header[:7]) == b""
    assert target.at_boundary
    assert target.receive_data(header[7:]) == header
    assert not target.at_boundary
    target = pipe()
    ping = frame(PING, b"x" * 125, masked=True)
    assert len(ping) == 131
    assert target.receive_data(ping[:130]) == b""
    assert target.receive_data(ping[130:]) == ping


def test_an_injected_frame_waits_for_the_frame_boundary() -> None:
    """Nothing of our own goes inside a frame; between fragments a control frame may (§5.4)."""
    target = pipe()
    data = frame(TEXT, b"abcdef", masked=True, fin=False)
    ping = frame(PING, b"x", masked=True)
    assert target.receive_data(data[:-1]) == data[:-1]
    assert target.inject(frame(PING, b"x"), KEY) == b""
    rest = frame(CONTINUATION, b"g", masked=True)
    assert target.receive_data(data[-1:] + rest) == data[-1:] + ping + rest
    assert target.inject(frame(PING, b"x"), KEY) == ping


def test_an_injected_frame_goes_before_a_half_received_header() -> None:
    """A half-received header was held back, so that is a boundary."""
    target = pipe()
    data = frame(TEXT, b"abc", masked=True)
    assert target.receive_data(data[:5]) == b""
    ping = frame(PING, b"", masked=True)
    assert target.inject(frame(PING), KEY) == ping
    assert target.receive_data(data[5:]) == data


def test_nothing_is_forwarded_after_an_injected_close() -> None:
    """After a close frame of our own only the sender's close frame is looked for (§5.5.1)."""
    target = pipe()
    answer = close(1001, masked=True)
    assert target.inject(close(1001), KEY) == answer
    assert target.inject(frame(PING), KEY) == b""
    assert run(target, frame(TEXT, b"late", masked=True) + answer) == (b"", (Close(b"\x03\xe9"),))
    assert not target.output_open


def test_a_close_injected_inside_a_frame_follows_its_end() -> None:
    """The frame that was begun is finished, then comes the close frame, then nothing; what follows is still read."""
    target = pipe()
    data = frame(BINARY, b"x" * 100, masked=True)
    output = target.receive_data(data[:50])
    assert target.inject(close(1001), KEY) == b""
    output += target.receive_data(data[50:70])
    answer = close(1001, masked=True)
    output += target.receive_data(data[70:] + frame(TEXT, b"late", masked=True) + answer)
    assert output == data + answer
    assert target.events == (Close(b"\x03\xe9"),)


def test_after_a_violation_the_close_frame_is_still_found() -> None:
    """After an error the sender's frames are skipped leniently until its close frame comes."""
    bad = frame(TEXT, b"x" * 300)
    skipped = frame(3, b"y" * 200, masked=True) + frame(BINARY, b"z" * 70000, form=127)
    last = close(1002, masked=True)
    data = bad + skipped + last + frame(TEXT)
    for step in (1, 7, 100, len(data)):
        target = pipe()
        output, events = run(target, *(data[index : index + step] for index in range(0, len(data), step)))
        assert output == b""
        assert [type(event) for event in events] == [Violation, Close]
        assert events[1] == Close(b"\x03\xea")


@pytest.mark.parametrize(
    "malformed",
    [
        frame(CLOSE, b"x", masked=True),
        close(1000),
        frame(CLOSE, b"xx", masked=True, fin=False),
        frame(CLOSE, b"x" * 200, masked=True),
        frame(CLOSE, b"", masked=True, reserved=4),
    ],
)
def test_after_a_violation_a_malformed_close_frame_counts(malformed: bytes) -> None:
    """A sender that answers an error with a broken close frame has closed all the same."""
    target = pipe()
    _, events = run(target, frame(3, masked=True), malformed, frame(TEXT))
    assert [type(event) for event in events] == [Violation, MalformedClose]
    assert target.input is Input.CLOSED


@pytest.mark.parametrize("length", [2**64 - 1, 2**64 - 14, 2**63, 2**63 - 1])
def test_after_a_violation_lengths_of_any_size_are_skipped(length: int) -> None:
    """What no frame can be long enough for is skipped too, without a sum that would begin anew at 0."""
    target = pipe()
    skipped = b"\x82\xff" + length.to_bytes(8, "big") + KEY
    output, events = run(target, frame(TEXT, b"no mask"), skipped, close(1000, masked=True), b"x" * 1000)
    assert (output, [type(event) for event in events]) == (b"", [Violation])
    assert target.input is Input.LENIENT


def test_a_message_that_could_wrap_around_is_too_big() -> None:
    """The limit of a message holds where its fragments together are over 63 bits."""
    target = pipe(max_frame=0, max_message=1000)
    first = frame(BINARY, b"x" * 900, masked=True, fin=False)
    huge = b"\x80\xff" + (2**63 - 1).to_bytes(8, "big") + KEY
    assert run(target, first, huge) == (first, (Violation(Code.TOO_BIG, "message over 1000 octets"),))


def test_a_close_goes_out_at_once_after_the_far_sender_broke_a_rule() -> None:
    """After a violation the output stands at a boundary, however much payload is still skipped."""
    target = pipe()
    run(target, frame(BINARY, b"x" * 60000, masked=True)[:100])
    assert target.at_boundary
    assert target.inject(close(1011), KEY) == close(1011, masked=True)


# Hypothesis

any_frame = st.builds(
    frame,
    st.sampled_from([TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE, 3, 11]),
    st.binary(max_size=140) | st.sampled_from([b"", PING_TOKEN, b"\x03\xe8"]),
    masked=st.sampled_from([True] * 9 + [False]),
    fin=st.sampled_from([True, True, True, False]),
    reserved=st.sampled_from([0] * 9 + [4]),
    form=st.sampled_from([0] * 9 + [126, 127]),
)
streams = st.lists(any_frame, max_size=8).map(b"".join) | st.binary(max_size=60)


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(borders)]


@given(data=streams, cuts=st.lists(st.integers(0, 2000), max_size=12), extended=st.booleans())
def test_any_split_gives_the_same_output_and_events(data: bytes, cuts: list[int], extended: bool) -> None:
    """Output bytes, events and final state do not depend on how the octets arrive."""
    limits = {"max_frame": 120, "max_message": 200, "extended": extended}
    whole, split, single = pipe(**limits), pipe(**limits), pipe(**limits)
    expected = run(whole, data)
    assert run(split, *chunked(data, cuts)) == expected
    assert run(single, *(data[index : index + 1] for index in range(len(data)))) == expected
    assert whole.input == split.input == single.input
    assert whole.at_boundary == split.at_boundary == single.at_boundary


valid_frame = st.builds(
    frame, st.sampled_from([TEXT, BINARY, PING, PONG]), st.binary(max_size=17), masked=st.just(True)
)


@given(
    frames=st.lists(valid_frame, max_size=6),
    cuts=st.lists(st.integers(0, 200), max_size=12),
    when=st.integers(0, 12),
    last=st.booleans(),
)
def test_injected_frames_never_break_a_frame(frames: list[bytes], cuts: list[int], when: int, last: bool) -> None:
    """Wherever a ping or a close is injected, the output is whole frames: the sender's in order and ours once."""
    target = pipe(max_frame=0, max_message=0)
    own = close(1001) if last else frame(PING, b"longer than any of the others")
    output = b""
    chunks = chunked(b"".join(frames), cuts)
    for index, chunk in enumerate(chunks):
        if index == when % len(chunks):
            output += target.inject(own, KEY)
        output += target.receive_data(chunk)
    found, sent, ours = read_frames(output), read_frames(b"".join(frames)), replace(read_frames(own)[0], masked=True)
    place = found.index(ours)
    assert found[:place] == sent[:place]
    assert found[place + 1 :] == ([] if last else sent[place:])
