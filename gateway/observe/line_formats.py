"""What the lines of the access log look like, octet by octet; `_line_formats` makes the same in C.

Whatever stands between quotation marks is harmless already. Referer, User-Agent and the target are empty where they
are absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.web.request import Request


def combined(
    request: Request,
    stamp: bytes,
    target: bytes,
    referer: bytes,
    agent: bytes,
    upstream: bytes,
    socket: tuple[bytes, bytes] | None,
    reason: bytes,
) -> bytes:
    """Write a line of the combined format of Apache and nginx; what they do not have follows as `name=value`.

    Args:
        request: An exchange that is over, or a WebSocket that has just been opened.
        stamp: The time.
        target: Request target.
        referer: The field's value.
        agent: The value of User-Agent.
        upstream: Who answered; empty for nobody.
        socket: What a WebSocket does, and its close code; None where there is none.
        reason: What ended the exchange, if it went wrong.
    """
    head = request.head
    ended = request.finished or request.first_byte
    kind, code = socket or _NO_SOCKET
    return (
        b'%b - - [%b] "%.32b %b %b" %d %d "%b" "%b" host=%b id=%b in=%d ms=%.2f upstream=%b upstream_ms=%b '
        b"retries=%d held_ms=0 socket=%b code=%b tls=%b reason=%b\n"
    ) % (
        request.client.encode("ascii", "replace") or b"0.0.0.0",
        stamp,
        head.method or b"-",
        target or b"-",
        _VERSIONS[head.version] if head.method else b"-",
        request.status or CLIENT_GONE,
        request.bytes_out,
        referer or b"-",
        agent or b"-",
        head.hostname or b"-",
        request.id_line[14:-2],
        request.bytes_in,
        (ended - request.received) * 1000,
        upstream or b"-",
        _upstream_milliseconds(request, upstream) or b"-",
        request.retries,
        kind,
        code,
        b"yes" if request.secure else b"-",
        reason or b"-",
    )


def json(
    request: Request,
    stamp: bytes,
    target: bytes,
    referer: bytes,
    agent: bytes,
    upstream: bytes,
    socket: tuple[bytes, bytes] | None,
    reason: bytes,
    site: bytes,
) -> bytes:
    """Write a line that is a JSON object, always with the same keys.

    Args, beside those of `combined`:
        site: The site's name.
    """
    head = request.head
    ended = request.finished or request.first_byte
    kind, code = socket or _NO_JSON_SOCKET
    return (
        b'{"time":"%b","request_id":"%b","client":"%b","host":"%b","method":"%.32b","path":"%b","proto":"%b",'
        b'"status":%d,"bytes_in":%d,"bytes_out":%d,"ms":%.2f,"upstream":"%b","upstream_ms":%b,"retries":%d,'
        b'"held_ms":0,"socket":"%b","code":%b,"tls":%b,"reason":"%b","site":"%b","referer":"%b","user_agent":"%b"}\n'
    ) % (
        stamp,
        request.id_line[14:-2],
        request.client.encode("ascii", "replace"),
        head.hostname,
        head.method,
        target,
        _VERSIONS[head.version] if head.method else b"",
        request.status or CLIENT_GONE,
        request.bytes_in,
        request.bytes_out,
        (ended - request.received) * 1000,
        upstream,
        _upstream_milliseconds(request, upstream) or b"null",
        request.retries,
        kind,
        code,
        b"true" if request.secure else b"false",
        reason,
        site,
        referer,
        agent,
    )


def usual_field(raw: bytes, name: bytes) -> bytes:
    """Find the value of a field that is spelled as `name` and has one space before its value; empty where none is.

    Args:
        raw: The start line and field lines, each ending in CRLF.
        name: The field's name.
    """
    return raw.partition(b"\r\n" + name + b": ")[2].partition(b"\r")[0]


def is_plain(target: bytes) -> bool:
    """Tell whether a request target can stand in a line as it is: short, harmless, and without parameters."""
    return len(target) <= _MAX_PLAIN and target.translate(_SIEVE) == target


def _upstream_milliseconds(request: Request, upstream: bytes) -> bytes:
    answered = upstream and request.first_byte
    return b"%.2f" % ((request.first_byte - request.leased) * 1000) if answered else b""


CLIENT_GONE: Final = 499
HARMLESS: Final = bytes(octet for octet in range(32, 127) if octet not in b'"\\')
PLAIN: Final = bytes(octet for octet in HARMLESS if octet not in b"?#=@")
_SIEVE: Final = bytes(octet if octet in PLAIN else ord("-") for octet in range(256))
_MAX_PLAIN: Final = 50  # a longer one may have a secret in its path
_NO_SOCKET: Final = (b"-", b"-")
_NO_JSON_SOCKET: Final = (b"", b"null")
_VERSIONS: Final = {0: b"HTTP/1.0", 1: b"HTTP/1.1", 20: b"HTTP/2.0", 30: b"HTTP/3.0"}
