"""Throw the hostile corpora at the gateway and at other proxies, and print who refuses what.

Run it as `python -m tests.peers.compare`; `--all` prints every row, otherwise only those where the gateway takes what
another refuses, and the sums. `docs/strictness.md` explains what it finds.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.corpora.hostile_requests import HOSTILE_REQUESTS
from tests.corpora.hostile_responses import HOSTILE_RESPONSES, HostileResponse
from tests.corpora.odd_messages import ODD_REQUESTS, ODD_RESPONSES
from tests.corpora.tamed_requests import TAMED_REQUESTS
from tests.peers.servers import STARTERS
from tests.support.ports import HOST
from tests.support.recorder import PLAIN, Play, RecordingUpstream

SILENCE = 0.7
SETTLE = 0.02


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one server did.

    Attributes:
        text: Short, for the table.
        took: Whether it took the message for a good one.
    """

    text: str
    took: bool


def exchange(port: int, data: bytes, upstream: RecordingUpstream, *, staged: bool = False) -> bytes | None:
    """Send `data`; give all that came back, or None where the server was silent and open for `SILENCE` seconds."""
    got = b""
    with socket.create_connection((HOST, port), 5) as client:
        client.settimeout(SILENCE)
        try:
            client.sendall(data)
            while piece := client.recv(65536):
                got += piece
                if staged:
                    time.sleep(SETTLE)
                upstream.go_on()
                client.settimeout(0.1 if b"\r\n\r\n" in got and not staged else SILENCE)
        except TimeoutError:
            upstream.go_on()
            return got or None
        except OSError:
            return got
    return got


def judge_request(port: int, data: bytes, upstream: RecordingUpstream) -> Verdict:
    """See whether a request, or a part of it, reaches the upstream."""
    upstream.forget(PLAIN)
    got = exchange(port, data, upstream)
    time.sleep(SETTLE)
    reached = bool(upstream.received())
    return Verdict(("takes, " if reached else "") + describe(got), reached)


def judge_response(port: int, entry: HostileResponse, upstream: RecordingUpstream) -> Verdict:
    """See whether a broken answer reaches the client as a good one."""
    upstream.forget(Play(entry.parts, entry.closes))
    request = entry.method + b" / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
    got = exchange(port, request, upstream, staged=len(entry.parts) > 1)
    whole = got is not None and is_whole(got, entry.method)
    status = describe(got)
    took = whole and not status.startswith("5")
    leaked = any(octets in (got or b"").lower() for octets in entry.absent)
    text = ("takes, " if took else "cuts, " if got and not status.startswith("5") else "") + status
    return Verdict(text + (", leaks" if leaked else ""), took or leaked)


def describe(got: bytes | None) -> str:
    """Give the status of the final response, or what came instead."""
    if got is None:
        return "waits"
    while got.startswith(b"HTTP/1.1 1"):
        got = got.partition(b"\r\n\r\n")[2]
    return got[9:12].decode("latin-1") if got.startswith(b"HTTP/1.") else "closes" if not got else "no HTTP"


def is_whole(got: bytes, method: bytes) -> bool:
    """Tell whether a client would take the answer for complete; one that only the close ends counts as complete."""
    while got.startswith(b"HTTP/1.1 1"):
        got = got.partition(b"\r\n\r\n")[2]
    head, found, body = got.partition(b"\r\n\r\n")
    lower = head.lower()
    if not found:
        return False
    if method == b"HEAD" or got[9:12] in (b"204", b"304"):
        return True
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"\r\n\r\n") and b"\r\n0\r\n" in b"\r\n" + body
    for line in lower.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return True


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_table(title: str, rows: Iterable[tuple[str, dict[str, Verdict]]], *, everything: bool) -> None:
    """Print a table in Markdown, and how many messages each server takes."""
    rows = list(rows)
    names = list(STARTERS)
    say(f"\n## {title}\n\n| message | " + " | ".join(names) + " |")
    say("|---" * (1 + len(names)) + "|")
    for name, verdicts in rows:
        ours = verdicts[names[0]]
        if everything or (ours.took and not all(verdict.took for verdict in verdicts.values())):
            say(f"| {name} | " + " | ".join(verdicts[server].text for server in names) + " |")
    sums = [sum(verdicts[server].took for _, verdicts in rows) for server in names]
    say(f"| taken, of {len(rows)} | " + " | ".join(map(str, sums)) + " |")


def main() -> None:
    """Start all servers, run all corpora, print."""
    everything = "--all" in sys.argv[1:]
    upstream = RecordingUpstream()
    running = {}
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        try:
            for server, start in STARTERS.items():
                folder = Path(name) / server
                folder.mkdir()
                running[server] = start(folder, upstream.port)

            def requests(entries: Iterable[tuple[str, bytes]]) -> Iterable[tuple[str, dict[str, Verdict]]]:
                for title, data in entries:
                    yield title, {server: judge_request(peer.port, data, upstream) for server, peer in running.items()}

            def responses(entries: Iterable[HostileResponse]) -> Iterable[tuple[str, dict[str, Verdict]]]:
                for entry in entries:
                    yield (
                        entry.name,
                        {server: judge_response(peer.port, entry, upstream) for server, peer in running.items()},
                    )

            print_table("Hostile requests", requests((e.name, e.data) for e in HOSTILE_REQUESTS), everything=everything)
            tamed = [(e.name, e.data) for e in TAMED_REQUESTS]
            print_table("Odd requests", requests([*tamed, *ODD_REQUESTS]), everything=everything)
            print_table("Hostile answers", responses(HOSTILE_RESPONSES), everything=everything)
            print_table("Odd answers", responses(ODD_RESPONSES), everything=everything)
        finally:
            for peer in running.values():
                peer.process.kill()
            upstream.close()


if __name__ == "__main__":
    main()
