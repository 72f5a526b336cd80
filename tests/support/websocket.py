"""WebSocket frames made and read independently of the code under test."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
HANDSHAKE_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = b"\x11\x22\x33\x44"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    masked: bool = False,
    fin: bool = True,
    reserved: int = 0,
    form: int = 0,
    key: bytes = KEY,
) -> bytes:
    """Make a frame; `form` 126 or 127 forces a longer length than needed."""
    first = (128 if fin else 0) | reserved << 4 | opcode
    bit = 128 if masked else 0
    size = len(payload)
    if form == 127 or size > 65535:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    elif form == 126 or size > 125:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | size))
    if not masked:
        return head + payload
    return head + key + mask(payload, key)


def mask(payload: bytes, key: bytes = KEY) -> bytes:
    return bytes(octet ^ key[index % 4] for index, octet in enumerate(payload))


def close(code: int | None = None, reason: bytes = b"", *, masked: bool = False) -> bytes:
    payload = b"" if code is None else code.to_bytes(2, "big") + reason
    return frame(CLOSE, payload, masked=masked)


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    fin: bool
    masked: bool

    @property
    def code(self) -> int | None:
        return int.from_bytes(self.payload[:2], "big") if self.payload else None


def read_frames(data: bytes) -> list[Frame]:
    """Read whole frames; fails where octets are left over."""
    found = []
    while data:
        length, start = data[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        masked = bool(data[1] & 128)
        key = data[start : start + 4] if masked else b""
        start += len(key)
        payload = data[start : start + length]
        assert len(payload) == length, "incomplete frame"
        found.append(Frame(data[0] & 15, mask(payload, key) if masked else payload, bool(data[0] & 128), masked))
        data = data[start + length :]
    return found


def handshake(*lines: bytes, request: bytes = b"GET /live?vsn=2.0.0 HTTP/1.1") -> bytes:
    fields = (
        b"Host: example.com",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + HANDSHAKE_KEY,
    )
    return b"\r\n".join((request, *fields, *lines, b"", b""))


def accept(request: bytes, *lines: bytes) -> bytes:
    key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    answer = b64encode(sha1(key + GUID, usedforsecurity=False).digest())
    head = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
    return b"\r\n".join((*head, b"Sec-WebSocket-Accept: " + answer, *lines, b"", b""))
