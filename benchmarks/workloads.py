"""The table of workloads: one entry each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks import checks
from benchmarks.backend import LARGE, pattern
from benchmarks.files import LARGE_FILE, MEDIUM, MEDIUM_FILE, PART, SMALL_FILE, part_of_large
from benchmarks.load import Load, Target, handshakes, http, native, unusual
from benchmarks.measure import Idle, Requests, Workload


def _http(
    name: str,
    title: str,
    connections: int,
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    status: int = 200,
    answer: bytes,
    tls: bool = False,
    fields: Mapping[str, str] | None = None,
    version: int = 1,
) -> Requests:
    def load(target: Target, seconds: int) -> Load:
        length = len(answer)
        return http(target, seconds, connections, method, path, body, length, tls=tls, fields=fields, version=version)

    def check(target: Target) -> None:
        checks.answers(target, method, path, body, status, answer, tls=tls, fields=fields)

    return Requests(name, title, load, check)


def _unusual(name: str, title: str, mode: str, method: str, connections: int = 64) -> Requests:
    def load(target: Target, seconds: int) -> Load:
        return unusual(target, seconds, connections, mode, method, "/small", len(checks.SMALL))

    def check(target: Target) -> None:
        checks.answers(target, method, "/small", b"", 200, b"" if method == "HEAD" else checks.SMALL)

    return Requests(name, title, load, check)


def _file(
    name: str,
    title: str,
    path: str,
    *,
    fields: Callable[[Target], Mapping[str, str]] = lambda _: {},
    status: int = 200,
    answer: bytes,
) -> Requests:
    def load(target: Target, seconds: int) -> Load:
        return http(target, seconds, 64, "GET", path, b"", len(answer), fields=fields(target))

    def check(target: Target) -> None:
        checks.answers(target, "GET", path, b"", status, answer, fields=fields(target))

    return Requests(name, title, load, check, static=True)


def _native(name: str, title: str, connections: int, mode: str, amount: int) -> Requests:
    def load(target: Target, seconds: int) -> Load:
        return native(target, seconds, connections, mode, amount)

    return Requests(name, title, load, checks.answers_small if mode == "download" else _opens)


def _full_handshakes(target: Target, seconds: int) -> Load:
    return handshakes(target, seconds, 4, resumed=False)


def _resumed_handshakes(target: Target, seconds: int) -> Load:
    return handshakes(target, seconds, 4, resumed=True)


def _download(target: Target, seconds: int) -> Load:
    return native(target, seconds, 1, "download", LARGE)


def _opens(target: Target) -> None:
    native(target, 1, 1, "open", 10)


_KNOWN = {"If-None-Match": '"1024"'}

_OPENINGS = 2000
"""In one turn at most: more would use up the ports of connections that linger in TIME-WAIT."""

_OPEN_SOCKETS = 9_900
"""Each takes two descriptors of a contender, and 20,000 are a common limit."""

_ALL: tuple[Workload, ...] = (
    _http("small", "small request, c=64", 64, "/small", answer=checks.SMALL),
    _http("small-8", "small request, c=8", 8, "/small", answer=checks.SMALL),
    _http("small-1", "small request, c=1", 1, "/small", answer=checks.SMALL),
    _http("post", "POST 10 KB, c=64", 64, "/upload", method="POST", body=pattern(10 * 1024), status=204, answer=b""),
    _http("chunked", "chunked answer of 20 KB, c=64", 64, "/chunked", answer=pattern(20 * 1024)),
    _unusual("head", "HEAD, c=64", "head", "HEAD"),
    _http(
        "http10",
        "small request in HTTP/1.0, kept alive, c=64",
        64,
        "/small",
        answer=checks.SMALL,
        fields={"Connection": "keep-alive"},
        version=0,
    ),
    _unusual("pipelined", "four small requests in one write, c=16", "four", "GET", 16),
    _unusual("split-head", "small request whose head comes in two packets, c=64", "split", "GET"),
    _http("not-modified", "304 of the application, c=64", 64, "/tagged", status=304, answer=b"", fields=_KNOWN),
    _http("tls", "small request over TLS, keep-alive, c=64", 64, "/small", answer=checks.SMALL, tls=True),
    Requests("tls-new", "full TLS handshake and a small request, c=4", _full_handshakes, checks.answers_small),
    Requests(
        "tls-resumed", "resumed TLS handshake and a small request, c=4", _resumed_handshakes, checks.answers_small
    ),
    _native("large", "answer of 50 MB, c=1", 1, "download", LARGE),
    _native("ws-64", "WebSocket round trip 64 B, c=32", 32, "echo", 64),
    _native("ws-16k", "WebSocket round trip 16 KB, c=32", 32, "echo", 16 * 1024),
    _native("ws-open", "opening and closing a WebSocket, c=8", 8, "open", _OPENINGS),
    _file("static", "file of 1 KB, c=64", SMALL_FILE, answer=checks.SMALL),
    _file("static-304", "file not modified, c=64", SMALL_FILE, fields=checks.known_etag, status=304, answer=b""),
    _file("static-100k", "file of 100 KB, c=64", MEDIUM_FILE, answer=pattern(MEDIUM)),
    _file(
        "static-range",
        "range of 100 KB of 50 MB, c=64",
        LARGE_FILE,
        fields=lambda _: PART,
        status=206,
        answer=part_of_large(),
    ),
    Requests("static-50m", "file of 50 MB, c=1", _download, checks.answers_small_file, static=True),
    Idle("idle", "memory per idle connection, 10,000 of them", checks.open_keep_alive, checks.ask_again, 10_000),
    Idle("idle-ws", "memory per idle WebSocket, 9,900 of them", checks.open_websocket, checks.ping_pong, _OPEN_SOCKETS),
)

WORKLOADS = {workload.name: workload for workload in _ALL}
