"""The access log: one line per exchange, gathered and written out by a timer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from time import gmtime, strftime
from typing import TYPE_CHECKING, Literal

from gateway.units import Seconds

if TYPE_CHECKING:
    from gateway.web.request import Request

Format = Literal["combined", "json"]
CLIENT_GONE = 499


class AccessLog:
    """Formats finished exchanges and hands them on in pieces.

    Args:
        write: Takes whole lines.
        wall_clock: Seconds since 1970.
        form: `combined` (with host, request id, times, upstream and reason behind the usual fields) or `json`.
        limit: Lines gathered before they are written without waiting for the timer.
        skip: Paths whose requests are not logged; one that ends with `*` is a prefix.
    """

    __slots__ = (
        "_form",
        "_limit",
        "_lines",
        "_second",
        "_skipped",
        "_skipped_prefixes",
        "_stamp",
        "_wall_clock",
        "_write",
    )

    def __init__(
        self,
        write: Callable[[bytes], object],
        wall_clock: Callable[[], Seconds],
        form: Format = "combined",
        limit: int = 200,
        skip: Sequence[str] = (),
    ) -> None:
        self._write = write
        self._wall_clock = wall_clock
        self._form: Callable[[Request], bytes] = self._json if form == "json" else self._combined
        self._limit = limit
        self._lines: list[bytes] = []
        self._second = -1
        self._stamp = b""
        paths = [path.encode("utf-8") for path in skip]
        self._skipped = frozenset(path for path in paths if not path.endswith(b"*"))
        self._skipped_prefixes = tuple(path[:-1] for path in paths if path.endswith(b"*"))

    def exchange_finished(self, request: Request) -> None:
        """Add the line of an exchange, unless its path is skipped."""
        if (self._skipped or self._skipped_prefixes) and self._skips(request.head.target):
            return
        self._lines.append(self._form(request))
        if len(self._lines) >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Write out what was gathered."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(b"".join(lines))

    def _skips(self, target: bytes) -> bool:
        path = target.partition(b"?")[0]
        return path in self._skipped or path.startswith(self._skipped_prefixes)

    def _combined(self, request: Request) -> bytes:
        head = request.head
        second = int(self._wall_clock())
        if second != self._second:
            self._second = second
            self._stamp = strftime("%d/%b/%Y:%H:%M:%S +0000", gmtime(second)).encode("ascii")
        referer, agent = _quoted_fields(head.raw)
        error = request.error
        return b'%b - - [%b] "%b %b %b" %d %d "%b" "%b" %b %b %d %b %b\n' % (
            request.client.encode("ascii", "replace") or b"-",
            self._stamp,
            head.method or b"-",
            _escape(_mask(head.target)) or b"-",
            _VERSIONS.get(head.version, b"HTTP/1.1"),
            status_of(request),
            request.bytes_out,
            referer or b"-",
            agent or b"-",
            head.hostname or b"-",
            request.id_line[14:-2],
            (request.finished - request.received) * 1000,
            request.upstream_name.encode("ascii", "replace") or b"-",
            error.reason.encode("ascii") if error is not None else b"-",
        )

    def _json(self, request: Request) -> bytes:
        head = request.head
        referer, agent = _quoted_fields(head.raw)
        error = request.error
        line = {
            "time": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(self._wall_clock())),
            "request_id": request.id_line[14:-2].decode("ascii"),
            "client": request.client,
            "host": head.hostname.decode("latin-1"),
            "method": head.method.decode("latin-1"),
            "path": _mask(head.target).decode("latin-1"),
            "proto": _VERSIONS.get(head.version, b"HTTP/1.1").decode("ascii"),
            "status": status_of(request),
            "bytes_in": request.bytes_in,
            "bytes_out": request.bytes_out,
            "ms": round((request.finished - request.received) * 1000, 2),
            "upstream": request.upstream_name,
            "upstream_ms": _between(request.leased, request.first_byte),
            "retries": request.retries,
            "reason": error.reason if error is not None else "",
            "tls": request.secure,
            "site": request.location.site,
            "referer": referer.decode("latin-1"),
            "user_agent": agent.decode("latin-1"),
        }
        return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def _between(start: float, end: float) -> float | None:
    """Tell milliseconds between two moments; None where one of them never came."""
    return round((end - start) * 1000, 2) if start and end else None


def status_of(request: Request) -> int:
    """Tell the status to log: what was sent, or 499 where the client left before its answer."""
    return request.status or CLIENT_GONE


def _quoted_fields(raw: bytes) -> tuple[bytes, bytes]:
    referer = agent = b""
    for name, value in _LOGGED.findall(raw):
        if name[:1] in b"Rr":
            referer = referer or _escape(_mask(value))
        else:
            agent = agent or _escape(value)
    return referer, agent


def _escape(text: bytes) -> bytes:
    """Make text safe between quotation marks, whatever reads the log."""
    if text.translate(None, _HARMLESS):
        return _HARMFUL.sub(lambda found: b"\\x%02x" % found[0][0], text)
    return text


def _mask(target: bytes) -> bytes:
    """Hide the values of query parameters that carry secrets."""
    return _SECRET.sub(rb"\1***", target) if b"?" in target else target


_LOGGED = re.compile(rb"\r\n((?i:referer|user-agent)):[ \t]*([^\r]*)")
_HARMLESS = bytes(octet for octet in range(32, 127) if octet not in b'"\\')
_HARMFUL = re.compile(rb'[^\x20-\x7e]|["\\]')
_SECRET = re.compile(
    rb"(?i)([?&;](?:[a-z0-9_.%\[\]-]*(?:token|key|password|secret)(?:\]|%5d)?|code|signature|_csrf)=)[^&;# ]*"
)
_VERSIONS = {0: b"HTTP/1.0", 1: b"HTTP/1.1", 20: b"HTTP/2.0", 30: b"HTTP/3.0"}
