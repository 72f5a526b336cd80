"""The chunked transfer coding: a strict decoder for any split of the input, and the encoder (RFC 9112 §7.1).

States of the decoder; every other input is refused, and after that everything is:

    state      input              next
    SIZE       chunk-size > 0     DATA
    SIZE       last-chunk         TRAILER
    DATA       chunk-data CRLF    SIZE
    TRAILER    field-line CRLF    TRAILER
    TRAILER    CRLF               DONE
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from gateway.errors import ProtocolError
from gateway.http.known import BITS, HOP_BY_HOP
from gateway.protocol.http1_fields import HeadLimits, check_name, has_forbidden_octet, imitates


class ChunkedDecoder:
    """Takes the octets after a head and gives the content.

    Args:
        limits: `size` bounds the trailer section, and also all chunk extensions of the content together; `count` is
            the number of trailer lines.

    Attributes:
        done: Whether the end of the trailer section was read.
        rest: Octets after the end; empty before.
        trailers: End-to-end trailer lines, each ending in CRLF, without the fields that RFC 9110 §6.5.1 forbids; empty
            before `done`.
    """

    __slots__ = (
        "_count",
        "_extensions",
        "_left",
        "_limits",
        "_pending",
        "_section",
        "_state",
        "_trailers",
        "done",
        "rest",
        "trailers",
    )

    def __init__(self, limits: HeadLimits) -> None:
        self.done = False
        self.rest = b""
        self.trailers = b""
        self._limits = limits
        self._state = _State.SIZE
        self._left = 0
        self._pending = b""
        self._extensions = 0
        self._section = 0
        self._count = 0
        self._trailers: list[bytes] = []

    def receive(self, data: bytes) -> bytes:
        """Decode more octets.

        Args:
            data: What came next on the connection, split anyhow.

        Returns:
            The content in it; empty where `data` holds only framing.

        Raises:
            ProtocolError: 400, or 431 for trailers over a limit; the decoder then refuses all further octets.
        """
        if self._left >= len(data):
            self._left -= len(data)
            return data
        try:
            return self._decode(data)
        except ProtocolError:
            self._state = _State.BROKEN
            self._left = 0
            raise

    def _decode(self, data: bytes) -> bytes:
        if self._state is _State.BROKEN:
            raise ProtocolError("octets after a framing error (RFC 9112 §7.1)")
        if self._pending:
            data = self._pending + data
            self._pending = b""
        parts: list[bytes] = []
        position = 0
        while self._state is not _State.DONE:
            if self._state is _State.DATA:
                here = len(data) - position
                if self._left > here:
                    parts.append(data[position:])
                    self._left -= here
                    break
                end = position + self._left
                parts.append(data[position:end])
                if not self._chunk_ends(data, end):
                    break
                position = end + 2
            end = data.find(b"\r\n", position)
            if end < 0:
                self._keep_line(data[position:])
                break
            self._take_line(data[position:end])
            position = end + 2
        else:
            self.rest += data[position:]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _chunk_ends(self, data: bytes, end: int) -> bool:
        """Step over the CRLF at `end` of a chunk's data, as far as it is there."""
        tail = data[end : end + 2]
        if tail == b"\r\n":
            self._left = 0
            self._state = _State.SIZE
            return True
        self._left = 0
        if tail not in (b"", b"\r"):
            raise ProtocolError("chunk data does not end in CRLF (RFC 9112 §7.1)")
        self._pending = tail
        return False

    def _keep_line(self, start: bytes) -> None:
        """Keep an unfinished line, unless no further octet can mend it."""
        line = start.removesuffix(b"\r")
        if has_forbidden_octet(line, 0):
            raise ProtocolError("forbidden octet, bare CR or bare LF in chunked framing (RFC 9112 §7.1)")
        if self._state is _State.TRAILER:
            self._check_section(len(line))
        else:
            self._split_size(line, finished=False)
        self._pending = start

    def _take_line(self, line: bytes) -> None:
        if self._state is _State.SIZE:
            size = self._size(line)
            self._left = size
            self._state = _State.DATA if size else _State.TRAILER
        elif line:
            self._take_trailer(line)
        else:
            self._state = _State.DONE
            self.trailers = b"".join(self._trailers)
            self.done = True

    def _size(self, line: bytes) -> int:
        if len(line) > _MAX_DIGITS or line.translate(None, _HEX):
            line = self._split_size(line, finished=True)
        if not line:
            raise ProtocolError("chunk size missing (RFC 9112 §7.1)")
        return int(line, 16)

    def _split_size(self, line: bytes, *, finished: bool) -> bytes:
        """Check a chunk-size line that has more than digits, count its extensions, and give the digits.

        Source: RFC 9112 §7.1.1.
        """
        digits = line[: _MAX_DIGITS + 1].partition(b";")[0].rstrip(b" \t")
        if len(digits) > _MAX_DIGITS or digits.translate(None, _HEX):
            raise ProtocolError("chunk size is not 1 to 16 hexadecimal digits (RFC 9112 §7.1)")
        extensions = line[len(digits) :]
        if self._extensions + len(extensions) > self._limits.size:
            raise ProtocolError(f"chunk extensions over {self._limits.size} octets (RFC 9112 §7.1.1)")
        if finished and extensions:
            if _EXTENSIONS.fullmatch(extensions) is None:
                raise ProtocolError("malformed chunk extension (RFC 9112 §7.1.1)")
            self._extensions += len(extensions)
        return digits

    def _take_trailer(self, line: bytes) -> None:
        """Check a trailer line and keep it where a trailer may stand. Source: RFC 9110 §6.5; RFC 9112 §7.1.2."""
        self._check_section(len(line) + 2)
        self._section += len(line) + 2
        self._count += 1
        if self._count > self._limits.count:
            raise ProtocolError(f"over {self._limits.count} trailer fields (RFC 6585 §5)", 431)
        if has_forbidden_octet(line, 0):
            raise ProtocolError("forbidden octet, bare CR or bare LF in a trailer (RFC 9112 §2.2)")
        name, colon, _ = line.partition(b":")
        lower = check_name(name, colon)
        if lower not in _NOT_IN_TRAILERS and not imitates(lower):
            self._trailers.append(line + b"\r\n")

    def _check_section(self, more: int) -> None:
        if self._section + more > self._limits.size:
            raise ProtocolError(f"trailer section over {self._limits.size} octets (RFC 6585 §5)", 431)


def encode_chunk(data: bytes) -> bytes:
    """Write content as one chunk; empty content as nothing, since an empty chunk would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def encode_content(data: bytes, end: bool) -> bytes:
    """Write content as one chunk, and the end of the content behind it where `end` says so."""
    return encode_chunk(data) + LAST_CHUNK if end else encode_chunk(data)


def encode_last_chunk(trailers: bytes = b"") -> bytes:
    """Write the end of the content: the last chunk and a trailer section of checked lines, each ending in CRLF."""
    return b"0\r\n%b\r\n" % trailers


LAST_CHUNK: Final = encode_last_chunk()


class _State(Enum):
    SIZE = "chunk size"
    DATA = "chunk data"
    TRAILER = "trailer section"
    DONE = "done"
    BROKEN = "broken"


_MAX_DIGITS: Final = 16
_HEX: Final = b"0123456789abcdefABCDEF"
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED: Final = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+"'
_EXTENSIONS: Final = re.compile(
    rb"(?:[ \t]*+;[ \t]*+" + _TOKEN + rb"(?:[ \t]*=[ \t]*+(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?)++"
)
_NOT_IN_TRAILERS: Final = (
    HOP_BY_HOP
    | frozenset(BITS)
    | {
        b"accept-charset",
        b"accept-language",
        b"age",
        b"allow",
        b"alt-svc",
        b"content-disposition",
        b"content-language",
        b"content-location",
        b"content-range",
        b"expires",
        b"last-modified",
        b"max-forwards",
        b"pragma",
        b"proxy",
        b"proxy-authentication-info",
        b"authentication-info",
        b"vary",
        b"warning",
        b"www-authenticate",
    }
)
"""Framing, routing, modifiers, authentication, control data, content format (RFC 9110 §6.5.1)."""
