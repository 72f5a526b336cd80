"""Rules that every HTTP/1.1 field line obeys, in heads and in trailer sections (RFC 9112 §5; RFC 9110 §5).

Owns the one pass over a head's field lines; what the lines found mean for a request or a response is said by
`http1_request` and `http1_response`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

from gateway.errors import ProtocolError
from gateway.http.fields import TOKEN_OCTETS, split_list
from gateway.http.known import (
    AUTHORIZATION,
    BITS,
    CONNECTION,
    CONTENT_LENGTH,
    DROPPED_FROM_REQUESTS,
    EXPECT,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
)
from gateway.units import ByteCount

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLimits:
    """What a head, or a trailer section, may weigh.

    Attributes:
        size: Octets of all field lines together; over it 431 (RFC 6585 §5).
        line: Octets of the request line; over it 414 (RFC 9110 §15.5.15).
        count: Number of field lines; over it 431.
    """

    size: ByteCount = ByteCount(16_000)
    line: ByteCount = ByteCount(8_000)
    count: int = 100


class FieldOrder:
    """Field names one after the other, and what follows from them whatever their values are.

    Args:
        before: The names before the last one; None for no names at all.
        name: The last one, spelled as it came.
        code: What it means, as in `FieldNames.codes`.

    Attributes:
        known: Mask of the known fields among them.
        dropped: Positions of the lines not passed on, last first.
        special: For each line that the parsers themselves read: the bit, the position, and where its value begins.
        following: The same with one more name, by that name.
        count: How many names there are.
    """

    __slots__ = ("count", "dropped", "following", "known", "special")

    def __init__(self, before: FieldOrder | None = None, name: bytes = b"", code: int = 0) -> None:
        self.following: dict[bytes, FieldOrder] = {}
        self.count = self.known = 0
        self.dropped: tuple[int, ...] = ()
        self.special: tuple[tuple[int, int, int], ...] = ()
        if before is not None:
            at, bit = before.count, code & _MASK
            self.count = at + 1
            self.known = before.known | bit
            self.dropped = (at, *before.dropped) if code & _DROP else before.dropped
            self.special = (*before.special, (bit, at, len(name) + 1)) if code & _SPECIAL else before.special


class FieldNames:
    """What field names mean on one side of the gateway; names and their orders met are remembered, up to a bound.

    Few orders are met: each client and each app writes its fields in the same one. Values do not matter to it.

    Args:
        dropped: Lower-case names of fields that are not passed on.

    Attributes:
        codes: For each name, spelled as it came: its bit in the mask of known fields, with `_DROP` and `_SPECIAL`.
        none: The order of no names, from which all others follow.
    """

    __slots__ = ("_dropped", "_orders", "codes", "none")

    def __init__(self, dropped: frozenset[bytes]) -> None:
        self._dropped = dropped
        self.codes: dict[bytes, int] = {}
        self._forget_orders()

    def _forget_orders(self) -> None:
        self.none = FieldOrder()
        self._orders = 0

    def follow(self, order: FieldOrder, name: bytes) -> FieldOrder:
        """Learn what a name means behind others with which it was not met before.

        Raises:
            ProtocolError: `name` may not stand before a colon.
        """
        code = self.codes.get(name)
        if code is None:
            code = self._learn(name)
        found = FieldOrder(order, name, code)
        if found.count <= _REMEMBERED_COUNT and len(name) <= _REMEMBERED_LENGTH:
            if self._orders >= _REMEMBERED:
                self._forget_orders()
            self._orders += 1
            order.following[name] = found
        return found

    def _learn(self, name: bytes) -> int:
        lower = check_name(name, b":")
        code = BITS.get(lower, 0)
        if lower in self._dropped or imitates(lower):
            code |= _DROP
        if code & _READ_BY_PARSERS:
            code |= _SPECIAL
        if len(self.codes) >= _REMEMBERED:
            self._forget_orders()  # or a name in one of them would not be learned again, which the compiled form needs
        remember(self.codes, name, code)
        return code


def sort_fields(lines: list[bytes], names: FieldNames) -> tuple[bytes, int, dict[int, bytes]]:
    """Go over the field lines of a head once.

    Args:
        lines: Field lines without their CRLF, and without forbidden octets; the list is used up.
        names: What the names mean on this side.

    Returns:
        The block of lines to pass on; the mask of known fields present; and for each field that the parsers
        themselves read, by its bit, the value without surrounding white space. Values of several lines are joined
        by LF, which no value can hold, so that they never pass for one value or for a list.

    Raises:
        ProtocolError: A line is no field line.
    """
    order = names.none
    for line in lines:
        name, colon, _ = line.partition(b":")
        if not colon:
            check_name(name, colon)
        try:
            order = order.following[name]
        except KeyError:
            order = names.follow(order, name)
    special: dict[int, bytes] = {}
    for bit, at, start in order.special:
        value = lines[at][start:].strip()  # there is no white space in a line but SP and HTAB
        special[bit] = special[bit] + b"\n" + value if bit in special else value
    for at in order.dropped:
        del lines[at]
    lines.append(b"")
    return b"\r\n".join(lines), order.known, special


def check_name(name: bytes, colon: bytes) -> bytes:
    """Check what stands before the colon of a field line.

    Args:
        name: All octets before the first colon.
        colon: The colon; empty where the line has none.

    Returns:
        The name in lower case.

    Raises:
        ProtocolError: It is no token, has white space around it, or belongs to a folded line.

    Source: RFC 9112 §5, §5.1, §5.2.
    """
    if not colon:
        raise ProtocolError("field line without a colon (RFC 9112 §5)")
    if not name or name.translate(None, TOKEN_OCTETS):
        raise ProtocolError("field name is not a token, or white space around it (RFC 9112 §5.1, §5.2)")
    return name.lower()


def imitates(name: bytes) -> bool:
    """Tell whether an application could take this lower-case name for a field that only the gateway may write.

    CGI-like servers fold all that is no letter or digit into one character, so `x_forwarded_for` would be read as
    X-Forwarded-For. Source: RFC 3875 §4.1.18.
    """
    folded = name.translate(_FOLD)
    return folded != name and (folded in _WRITTEN_HERE or folded.startswith(b"x-forwarded-"))


def split_lines(raw: bytes) -> list[bytes]:
    """Split a head, in which every line ends, into its lines; none where an octet is forbidden.

    This finds a bare CR, a bare LF, NUL and all other controls at once. Source: RFC 9110 §5.5; RFC 9112 §2.2.
    """
    lines = raw.splitlines()  # at a bare CR or LF too
    return lines if raw.translate(_SIEVE) == raw and b"\r\n".join(lines) + b"\r\n" == raw else []


def has_forbidden_octet(lines: bytes, line_ends: int) -> bool:
    """Tell whether anything but HTAB, SP, visible ASCII and obs-text stands beside `line_ends` CRLFs.

    Source: RFC 9110 §5.5; RFC 9112 §2.2.
    """
    return len(lines.translate(None, _VISIBLE)) != 2 * line_ends


def has_certain_error(start: bytes) -> bool:
    """Tell whether an unfinished head holds a forbidden octet, which nothing after it can mend."""
    start = start.removesuffix(b"\r")
    return has_forbidden_octet(start, start.count(b"\r\n"))


def octet_error(lines: bytes) -> str:
    """Say which rule a head with a forbidden octet breaks."""
    if lines.replace(b"\r\n", b"").translate(None, _VISIBLE).strip(b"\r\n"):
        return "forbidden control octet in the head (RFC 9110 §5.5)"
    return "bare CR or bare LF in the head (RFC 9112 §2.2)"


def content_length(value: bytes) -> int:
    """Read Content-Length; several lines pass where all are equal, digit by digit.

    Raises:
        ProtocolError: It is no number of at most 18 digits, or the lines differ.

    Source: RFC 9112 §6.2, §6.3; RFC 9110 §8.6.
    """
    if value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    first, *others = value.split(b"\n")
    if others.count(first) != len(others):
        raise ProtocolError("several unequal Content-Length (RFC 9112 §6.3)")
    if not others:
        raise ProtocolError("Content-Length is not a number (RFC 9112 §6.2)")
    return content_length(first)


class ConnectionOptions:
    """The meaning of a Connection field (RFC 9110 §7.6.1).

    Attributes:
        close: The sender closes after this message.
        keep_alive: The sender, perhaps of HTTP/1.0, goes on after it.
        upgrade: Upgrade is meant for us.
        named: Other lower-case names: fields that may not be passed on.
    """

    __slots__ = ("close", "keep_alive", "named", "upgrade")

    def __init__(self, value: bytes) -> None:
        options = frozenset(split_list(value.lower().replace(b"\n", b",")))
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options
        self.upgrade = b"upgrade" in options
        self.named = options - _NOT_FIELDS


def connection_options(value: bytes) -> ConnectionOptions:
    """Read a Connection field; values met are remembered, up to a bound."""
    options = _connection_options.get(value)
    if options is None:
        options = ConnectionOptions(value)
        remember(_connection_options, value, options)
    return options


def remember(memory: dict[bytes, _Value], key: bytes, value: _Value) -> None:
    """Keep `value` for the next time, unless `key` is long; a full memory starts anew.

    So a stranger can neither fill the memory's room for good nor make it heavy.
    """
    if len(key) > _REMEMBERED_LENGTH:
        return
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


_DROP: Final = 1 << 40
_SPECIAL: Final = 1 << 41
_MASK: Final = _DROP - 1
_READ_BY_PARSERS: Final = HOST | CONNECTION | CONTENT_LENGTH | TRANSFER_ENCODING | UPGRADE | EXPECT | AUTHORIZATION
_NOT_FIELDS: Final = frozenset({b"close", b"keep-alive", b"upgrade", b"te"})
_VISIBLE: Final = bytes(octet for octet in range(256) if octet == 9 or (octet >= 32 and octet != 127))
_SIEVE: Final = bytes(octet if octet in _VISIBLE + b"\r\n" else ord("?") for octet in range(256))
_FOLD: Final = bytes(octet if chr(octet).isalnum() and octet < 128 else ord("-") for octet in range(256))
_WRITTEN_HERE: Final = DROPPED_FROM_REQUESTS | {b"x-client-cert", b"remote-user", b"x-remote-user"}
_MAX_DIGITS: Final = 18
_REMEMBERED: Final = 2_000
_REMEMBERED_LENGTH: Final = 260
_REMEMBERED_COUNT: Final = 40
_connection_options: dict[bytes, ConnectionOptions] = {}
