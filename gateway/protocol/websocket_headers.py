"""What the first two octets of a WebSocket frame mean, and the masking of what follows (RFC 6455 §5.2, §5.3).

The first octet (end of message, reserved bits and opcode) is looked up in a table, which gives its kind.
"""

from __future__ import annotations

from typing import Final

from gateway.protocol.websocket_events import Code, Violation

CLOSE: Final = 8
"""The opcode of a close frame."""

BAD: Final = 0
STARTS: Final = 1
ENDS: Final = 2
CONTINUES: Final = 4
CONTROL: Final = 8
PASSED: Final = CONTROL
PONG: Final = CONTROL | 16
CLOSING: Final = CONTROL | 32


def header_violation(kind: int, second: int, *, masked: bool) -> Violation:
    """Say what is wrong with a header.

    Args:
        kind: Of its first octet.
        second: Its second octet: mask bit and payload length.
        masked: Whether the sender must mask.
    """
    if kind == BAD:
        message = "reserved bit or opcode, or a fragmented control frame (RFC 6455 §5.2, §5.5)"
    elif bool(second & 128) != masked:
        message = "frame from a client without a mask" if masked else "masked frame from a server"
        message += " (RFC 6455 §5.1)"
    else:
        message = "control frame over 125 octets (RFC 6455 §5.5)"
    return Violation(Code.PROTOCOL_ERROR, message)


def mask(content: bytes, key: bytes) -> bytes:
    """Mask the content of a control frame, or take its mask away (§5.3)."""
    size = len(content)
    octets = int.from_bytes((key * 32)[:size], "big")
    return (int.from_bytes(content, "big") ^ octets).to_bytes(size, "big")


def _kinds(*, extended: bool) -> bytes:
    """Tabulate what the first octet of a frame means."""
    kinds = bytearray(256)
    for reserved in range(8 if extended else 1):
        for opcode, kind in ((0, CONTINUES), (1, STARTS), (2, STARTS)):
            kinds[reserved << 4 | opcode] = kind
            kinds[128 | reserved << 4 | opcode] = kind | ENDS
        for opcode, kind in ((8, CLOSING), (9, PASSED), (10, PONG)):
            kinds[128 | reserved << 4 | opcode] = kind
    return bytes(kinds)


KINDS: Final = _kinds(extended=False)
KINDS_EXTENDED: Final = _kinds(extended=True)
