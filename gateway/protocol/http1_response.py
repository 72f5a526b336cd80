"""Response heads: one pass that checks, frames and sorts (RFC 9112 §4, §5, §6)."""

from __future__ import annotations

from typing import Final

from gateway.errors import ProtocolError, ResponseHeaderTooLarge, ResponseInvalid
from gateway.http.fields import without
from gateway.http.known import CONNECTION, CONTENT_LENGTH, DROPPED_FROM_RESPONSES, TRANSFER_ENCODING, UPGRADE
from gateway.http.message import Framing, ResponseHead, reason_phrase
from gateway.protocol.http1_fields import (
    FieldNames,
    HeadLimits,
    connection_options,
    content_length,
    has_certain_error,
    octet_error,
    sort_fields,
    split_lines,
)


def parse_response(data: bytes, limits: HeadLimits, method: bytes) -> ResponseHead | None:
    """Read the response head at the start of `data`.

    Args:
        data: Octets from the first one of the status line; what follows the head is not looked at.
        limits: What the head may weigh; the status line counts as a field line.
        method: The request's method, which decides whether content follows.

    Returns:
        The head, or None while the blank line is still missing.

    Raises:
        ResponseInvalid: The head is malformed or its framing ambiguous.
        ResponseHeaderTooLarge: It is over a limit.

    Source: RFC 9112 §2, §4 to §6; RFC 9110 §5, §15.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        _check_unfinished(data, limits)
        return None
    raw = data[: end + 2]
    lines = split_lines(raw)
    if not lines:
        raise ResponseInvalid(octet_error(raw))
    if end > limits.size or len(lines) - 1 > limits.count:
        raise _too_large(limits)
    status_line = lines.pop(0)
    status, version, reason = _USUAL_LINES.get(status_line) or _read_status_line(status_line)
    try:
        block, known, special = sort_fields(lines, _names)
        length = content_length(special[CONTENT_LENGTH]) if known & CONTENT_LENGTH else None
    except ProtocolError as error:
        raise ResponseInvalid(str(error)) from None
    if known & TRANSFER_ENCODING:
        _check_coding(special[TRANSFER_ENCODING], length, version)
    framing = _framing(status, method, known, length)
    keep_alive = version == 1
    upgrade = b""
    if known & CONNECTION:
        options = connection_options(special[CONNECTION])
        if options.upgrade and known & UPGRADE:
            upgrade = special[UPGRADE].replace(b"\n", b",").lower()
        keep_alive = not options.close and (keep_alive or options.keep_alive)
        if options.named:
            block = without(block, options.named)
    return ResponseHead(
        status,
        reason,
        block,
        known,
        framing,
        length,
        keep_alive and framing is not _CLOSE,
        upgrade,
        end + 4,
    )


def _read_status_line(line: bytes) -> tuple[int, int, bytes]:
    """Read status, minor version and reason phrase; that one may be missing, with its space. Source: RFC 9112 §4."""
    version = _VERSIONS.get(line[:9])
    status = _STATUS.get(line[9:12])
    if version is None or status is None or line[12:13] not in _AFTER_STATUS:
        raise ResponseInvalid(f"status line {line[:40]!r} (RFC 9112 §4)")
    return status, version, line[13:]


def _check_coding(coding: bytes, length: int | None, version: int) -> None:
    """Take no transfer coding but chunked, and it alone. Source: RFC 9112 §6.1, §6.3."""
    if coding.lower() != b"chunked":
        raise ResponseInvalid("transfer-encoding is not chunked (RFC 9112 §6.1)")
    if length is not None:
        raise ResponseInvalid("content-length and transfer-encoding both present (RFC 9112 §6.3)")
    if version == 0:
        raise ResponseInvalid("transfer-encoding in HTTP/1.0 (RFC 9112 §6.1)")


def _framing(status: int, method: bytes, known: int, length: int | None) -> Framing:
    """Say how the content ends. Source: RFC 9112 §6.3."""
    if status < 200 or status in (204, 304) or method == b"HEAD":
        return _NONE
    if known & TRANSFER_ENCODING:
        return _CHUNKED
    return _CLOSE if length is None else _LENGTH


def _check_unfinished(data: bytes, limits: HeadLimits) -> None:
    """Refuse as early as possible what no further octet can mend."""
    if len(data.removesuffix(b"\r").removesuffix(b"\r\n")) > limits.size:
        raise _too_large(limits)
    if has_certain_error(data):
        raise ResponseInvalid(octet_error(data.removesuffix(b"\r")))
    if data[:7] != b"HTTP/1."[: len(data)]:
        raise ResponseInvalid(f"no status line but {data[:40]!r} (RFC 9112 §4)")


def _too_large(limits: HeadLimits) -> ResponseHeaderTooLarge:
    return ResponseHeaderTooLarge(f"response header over {limits.size} octets or {limits.count} fields")


_NONE: Final = Framing.NONE  # once, for an attribute of an Enum costs several times a global
_LENGTH: Final = Framing.LENGTH
_CHUNKED: Final = Framing.CHUNKED
_CLOSE: Final = Framing.CLOSE
_VERSIONS: Final = {b"HTTP/1.1 ": 1, b"HTTP/1.0 ": 0}
_STATUS: Final = {b"%d" % status: status for status in range(100, 600)}
_AFTER_STATUS: Final = frozenset({b"", b" "})
_USUAL_LINES: Final = {
    line: _read_status_line(line)
    for line in (b"HTTP/1.1 %d %b" % (status, reason_phrase(status)) for status in range(200, 600))
}
_names: Final = FieldNames(DROPPED_FROM_RESPONSES)
