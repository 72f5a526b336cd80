"""The client of TLS handshakes: `python -m benchmarks.handshakes PORT SITE CONNECTIONS SECONDS full|resumed`.

Each connection is new, asks once and is closed. It resumes nothing, or the session of the one before, by the ticket
that came with its answer; then one that was not resumed is an error. The client costs more than the servers, which
does not matter: what counts is the servers' CPU time.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass

from benchmarks.backend import pattern
from benchmarks.load import request_text


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


@dataclass(frozen=True, slots=True)
class Question:
    """What each connection asks."""

    port: int
    site: str
    request: bytes
    expected: bytes

    def ask(self, context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[str, ssl.SSLSession | None]:
        """Connect and ask once.

        Args:
            context: The client's.
            session: What to resume; None for a full handshake.

        Returns:
            What was wrong, or nothing; and the session to resume next.
        """
        with (
            socket.create_connection(("127.0.0.1", self.port), 10) as plain,
            context.wrap_socket(plain, server_hostname=self.site, session=session) as client,
        ):
            client.sendall(self.request)
            answer = b""
            while data := client.recv(65536):
                answer += data
            resumed, ticket = client.session_reused, client.session
        if not (answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(self.expected)):
            return "wrong answer", None
        return ("" if resumed is (session is not None) else f"resumed: {resumed}"), ticket


def main() -> None:
    """Run until the time is up and print a line of JSON."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[3]), float(sys.argv[4])
    site, resumes = sys.argv[2], sys.argv[5] == "resumed"
    request = request_text(site, "GET", "/small").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    question = Question(port, site, request, pattern(1024))
    times: list[float] = []
    errors: list[str] = []
    began = time.monotonic()

    def work() -> None:
        context = _context()
        session: ssl.SSLSession | None = None
        try:
            if resumes:
                _, session = question.ask(context, None)
            while (start := time.monotonic()) < began + seconds:
                wrong, ticket = question.ask(context, session)
                if wrong:
                    errors.append(wrong)
                    return
                if resumes:
                    session = ticket
                times.append(time.monotonic() - start)
        except OSError as error:
            errors.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    times.sort()
    print(*errors[:3], sep="\n", file=sys.stderr)
    report = {
        "completed": len(times),
        "errors": len(errors),
        "seconds": took,
        "p50_us": times[len(times) // 2] * 1e6 if times else 0,
        "p99_us": times[len(times) * 99 // 100] * 1e6 if times else 0,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
