"""Request heads: one pass that checks, frames and sorts (RFC 9112 §3, §5, §6)."""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import ProtocolError
from gateway.http.fields import TOKEN_OCTETS, without
from gateway.http.known import (
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    DROPPED_FROM_REQUESTS,
    EXPECT,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
)
from gateway.http.message import Framing, RequestHead
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
from gateway.protocol.http1_target import is_origin_form, read_hostname, read_other_target


def parse_request(data: bytes, limits: HeadLimits) -> RequestHead | None:
    """Read the request head at the start of `data`.

    Args:
        data: Octets from the first one of the request line; what follows the head is not looked at.
        limits: What the head may weigh.

    Returns:
        The head, or None while the blank line is still missing.

    Raises:
        ProtocolError: 400, 405, 414, 417, 431, 501 or 505; nothing of `data` may be used then.

    Source: RFC 9112 §2 to §6, §11; RFC 9110 §5, §7.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        _check_unfinished(data, limits)
        return None
    raw = data[: end + 2]
    lines = split_lines(raw)
    if not lines:
        raise ProtocolError(octet_error(raw))
    request_line = lines.pop(0)
    method, target, version = _read_request_line(request_line, limits)
    if end - len(request_line) > limits.size or len(lines) > limits.count:
        raise _too_large(limits)
    block, known, special = sort_fields(lines, _names)
    host = special.get(HOST)
    if host:
        hostname = read_hostname(host)
    else:
        host = hostname = _without_host(version, host)
    if not is_origin_form(target):
        target, authority = read_other_target(method, target)
        if authority:
            host, hostname = authority, read_hostname(authority)

    framing, length = _NONE, 0
    if known & _FRAMING_FIELDS:
        framing, length = _read_framing(version, special)
    expects_continue = False
    if known & _CHECKED_FIELDS:
        _check_fields(special)
        expects_continue = bool(known & EXPECT) and version == 1 and framing is not _NONE
    keep_alive = version == 1
    upgrade = b""
    if known & CONNECTION:
        options = connection_options(special[CONNECTION])
        keep_alive = not options.close and (keep_alive or options.keep_alive)
        if options.upgrade and version == 1 and framing is _NONE:
            upgrade = special.get(UPGRADE, b"").replace(b"\n", b",").lower()
        if options.named:
            block = without(block, options.named)
    return RequestHead(
        method,
        target,
        version,
        host,
        hostname,
        raw,
        block,
        known,
        framing,
        length,
        keep_alive,
        upgrade,
        expects_continue,
        end + 4,
    )


def skip_blank_lines(data: bytes) -> bytes:
    """Drop the empty lines that old clients send before a request line: whole CRLFs only. Source: RFC 9112 §2.2."""
    found = _BLANK_LINES.match(data)
    return data[found.end() :] if found else data


def _read_request_line(line: bytes, limits: HeadLimits) -> tuple[bytes, bytes, int]:
    """Split a request line into method, target and minor version. Source: RFC 9112 §3, §3.1, §2.3."""
    if len(line) > limits.line:
        raise _too_long(limits)
    parts = line.split(b" ")
    if len(parts) != 3:
        raise ProtocolError("request line is not three words (RFC 9112 §3)")
    method, target, version_text = parts
    version = _VERSIONS.get(version_text)
    if version is None:
        raise _version_error(version_text)
    if method not in _METHODS:
        _check_method(method)
    return method, target, version


def _without_host(version: int, host: bytes | None) -> bytes:
    """Let only an HTTP/1.0 request without a Host field pass. Source: RFC 9112 §3.2."""
    if version == 1 or host is not None:
        raise ProtocolError("no Host, or an empty one (RFC 9112 §3.2)")
    return b""


def _read_framing(version: int, special: dict[int, bytes]) -> tuple[Framing, int]:
    """Say how the content ends, and how long it is. Source: RFC 9112 §6.1 to §6.3."""
    coding = special.get(TRANSFER_ENCODING)
    length = special.get(CONTENT_LENGTH)
    if coding is None:
        return _LENGTH, content_length(length or b"")
    if length is not None:
        raise ProtocolError("content-length and transfer-encoding both present (RFC 9112 §6.3)")
    if version == 0:
        raise ProtocolError("transfer-encoding in HTTP/1.0 (RFC 9112 §6.1)")
    coding = coding.lower()
    if coding == b"chunked":
        return _CHUNKED, 0
    if _OTHER_CODING.fullmatch(coding):
        raise ProtocolError("unknown transfer coding (RFC 9112 §6.1)", 501)
    raise ProtocolError("transfer-encoding is not chunked, once and last (RFC 9112 §6.1, §6.3)")


def _check_fields(special: dict[int, bytes]) -> None:
    """Refuse what nobody can meet, and credentials of which each reader could choose others."""
    if b"\n" in special.get(AUTHORIZATION, b""):
        raise ProtocolError("more than one Authorization (RFC 9110 §5.3, §11.6.2)")
    expectations = special.get(EXPECT, b"100-continue").split(b"\n")
    if any(one.lower() != b"100-continue" for one in expectations):
        raise ProtocolError("unknown expectation (RFC 9110 §10.1.1)", 417)


def _check_method(method: bytes) -> None:
    if not method or method.translate(None, TOKEN_OCTETS):
        raise ProtocolError("method is not a token (RFC 9112 §3.1)")
    if method == b"CONNECT":
        raise ProtocolError("CONNECT is not for a gateway (RFC 9110 §9.3.6)", 405)
    if method == b"TRACE":
        raise ProtocolError("TRACE is not allowed (RFC 9110 §9.3.8)", 405)


def _version_error(version: bytes) -> ProtocolError:
    if _VERSION.fullmatch(version):
        return ProtocolError("not HTTP/1.0 or 1.1 (RFC 9110 §2.5)", 505)
    return ProtocolError("malformed HTTP version (RFC 9112 §2.3)")


def _check_unfinished(data: bytes, limits: HeadLimits) -> None:
    """Refuse as early as possible what no further octet can mend."""
    line, line_end, fields = data.partition(b"\r\n")
    if len(line.removesuffix(b"\r")) > limits.line:
        raise _too_long(limits)
    if len(fields.removesuffix(b"\r").removesuffix(b"\r\n")) > limits.size:
        raise _too_large(limits)
    if has_certain_error(data):
        raise ProtocolError(octet_error(data.removesuffix(b"\r")))
    if line_end:
        _read_request_line(line, limits)


def _too_long(limits: HeadLimits) -> ProtocolError:
    return ProtocolError(f"request line over {limits.line} octets (RFC 9110 §15.5.15)", 414)


def _too_large(limits: HeadLimits) -> ProtocolError:
    return ProtocolError(f"header over {limits.size} octets or {limits.count} fields (RFC 6585 §5)", 431)


_NONE: Final = Framing.NONE  # once, for an attribute of an Enum costs several times a global
_LENGTH: Final = Framing.LENGTH
_CHUNKED: Final = Framing.CHUNKED
_CHECKED_FIELDS: Final = AUTHORIZATION | EXPECT
_FRAMING_FIELDS: Final = CONTENT_LENGTH | TRANSFER_ENCODING
_BLANK_LINES: Final = re.compile(rb"(?:\r\n)+")
_VERSION: Final = re.compile(rb"HTTP/[0-9]\.[0-9]")
_VERSIONS: Final = {b"HTTP/1.1": 1, b"HTTP/1.0": 0}
_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"})
_OTHER_CODING: Final = re.compile(rb"(?:(?!chunked[ \t]*,)[a-z0-9-]+[ \t]*,[ \t]*)+chunked")
_names: Final = FieldNames(DROPPED_FROM_REQUESTS)
