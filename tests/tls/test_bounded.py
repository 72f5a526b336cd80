"""Bounds on what an authority answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from gateway.tls.bounded import LARGEST, BoundedAdapter
from tests.support.waiting import PATIENCE


class Handler(BaseHTTPRequestHandler):
    """Answers as many octets as the path says."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(b"x" * int(self.path[1:]))
        except ConnectionError:
            return

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join(PATIENCE)


@pytest.mark.e2e
def test_size(server: str) -> None:
    """An answer within the bound comes whole; one beyond it is an error."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", BoundedAdapter())
        assert session.get(f"{server}/70000", timeout=PATIENCE).content == b"x" * 70_000
        with pytest.raises(requests.ConnectionError, match="too large"):
            session.get(f"{server}/{LARGEST + 1}", timeout=PATIENCE)
