"""The client of full TLS handshakes: `python -m benchmarks.handshakes PORT SITE CONNECTIONS SECONDS`.

Each connection is new, resumes nothing, asks once and is closed. The client costs more than the servers, which does not
matter: what counts is the servers' CPU time.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time

from benchmarks.backend import pattern
from benchmarks.load import request_text


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _ask(port: int, site: str, context: ssl.SSLContext, request: bytes, expected: bytes) -> bool:
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname=site) as client,
    ):
        client.sendall(request)
        answer = b""
        while data := client.recv(65536):
            answer += data
    return answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(expected)


def main() -> None:
    """Run until the time is up and print a line of JSON."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[3]), float(sys.argv[4])
    site = sys.argv[2]
    request = request_text(site, "GET", "/small").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    expected = pattern(1024)
    times: list[float] = []
    errors: list[str] = []
    began = time.monotonic()

    def work() -> None:
        context = _context()
        while (start := time.monotonic()) < began + seconds:
            try:
                right = _ask(port, site, context, request, expected)
            except OSError as error:
                errors.append(repr(error))
                return
            if not right:
                errors.append("wrong answer")
                return
            times.append(time.monotonic() - start)

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
