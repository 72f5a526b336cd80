"""One direction of a WebSocket as octets: frame boundaries, limits, and what must not simply pass (RFC 6455 §5).

Payload passes as it came. Held back are only incomplete frame headers and control frames, so at most 131 octets; a
close frame is taken out and reported, the pong to a ping of our own is taken out. Masking is done here: whoever speaks
for the gateway hears and writes without. Opening and closing handshakes are left to others.

What arrives, by state of the pipe's input:

    state    | whole header       | close frame         | broken rule
    ---------+--------------------+---------------------+------------------------------
    STRICT   | passes             | Close, then CLOSED  | Violation, then LENIENT
    LENIENT  | skipped            | Close, then CLOSED  | skipped, or MalformedClose, then CLOSED
    CLOSED   | dropped            | dropped             | dropped

The output is apart from that: open until a close frame was injected, after which nothing is forwarded (§5.5.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gateway.units import ByteCount

PING_TOKEN: Final = b"gateway-keep-alive"
"""Payload of our own pings; a pong that carries it is not passed on."""


class Code(IntEnum):
    """Close codes that the gateway sends of itself; never 1000, which Phoenix's client takes as final."""

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012


class Input(IntEnum):
    """How what arrives is read."""

    STRICT = 0
    LENIENT = 1
    CLOSED = 2


# Looked up here once: an attribute of an Enum costs several times a global.
_STRICT, _LENIENT, _CLOSED = Input


@dataclass(frozen=True, slots=True)
class Close:
    """A whole close frame, taken out of the stream.

    Attributes:
        payload: Code and reason without the mask; never a single octet.
    """

    payload: bytes


@dataclass(frozen=True, slots=True)
class MalformedClose:
    """After a violation, a close frame that is itself broken."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The sender broke a rule; nothing of it passes from here on.

    Attributes:
        code: 1002 or 1009.
        message: What was found, with the section broken.
    """

    code: Code
    message: str


Event = Close | MalformedClose | Violation


class FramePipe:
    """Passes frames of one direction on as they came.

    Args:
        masked: Whether the sender must mask: True from a client, False from a server (RFC 6455 §5.1).
        extended: Whether an extension was agreed; without one the reserved bits must be 0 (§5.2).
        max_frame: Octets of payload in one frame, as on the wire; 0 for no limit.
        max_message: Octets of payload in one message, as on the wire; 0 for no limit.

    Attributes:
        masked: Whether the sender must mask.
        events: What was taken out since the caller last set this to `()`.
        input: How what arrives is read.
        output_open: Whether anything is still forwarded.
    """

    __slots__ = (
        "_header",
        "_held",
        "_inside",
        "_kinds",
        "_mask_bit",
        "_max_frame",
        "_max_message",
        "_message",
        "_pending",
        "_rest",
        "_sealed",
        "events",
        "input",
        "masked",
        "output_open",
    )

    def __init__(self, *, masked: bool, extended: bool, max_frame: ByteCount, max_message: ByteCount) -> None:
        self.masked = masked
        self._mask_bit = 128 if masked else 0
        self._header = 6 if masked else 2
        self._kinds = _KINDS_EXTENDED if extended else _KINDS
        self._max_frame = max_frame or _NO_LIMIT
        self._max_message = max_message or _NO_LIMIT
        self._rest = 0
        self._held = b""
        self._inside = False
        self._message = 0
        self._pending = b""
        self._sealed = False
        self.events: tuple[Event, ...] = ()
        self.input = _STRICT
        self.output_open = True

    @property
    def at_boundary(self) -> bool:
        """Whether the output stands between frames: a half-received header was held back."""
        return not self._rest or self.input is not _STRICT

    def inject(self, frame: bytes, key: bytes = b"") -> bytes:
        """Put a control frame of our own into the output, between frames.

        Args:
            frame: A whole control frame without a mask; after a close frame nothing is forwarded.
            key: Four unpredictable octets that it is masked with, where frames of this direction are (RFC 6455 §5.3).

        Returns:
            Octets to send now; the frame comes later, from `receive_data`, where the output is inside a frame.
        """
        if self._sealed:
            return b""
        self._sealed = frame[0] & 15 == _CLOSE
        if self.masked:
            frame = b"%c%c%b%b" % (frame[0], frame[1] | 128, key, _masked(frame[2:], key))
        if not self.at_boundary:
            self._pending += frame
            return b""
        self.output_open = not self._sealed
        return frame

    def receive_data(self, data: bytes) -> bytes:
        """Take octets from the sender.

        Args:
            data: Any piece of the stream.

        Returns:
            Octets to forward now; look at `events` afterwards.
        """
        size = len(data)
        if self._rest > size:
            self._rest -= size
            return data if self.output_open and self.input is _STRICT else b""
        if self.input is not _STRICT:
            self._skip(data)
            return b""
        position = self._rest
        if self._held:
            data = self._held + data
            size = len(data)
            self._held = b""
        self._rest = start = 0
        parts: list[bytes] | None = None
        final = None if self.output_open else b""
        violation: Violation | None = None
        while True:
            if self._pending:
                parts = [] if parts is None else parts
                parts += (data[start:position], self._pending)
                start = position
                self._pending = b""
                if self._sealed:
                    self.output_open = False
                    final = b"".join(parts)
            if size - position < 2:
                break
            kind = self._kinds[data[position]]
            length = data[position + 1] & 127
            payload = position + self._header
            if kind == _BAD or data[position + 1] & 128 != self._mask_bit or (kind & _CONTROL and length > 125):
                violation = self._header_violation(kind, data[position + 1])
                break
            if length > 125:
                extended = 2 if length == 126 else 8
                if size < position + 2 + extended:
                    break
                violation = _length_violation(data, position, extended)
                if violation:
                    break
                payload += extended
                length = int.from_bytes(data[position + 2 : position + 2 + extended], "big")
            elif length == 1 and kind == _CLOSING:
                violation = Violation(Code.PROTOCOL_ERROR, "close frame with one octet (RFC 6455 §5.5.1)")
                break
            if size < payload:
                break
            end = payload + length
            if kind & _CONTROL:
                if end > size:
                    break
                if kind == _PASSED or (kind == _PONG and not self._is_own(data, payload, end)):
                    position = end
                    continue
                parts = [] if parts is None else parts
                parts.append(data[start:position])
                if kind == _CLOSING:
                    self.events += (Close(self._content(data, payload, end)),)
                    self.input = _CLOSED
                    start = position = size
                    break
                start = position = end
                continue
            message = length
            if kind & _STARTS:
                if self._inside:
                    violation = Violation(Code.PROTOCOL_ERROR, "new message inside a message (RFC 6455 §5.4)")
                    break
            elif self._inside:
                message += self._message
            else:
                violation = Violation(Code.PROTOCOL_ERROR, "continuation of no message (RFC 6455 §5.4)")
                break
            if length > self._max_frame or message > self._max_message:
                violation = self._size_violation(length)
                break
            self._inside = not kind & _ENDS
            self._message = message
            if end > size:
                self._rest = end - size
                position = size
                break
            position = end
        if violation:
            self.events += (violation,)
            self.input = _LENIENT
            self._skip(data[position:])
        elif position < size:
            self._held = data[position:]
        if final is not None:
            return final
        if parts is None:
            return data if position == size else data[:position]
        parts.append(data[start:position])
        return b"".join(parts)

    def _is_own(self, data: bytes, payload: int, end: int) -> bool:
        if end - payload != len(PING_TOKEN):
            return False
        return self._content(data, payload, end) == PING_TOKEN

    def _content(self, data: bytes, payload: int, end: int) -> bytes:
        """Copy the payload of a control frame without its mask."""
        content = data[payload:end]
        return _masked(content, data[payload - 4 : payload]) if self.masked else content

    def _header_violation(self, kind: int, second: int) -> Violation:
        if kind == _BAD:
            message = "reserved bit or opcode, or a fragmented control frame (RFC 6455 §5.2, §5.5)"
        elif second & 128 != self._mask_bit:
            message = "frame from a client without a mask" if self.masked else "masked frame from a server"
            message += " (RFC 6455 §5.1)"
        else:
            message = "control frame over 125 octets (RFC 6455 §5.5)"
        return Violation(Code.PROTOCOL_ERROR, message)

    def _size_violation(self, length: int) -> Violation:
        if length > self._max_frame:
            return Violation(Code.TOO_BIG, f"frame over {self._max_frame} octets")
        return Violation(Code.TOO_BIG, f"message over {self._max_message} octets")

    def _skip(self, data: bytes) -> None:
        """Look for the sender's close frame, taking the rest as it can be taken."""
        if self.input is _CLOSED:
            return
        data = self._held + data
        self._held = b""
        position = self._rest
        size = len(data)
        self._rest = 0
        while position + 2 <= size:
            first, second = data[position], data[position + 1]
            length = second & 127
            payload = position + (6 if second & 128 else 2)
            if first & 15 == _CLOSE:
                if self._kinds[first] != _CLOSING or second & 128 != self._mask_bit or length == 1 or length > 125:
                    self.events += (MalformedClose(),)
                    self.input = _CLOSED
                    return
                if payload + length > size:
                    break
                self.events += (Close(self._content(data, payload, payload + length)),)
                self.input = _CLOSED
                return
            if length > 125:
                payload += 2 if length == 126 else 8
                if size < payload:
                    break
                length = int.from_bytes(data[position + 2 : position + (4 if length == 126 else 10)], "big")
            position = payload + min(length, _NO_LIMIT)
        if position > size:
            self._rest = position - size
        else:
            self._held = data[position:]


def _masked(content: bytes, key: bytes) -> bytes:
    """Mask the content of a control frame, or take its mask away (RFC 6455 §5.3)."""
    size = len(content)
    mask = int.from_bytes((key * 32)[:size], "big")
    return (int.from_bytes(content, "big") ^ mask).to_bytes(size, "big")


def _length_violation(data: bytes, position: int, extended: int) -> Violation | None:
    """Check an extended payload length: minimal, and below 2⁶³ (RFC 6455 §5.2)."""
    if extended == 2:
        if data[position + 2] or data[position + 3] > 125:
            return None
    elif data[position + 2] < 128:
        if any(data[position + 2 : position + 8]):
            return None
    else:
        return Violation(Code.PROTOCOL_ERROR, "payload length over 63 bits (RFC 6455 §5.2)")
    return Violation(Code.PROTOCOL_ERROR, "payload length not in its shortest form (RFC 6455 §5.2)")


_CLOSE: Final = 8
_NO_LIMIT: Final = (1 << 63) - 1

_BAD: Final = 0
_STARTS: Final = 1
_ENDS: Final = 2
_CONTINUES: Final = 4
_CONTROL: Final = 8
_PASSED: Final = _CONTROL
_PONG: Final = _CONTROL | 16
_CLOSING: Final = _CONTROL | 32


def _kinds(*, extended: bool) -> bytes:
    """Tabulate what the first octet of a frame means."""
    kinds = bytearray(256)
    for reserved in range(8 if extended else 1):
        for opcode, kind in ((0, _CONTINUES), (1, _STARTS), (2, _STARTS)):
            kinds[reserved << 4 | opcode] = kind
            kinds[128 | reserved << 4 | opcode] = kind | _ENDS
        for opcode, kind in ((8, _CLOSING), (9, _PASSED), (10, _PONG)):
            kinds[128 | reserved << 4 | opcode] = kind
    return bytes(kinds)


_KINDS: Final = _kinds(extended=False)
_KINDS_EXTENDED: Final = _kinds(extended=True)
