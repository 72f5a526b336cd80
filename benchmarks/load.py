"""Running the clients for a bounded time, and refusing what they report unless every answer was right."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backend import Backend
from benchmarks.certificate import LOCAL
from benchmarks.contenders.base import SITES
from benchmarks.process import BenchmarkError

_SCRIPT = Path(__file__).parent / "native" / "wrk.lua"
_BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Cookie: _app_key=SFMyNTY.g3QAAAABbQAAAAtfY3NyZl90b2tlbm0AAAAY\r\n"
)


_HEAD = 2048
"""Bytes of an answer besides its body, at most."""


@dataclass(frozen=True, slots=True)
class Target:
    """A contender that runs."""

    name: str
    pid: int
    port: int
    tls_port: int
    backend: Backend
    folder: Path
    log: Path | None
    """The file or folder of its access log."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a client saw in one window."""

    completed: int
    seconds: float
    p50_ms: float
    p99_ms: float


def request_text(
    site: str, method: str, path: str, body: bytes = b"", fields: Mapping[str, str] | None = None, version: int = 1
) -> bytes:
    """A request as a browser sends it, with some more fields."""
    more = "".join(f"{name}: {value}\r\n" for name, value in (fields or {}).items())
    length = f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.{version}\r\nHost: {site}\r\n{_BROWSER}{more}{length}\r\n".encode() + body


def http(
    target: Target,
    seconds: int,
    connections: int,
    method: str,
    path: str,
    body: bytes,
    answer: int,
    *,
    tls: bool = False,
    fields: Mapping[str, str] | None = None,
    version: int = 1,
) -> Load:
    """Let wrk ask for one path of all sites in turn over keep-alive connections.

    Args:
        target: Whom to ask.
        seconds: For how long.
        connections: How many requests are under way at any time.
        method: The request method.
        path: The request target.
        body: The request body.
        answer: Bytes that each answer's body has.
        tls: Whether to ask over HTTPS.
        fields: More fields of each request.
        version: Minor version of HTTP.

    Returns:
        What wrk saw.

    Raises:
        BenchmarkError: An answer failed, or they were too short or too long.
    """
    requests, size = _requests(target, method, path, body, fields, version)
    url = f"https://{LOCAL}:{target.tls_port}" if tls else f"http://127.0.0.1:{target.port}"
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT), url]
    report = run_client([*argv, "--", str(requests), str(size)], seconds)
    expect_bytes(report, connections, answer)
    return _load(report)


def _requests(
    target: Target, method: str, path: str, body: bytes, fields: Mapping[str, str] | None, version: int
) -> tuple[Path, int]:
    """Write requests for all sites into a file: it, and the octets of each."""
    texts = [request_text(site, method, path, body, fields, version) for site in SITES]
    file = target.folder / "requests"
    file.write_bytes(b"".join(texts))
    return file, len(texts[0])


def unusual(target: Target, seconds: int, connections: int, mode: str, method: str, path: str, answer: int) -> Load:
    """Let `native/requests.c` ask in a way that wrk cannot.

    Args:
        target: Whom to ask.
        seconds: For how long.
        connections: How many requests are under way at any time.
        mode: `head`, `split` for heads in two packets, `four` for four requests in one write.
        method: The request method.
        path: The request target.
        answer: The length that each answer tells.

    Returns:
        What it saw.

    Raises:
        BenchmarkError: An answer was wrong.
    """
    requests, size = _requests(target, method, path, b"", None, 1)
    argv = [str(target.backend.requests), mode, str(target.port), str(requests), str(size), str(connections)]
    return _load(run_client([*argv, str(seconds), str(answer)], seconds))


def expect_bytes(report: Mapping[str, float], connections: int, answer: int) -> None:
    """Check that as many bytes came as the answers should have.

    Args:
        report: What wrk printed.
        connections: How many answers may have come in part.
        answer: Bytes that each answer's body has.

    Raises:
        BenchmarkError: There were fewer, or far more, as where a range or a condition is ignored.
    """
    completed, got = report["completed"], report["bytes"]
    if not completed * answer <= got <= (completed + connections) * (answer + _HEAD):
        raise BenchmarkError(f"{completed:.0f} answers of {answer} bytes came with {got:.0f} bytes")


def native(target: Target, seconds: int, connections: int, mode: str, amount: int) -> Load:
    """Let `native/load.c` talk to one site.

    Args:
        target: Whom to ask.
        seconds: For how long.
        connections: How many are open at any time.
        mode: `echo`, `open` or `download`.
        amount: The bytes of a message or an answer, or the count of openings at most.

    Returns:
        What it saw.

    Raises:
        BenchmarkError: A connection failed, or a byte was wrong.
    """
    argv = [str(target.backend.load), mode, str(target.port), SITES[7], str(connections), str(seconds), str(amount)]
    return _load(run_client(argv, seconds))


def handshakes(target: Target, seconds: int, connections: int, *, resumed: bool) -> Load:
    """Let `handshakes.py` make new TLS connections to one site, with one request each.

    Args:
        target: Whom to ask.
        seconds: For how long.
        connections: How many are under way at any time.
        resumed: Whether each resumes the session of the one before.

    Returns:
        What it saw.

    Raises:
        BenchmarkError: One failed, or was resumed against what was asked for.
    """
    argv = [sys.executable, "-m", "benchmarks.handshakes", str(target.tls_port), SITES[7], str(connections)]
    return _load(run_client([*argv, str(seconds), "resumed" if resumed else "full"], seconds))


def run_client(argv: list[str], seconds: int) -> dict[str, float]:
    """Run a client that prints a line of JSON at its end.

    Args:
        argv: How it is started.
        seconds: How long it means to run; it is ended well after that.

    Returns:
        What it printed: `completed`, `errors` and more.

    Raises:
        BenchmarkError: It failed, saw an error, or completed nothing.
    """
    try:
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30, check=True)
    except subprocess.SubprocessError as error:
        raise BenchmarkError(f"the client failed: {error}") from error
    report: dict[str, float] = json.loads(ended.stdout.strip().rpartition("\n")[2])
    if report["errors"] or not report["completed"]:
        raise BenchmarkError(f"{report['errors']:.0f} errors beside {report['completed']:.0f} completed")
    return report


def _load(report: dict[str, float]) -> Load:
    return Load(int(report["completed"]), report["seconds"], report["p50_us"] / 1000, report["p99_us"] / 1000)
