"""What must hold before and after anything is measured: the contender does the whole task, and answers rightly."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping

from benchmarks.backend import LARGE, pattern
from benchmarks.certificate import LOCAL
from benchmarks.contenders.base import ADDED_FIELDS, KEPT, SITES
from benchmarks.files import LARGE_FILE, MEDIUM, MEDIUM_FILE, PART, SMALL_FILE, part_of_large
from benchmarks.load import Target, request_text
from benchmarks.process import BenchmarkError

SMALL = pattern(1024)

_TIME = 10.0
_HANDSHAKE = (
    "GET /socket HTTP/1.1\r\nHost: {site}\r\nOrigin: http://{site}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def does_its_task(target: Target) -> None:
    """Check that forwarded fields reach the application, added ones the client, and a line the access log.

    Args:
        target: Whom to check.

    Raises:
        BenchmarkError: It does less than the others.
    """
    for tls in (False, True):
        _does_its_task(target, tls)
    _is_logged(target)


def _does_its_task(target: Target, tls: bool) -> None:
    site = SITES[11]
    status, fields, body = _exchange(target, site, "GET", "/echo", b"", {"X-Forwarded-For": "192.0.2.1"}, tls=tls)
    _expect(target, "status", status, 200)
    for name, value in ADDED_FIELDS.items():
        _expect(target, name, fields.get(name), value)
    seen = dict(line.split(": ", 1) for line in body.decode("latin-1").lower().splitlines() if ": " in line)
    _expect(target, "forwarded Host", seen.get("host"), site)
    _expect(target, "X-Forwarded-For", seen.get("x-forwarded-for"), "127.0.0.1")
    _expect(target, "X-Forwarded-Proto", seen.get("x-forwarded-proto"), "https" if tls else "http")
    _expect(target, "X-Forwarded-Host", seen.get("x-forwarded-host"), site)
    _expect(target, "X-Forwarded-Port", seen.get("x-forwarded-port"), str(target.tls_port if tls else target.port))
    _expect(target, "Via present", "via" in seen, True)
    _expect(target, "X-Request-Id", (fields.get("X-Request-Id") or "none").lower(), seen.get("x-request-id"))


def serves_files(target: Target) -> None:
    """Check files, ranges, conditions, added fields, and that lines reach the access log.

    Args:
        target: Whom to check.

    Raises:
        BenchmarkError: It does less than the others.
    """
    _is_sent(target, SMALL_FILE, {}, 200, SMALL, {"Content-Type": "text/css"})
    _is_sent(target, MEDIUM_FILE, {}, 200, pattern(MEDIUM), {"Content-Type": "image/webp"})
    where = f"bytes {PART['Range'].partition('=')[2]}/{LARGE}"
    _is_sent(target, LARGE_FILE, PART, 206, part_of_large(), {"Content-Range": where})
    _is_sent(target, SMALL_FILE, known_etag(target), 304, b"", {})
    status, fields, _ = _exchange(target, SITES[11], "HEAD", LARGE_FILE, b"", {})
    _expect(target, f"status of HEAD {LARGE_FILE}", status, 200)
    _expect(target, f"length of HEAD {LARGE_FILE}", fields.get("Content-Length"), str(LARGE))
    _expect(target, "status of a missing file", _exchange(target, SITES[11], "GET", "/none.css", b"", {})[0], 404)
    for path in (SMALL_FILE, MEDIUM_FILE, LARGE_FILE):
        _is_logged(target, path.encode())


def _is_sent(
    target: Target, path: str, asked: Mapping[str, str], status: int, content: bytes, wanted: Mapping[str, str]
) -> None:
    got, fields, body = _exchange(target, SITES[11], "GET", path, b"", asked)
    what = f"{path} with {dict(asked)}" if asked else path
    _expect(target, f"status of {what}", got, status)
    _expect(target, f"content of {what}", body == content, True)
    if status != 304:
        _expect(target, f"length of {what}", fields.get("Content-Length"), str(len(content)))
        _expect(target, f"Last-Modified of {what} present", "Last-Modified" in fields, True)
    if status == 200:
        _expect(target, f"Accept-Ranges of {what}", fields.get("Accept-Ranges"), "bytes")
    for name, value in {**ADDED_FIELDS, **KEPT, **wanted}.items():
        _expect(target, f"{name} of {what}", [each.partition(";")[0] for each in fields.get_all(name, [])], [value])
    _expect(target, f"ETag of {what} present", "ETag" in fields, True)
    _expect(target, f"X-Request-Id of {what} present", "X-Request-Id" in fields, True)


def known_etag(target: Target) -> dict[str, str]:
    """The condition of a client that has the small file; all sites' copies are of one time, and so of one tag."""
    _, fields, _ = _exchange(target, SITES[11], "GET", SMALL_FILE, b"", {})
    return {"If-None-Match": fields.get("ETag", "none")}


def _is_logged(target: Target, path: bytes = b"/echo") -> None:
    deadline = time.monotonic() + _TIME
    while time.monotonic() < deadline:
        log = target.log
        files = [log] if log and log.is_file() else log.glob("**/*") if log else []
        if any(path in file.read_bytes() for file in files if file.is_file()):
            return
        time.sleep(0.1)
    raise BenchmarkError(f"{target.name} writes no access log of {path.decode()}")


def answers(
    target: Target,
    method: str,
    path: str,
    body: bytes,
    status: int,
    expected: bytes,
    *,
    tls: bool = False,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Check a sample of answers whole.

    Args:
        target: Whom to ask.
        method: The request method.
        path: The request target.
        body: The request body.
        status: The status each answer must have.
        expected: The body each answer must have.
        tls: Whether to ask over HTTPS.
        fields: More fields of each request.

    Raises:
        BenchmarkError: One was wrong.
    """
    for site in (SITES[0], SITES[24], SITES[49]):
        got, answered, content = _exchange(target, site, method, path, body, fields or {}, tls=tls)
        _expect(target, f"status of {method} {path}", got, status)
        _expect(target, f"content of {method} {path}", content == expected, True)
        for name, value in ADDED_FIELDS.items():
            _expect(target, name, answered.get(name), value)


def answers_small(target: Target) -> None:
    """Check a sample of the small answers: the load compares the workload's own."""
    answers(target, "GET", "/small", b"", 200, SMALL)


def answers_small_file(target: Target) -> None:
    """Check a sample of the small files: the load compares the workload's own."""
    answers(target, "GET", SMALL_FILE, b"", 200, SMALL)


def _exchange(
    target: Target, site: str, method: str, path: str, body: bytes, extra: Mapping[str, str], *, tls: bool = False
) -> tuple[int, http.client.HTTPMessage, bytes]:
    if tls:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            LOCAL, target.tls_port, timeout=_TIME, context=ssl._create_unverified_context()
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=_TIME)
    try:
        connection.request(method, path, body or None, {"Host": site, **extra})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"{target.name} does not answer {method} {path}: {error!r}") from error
    finally:
        connection.close()


def _expect(target: Target, what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise BenchmarkError(f"{target.name}: {what} is {got!r}, not {wanted!r}")


def open_keep_alive(target: Target, number: int) -> socket.socket:
    """Open a connection to one of the sites and leave it idle after one small request."""
    client = _open(target)
    ask_again(client, number)
    return client


def ask_again(client: socket.socket, number: int) -> None:
    """Ask for the small answer on an open connection, and read it whole."""
    client.sendall(request_text(SITES[number % len(SITES)], "GET", "/small"))
    head, rest = _read_head(client)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise BenchmarkError(f"an idle connection got {head[:60]!r}")
    while len(rest) < 1024:
        if not (data := client.recv(65536)):
            raise BenchmarkError("an idle connection got only a part of an answer")
        rest += data


def open_websocket(target: Target, number: int) -> socket.socket:
    """Open a WebSocket to one of the sites and leave it idle."""
    client = _open(target)
    client.sendall(_HANDSHAKE.format(site=SITES[number % len(SITES)]).encode())
    head, _ = _read_head(client)
    if not head.startswith(b"HTTP/1.1 101 "):
        raise BenchmarkError(f"a handshake got {head[:60]!r}")
    return client


def ping_pong(client: socket.socket, number: int) -> None:
    """Send one masked text message on an open WebSocket and expect it back."""
    payload = f"message {number:04}".encode()
    client.sendall(bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
    expected = bytes((0x81, len(payload))) + payload
    got = b""
    while len(got) < len(expected) and (data := client.recv(4096)):
        got += data
    if got != expected:
        raise BenchmarkError(f"an idle WebSocket echoed {got[:60]!r}")


def _open(target: Target) -> socket.socket:
    return socket.create_connection(("127.0.0.1", target.port), _TIME)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (data := client.recv(65536)):
            raise BenchmarkError("a connection was closed before an answer")
        received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest
