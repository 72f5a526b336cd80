"""What must hold before and after anything is measured: the contender does the whole task, and answers rightly."""

from __future__ import annotations

import http.client
import socket
import ssl
import time

from benchmarks.backend import pattern
from benchmarks.certificate import LOCAL
from benchmarks.contenders.base import ADDED_FIELDS, SITES
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


def _is_logged(target: Target) -> None:
    deadline = time.monotonic() + _TIME
    while time.monotonic() < deadline:
        log = target.log
        files = [log] if log and log.is_file() else log.glob("**/*") if log else []
        if any(b"/echo" in file.read_bytes() for file in files if file.is_file()):
            return
        time.sleep(0.1)
    raise BenchmarkError(f"{target.name} writes no access log")


def answers(
    target: Target, method: str, path: str, body: bytes, status: int, expected: bytes, *, tls: bool = False
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

    Raises:
        BenchmarkError: One was wrong.
    """
    for site in (SITES[0], SITES[24], SITES[49]):
        got, fields, content = _exchange(target, site, method, path, body, {}, tls=tls)
        _expect(target, f"status of {method} {path}", got, status)
        _expect(target, f"content of {method} {path}", content == expected, True)
        for name, value in ADDED_FIELDS.items():
            _expect(target, name, fields.get(name), value)


def answers_small(target: Target) -> None:
    """Check a sample of the small answers: the load compares the workload's own."""
    answers(target, "GET", "/small", b"", 200, SMALL)


def _exchange(
    target: Target, site: str, method: str, path: str, body: bytes, extra: dict[str, str], *, tls: bool
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
