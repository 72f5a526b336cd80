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

from enum import IntEnum
from typing import Final

from gateway.protocol.websocket_events import Close, Code, Event, MalformedClose, Violation
from gateway.protocol.websocket_headers import (
    BAD,
    CLOSE,
    CLOSING,
    CONTROL,
    ENDS,
    KINDS,
    KINDS_EXTENDED,
    PASSED,
    PONG,
    STARTS,
    header_violation,
    mask,
)
from gateway.units import ByteCount

PING_TOKEN: Final = b"gateway-keep-alive"
"""Payload of our own pings; a pong that carries it is not passed on."""


class Input(IntEnum):
    """How what arrives is read."""

    STRICT = 0
    LENIENT = 1
    CLOSED = 2


# Looked up here once: an attribute of an Enum costs several times a global.
_STRICT, _LENIENT, _CLOSED = Input


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
        self._kinds = KINDS_EXTENDED if extended else KINDS
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
        self._sealed = frame[0] & 15 == CLOSE
        if self.masked:
            frame = b"%c%c%b%b" % (frame[0], frame[1] | 128, key, mask(frame[2:], key))
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
            if kind == BAD or data[position + 1] & 128 != self._mask_bit or (kind & CONTROL and length > 125):
                violation = header_violation(kind, data[position + 1], masked=self.masked)
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
            elif length == 1 and kind == CLOSING:
                violation = Violation(Code.PROTOCOL_ERROR, "close frame with one octet (RFC 6455 §5.5.1)")
                break
            if size < payload:
                break
            end = payload + length
            if kind & CONTROL:
                if end > size:
                    break
                if kind == PASSED or (kind == PONG and not self._is_own(data, payload, end)):
                    position = end
                    continue
                parts = [] if parts is None else parts
                parts.append(data[start:position])
                if kind == CLOSING:
                    self.events += (Close(self._content(data, payload, end)),)
                    self.input = _CLOSED
                    start = position = size
                    break
                start = position = end
                continue
            message = length
            if kind & STARTS:
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
            self._inside = not kind & ENDS
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
        return mask(content, data[payload - 4 : payload]) if self.masked else content

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
            if first & 15 == CLOSE:
                if self._kinds[first] != CLOSING or second & 128 != self._mask_bit or length == 1 or length > 125:
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


_NO_LIMIT: Final = (1 << 63) - 1
