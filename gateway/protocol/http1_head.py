"""HTTP/1.1 heads: one pass that checks, frames and sorts the field lines (RFC 9112).

Plain Python; every function takes bytes and answers heads, and raises where the RFC leaves a doubt about what was
meant. Strict on both sides: whatever two parsers could read differently is refused.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import ProtocolError, ResponseHeaderTooLarge, ResponseInvalid
from gateway.http.fields import TOKEN_OCTETS, split_list, without
from gateway.http.known import (
    BITS,
    CONNECTION,
    CONTENT_LENGTH,
    DROPPED_FROM_REQUESTS,
    DROPPED_FROM_RESPONSES,
    FORWARDING_NAMES,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
)
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.protocol.http1_fields import HeadLimits

__all__ = ["HeadLimits", "parse_request", "parse_response"]


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
    lines = raw.split(b"\r\n")
    line_ends = len(lines) - 1
    if len(raw.translate(None, _VISIBLE)) != 2 * line_ends:
        raise _octet_error(raw)
    request_line = lines[0]
    if len(request_line) > limits.line:
        raise ProtocolError(f"request line over {limits.line} octets", 414)
    if end - len(request_line) > limits.size or line_ends - 1 > limits.count:
        raise ProtocolError(f"header over {limits.size} octets or {limits.count} fields", 431)
    parts = request_line.split(b" ")
    if len(parts) != 3:
        raise ProtocolError("request line is not three words (RFC 9112 §3)")
    method, target, version_text = parts
    version = _VERSIONS.get(version_text)
    if version is None:
        raise _version_error(version_text)
    if method not in _METHODS:
        _check_method(method)

    host = b""
    known = content_length = 0
    framing = Framing.NONE
    keep_alive = version == 1
    upgrade = connection = b""
    expects_continue = False
    kept = []
    for index in range(1, line_ends):
        line = lines[index]
        name, colon, value = line.partition(b":")
        code = _request_codes.get(name)
        if code is None or not colon:
            code = _learn(name, colon, _request_codes, DROPPED_FROM_REQUESTS)
        if code:
            if code & _SPECIAL:
                value = value.strip(b" \t")
                if code & HOST:
                    if known & HOST:
                        raise ProtocolError("more than one Host (RFC 9112 §3.2)")
                    host = value
                elif code & CONNECTION:
                    connection = connection + b"," + value if connection else value
                elif code & CONTENT_LENGTH:
                    length = _content_length(value)
                    if known & CONTENT_LENGTH and length != content_length:
                        raise ProtocolError("several unequal Content-Length (RFC 9112 §6.3)")
                    content_length = length
                    framing = Framing.LENGTH
                elif code & TRANSFER_ENCODING:
                    if known & TRANSFER_ENCODING:
                        raise ProtocolError("more than one Transfer-Encoding (RFC 9112 §6.1)")
                    _check_transfer_encoding(value)
                elif code & UPGRADE:
                    upgrade = upgrade + b"," + value if upgrade else value
                else:
                    if value.lower() != b"100-continue":
                        raise ProtocolError("unknown expectation (RFC 9110 §10.1.1)", 417)
                    expects_continue = version == 1
            known |= code
            if code & _DROP:
                continue
        kept.append(line)

    if known & TRANSFER_ENCODING:
        if known & CONTENT_LENGTH:
            raise ProtocolError("content-length and transfer-encoding both present (RFC 9112 §6.3)")
        if version == 0:
            raise ProtocolError("transfer-encoding in HTTP/1.0 (RFC 9112 §6.1)")
        framing = Framing.CHUNKED
    if target[:1] != b"/" or target.translate(None, _TARGET):
        target, host = _other_target(method, target, host)
    if version == 0 and expects_continue:
        expects_continue = False
    hostname = _hostnames.get(host)
    if hostname is None:
        hostname = _hostname(host, version, bool(known & HOST))
    elif version == 1 and not known & HOST:
        raise ProtocolError("no Host (RFC 9112 §3.2)")
    kept.append(b"")
    block = b"\r\n".join(kept)
    if connection:
        options = _options(connection)
        keep_alive = b"close" not in options and (version == 1 or b"keep-alive" in options)
        if not (version == 1 and b"upgrade" in options):
            upgrade = b""
        named = options - _CONNECTION_OPTIONS
        if named:
            block = without(block, named)
    else:
        upgrade = b""
    return RequestHead(
        method,
        target,
        version,
        host,
        hostname,
        raw,
        block,
        known & _MASK,
        framing,
        content_length,
        keep_alive,
        upgrade.lower(),
        expects_continue,
        end + 4,
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
        _check_unfinished_response(data, limits)
        return None
    raw = data[: end + 2]
    lines = raw.split(b"\r\n")
    line_ends = len(lines) - 1
    if len(raw.translate(None, _VISIBLE)) != 2 * line_ends:
        raise ResponseInvalid("forbidden octet, bare CR or bare LF in the head (RFC 9112 §2.2)")
    if end > limits.size or line_ends - 1 > limits.count:
        raise ResponseHeaderTooLarge(f"response header over {limits.size} octets or {limits.count} fields")
    status_line = lines[0]
    keep_alive = status_line[:9] == b"HTTP/1.1 "
    status = _STATUS.get(status_line[9:12])
    if status is None or status_line[12:13].strip(b" ") or not (keep_alive or status_line[:9] == b"HTTP/1.0 "):
        raise ResponseInvalid(f"status line {status_line[:40]!r} (RFC 9112 §4)")

    known = 0
    content_length: int | None = None
    upgrade = connection = b""
    kept = []
    for index in range(1, line_ends):
        line = lines[index]
        name, colon, value = line.partition(b":")
        code = _response_codes.get(name)
        if code is None or not colon:
            try:
                code = _learn(name, colon, _response_codes, DROPPED_FROM_RESPONSES)
            except ProtocolError as error:
                raise ResponseInvalid(str(error)) from None
        if code:
            if code & _SPECIAL:
                value = value.strip(b" \t")
                if code & CONTENT_LENGTH:
                    try:
                        length = _content_length(value)
                    except ProtocolError as error:
                        raise ResponseInvalid(str(error)) from None
                    if known & CONTENT_LENGTH and length != content_length:
                        raise ResponseInvalid("several unequal Content-Length (RFC 9112 §6.3)")
                    content_length = length
                elif code & CONNECTION:
                    connection = connection + b"," + value if connection else value
                elif code & TRANSFER_ENCODING:
                    if known & TRANSFER_ENCODING or value.lower() != b"chunked":
                        raise ResponseInvalid("transfer-encoding is not chunked (RFC 9112 §6.1)")
                elif code & UPGRADE:
                    upgrade = value
            known |= code
            if code & _DROP:
                continue
        kept.append(line)

    framing = _response_framing(status, method, known, content_length, keep_alive)
    kept.append(b"")
    block = b"\r\n".join(kept)
    if connection:
        options = _options(connection)
        keep_alive = b"close" not in options and (keep_alive or b"keep-alive" in options)
        named = options - _CONNECTION_OPTIONS
        if named:
            block = without(block, named)
    return ResponseHead(
        status,
        status_line[13:],
        block,
        known & _MASK,
        framing,
        content_length,
        keep_alive and framing is not Framing.CLOSE,
        upgrade.lower(),
        end + 4,
    )


def _response_framing(status: int, method: bytes, known: int, content_length: int | None, http11: bool) -> Framing:
    """Choose how the content ends. Source: RFC 9112 §6.3."""
    if known & TRANSFER_ENCODING:
        if content_length is not None:
            raise ResponseInvalid("content-length and transfer-encoding both present (RFC 9112 §6.3)")
        if not http11:
            raise ResponseInvalid("transfer-encoding in HTTP/1.0 (RFC 9112 §6.1)")
    if status < 200 or status in (204, 304) or method == b"HEAD":
        return Framing.NONE
    if known & TRANSFER_ENCODING:
        return Framing.CHUNKED
    if content_length is not None:
        return Framing.LENGTH
    return Framing.CLOSE


def _learn(name: bytes, colon: bytes, codes: dict[bytes, int], dropped: frozenset[bytes]) -> int:
    """Check a field name not met before and remember its code, up to a bound.

    Names with an underscore that would collide with a forwarding field once hyphens and underscores are folded, as
    CGI-like servers do, are dropped.
    """
    if not colon:
        raise ProtocolError("field line without a colon (RFC 9112 §5)")
    if not name or name.translate(None, TOKEN_OCTETS):
        raise ProtocolError("field name is not a token, or white space around it (RFC 9112 §5.1, §5.2)")
    lower = name.lower()
    code = BITS.get(lower, 0)
    if lower in dropped or (b"_" in lower and lower.replace(b"_", b"-") in _IDENTITY):
        code |= _DROP
    if lower in _SPECIAL_NAMES:
        code |= _SPECIAL
    if len(codes) < _REMEMBERED_NAMES:
        codes[name] = code
    return code


def _content_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise ProtocolError("Content-Length is not a number (RFC 9112 §6.2)")
    return int(value)


def _check_transfer_encoding(value: bytes) -> None:
    codings = split_list(value.lower())
    if codings == [b"chunked"]:
        return
    if codings and codings[-1] == b"chunked" and b"chunked" not in codings[:-1]:
        raise ProtocolError("unknown transfer coding (RFC 9112 §6.1)", 501)
    raise ProtocolError("transfer-encoding does not end in chunked (RFC 9112 §6.3)")


def _options(connection: bytes) -> frozenset[bytes]:
    options = _connection_options.get(connection)
    if options is None:
        options = frozenset(split_list(connection.lower()))
        if len(_connection_options) < _REMEMBERED_NAMES:
            _connection_options[connection] = options
    return options


def _hostname(host: bytes, version: int, present: bool) -> bytes:
    """Check an authority and fold it to the name that sites are found by; remember it, up to a bound.

    Source: RFC 9110 §7.2; RFC 3986 §3.2.2; FEATURES: compare without port and one trailing dot.
    """
    if not host:
        if version == 1 or present:
            raise ProtocolError("no Host, or an empty one (RFC 9112 §3.2)")
        return b""
    found = _HOST.fullmatch(host)
    if found is None:
        raise ProtocolError(f"invalid Host {host[:80]!r} (RFC 9112 §3.2)")
    hostname = found[1].lower().removesuffix(b".")
    if len(_hostnames) < _REMEMBERED_HOSTS:
        _hostnames[host] = hostname
    return hostname


def _other_target(method: bytes, target: bytes, host: bytes) -> tuple[bytes, bytes]:
    """Read a target that is not in origin-form: its path and query, and the authority that holds.

    Source: RFC 9112 §3.2.
    """
    if target.translate(None, _TARGET):
        raise ProtocolError("forbidden octet in the request target (RFC 9112 §3.2)")
    if method == b"CONNECT":
        raise ProtocolError("CONNECT is not for a gateway (RFC 9110 §9.3.6)", 405)
    if target == b"*" and method == b"OPTIONS":
        return target, host
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise ProtocolError("request target in no known form (RFC 9112 §3.2)")
    authority, rest = found[1], found[2]
    if not rest.startswith(b"/"):
        rest = b"*" if method == b"OPTIONS" and not rest else b"/" + rest
    return rest, authority


def _check_method(method: bytes) -> None:
    if not method or method.translate(None, TOKEN_OCTETS):
        raise ProtocolError("method is not a token (RFC 9112 §3.1)")
    if method == b"TRACE":
        raise ProtocolError("TRACE is not allowed (RFC 9110 §9.3.8)", 405)


def _version_error(version: bytes) -> ProtocolError:
    if re.fullmatch(rb"HTTP/\d\.\d", version):
        return ProtocolError("not HTTP/1.0 or 1.1 (RFC 9110 §2.5)", 505)
    return ProtocolError("malformed HTTP version (RFC 9112 §2.3)")


def _octet_error(raw: bytes) -> ProtocolError:
    if raw.replace(b"\r\n", b"").translate(None, _VISIBLE).strip(b"\r\n"):
        return ProtocolError("forbidden control octet in the head (RFC 9110 §5.5)")
    return ProtocolError("bare CR or bare LF in the head (RFC 9112 §2.2)")


def _check_unfinished(data: bytes, limits: HeadLimits) -> None:
    """Refuse as early as possible what no further octet can mend."""
    line_end = data.find(b"\r\n")
    line = len(data) if line_end < 0 else line_end
    if line > limits.line:
        raise ProtocolError(f"request line over {limits.line} octets", 414)
    if len(data) - line > limits.size:
        raise ProtocolError(f"header over {limits.size} octets", 431)
    if _certain_error(data):
        raise _octet_error(data.removesuffix(b"\r"))


def _check_unfinished_response(data: bytes, limits: HeadLimits) -> None:
    if len(data) > limits.size:
        raise ResponseHeaderTooLarge(f"response header over {limits.size} octets")
    if _certain_error(data):
        raise ResponseInvalid("forbidden octet, bare CR or bare LF in the head (RFC 9112 §2.2)")


def _certain_error(data: bytes) -> bool:
    data = data.removesuffix(b"\r")
    return len(data.translate(None, _VISIBLE)) != 2 * data.count(b"\r\n")


_DROP: Final = 1 << 40
_SPECIAL: Final = 1 << 41
_MASK: Final = _DROP - 1
_REMEMBERED_NAMES: Final = 2_000
_REMEMBERED_HOSTS: Final = 2_000
_SPECIAL_NAMES: Final = frozenset(
    {b"host", b"connection", b"content-length", b"transfer-encoding", b"upgrade", b"expect"}
)
_IDENTITY: Final = FORWARDING_NAMES | {b"x-request-id", b"x-client-cert", b"remote-user"}
_CONNECTION_OPTIONS: Final = frozenset({b"close", b"keep-alive", b"upgrade", b"te"})
_VERSIONS: Final = {b"HTTP/1.1": 1, b"HTTP/1.0": 0}
_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"CONNECT"})
_STATUS: Final = {b"%d" % status: status for status in range(100, 600)}
_VISIBLE: Final = bytes(octet for octet in range(256) if octet == 9 or (octet >= 32 and octet != 127))
_TARGET: Final = bytes(octet for octet in range(33, 127) if octet != ord("#"))
_HOST: Final = re.compile(
    rb"((?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?)"
    rb"|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{0,5})?"
)
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?@]+)([^@]*|[/?].*)")
_request_codes: dict[bytes, int] = {}
_response_codes: dict[bytes, int] = {}
_connection_options: dict[bytes, frozenset[bytes]] = {}
_hostnames: dict[bytes, bytes] = {}
