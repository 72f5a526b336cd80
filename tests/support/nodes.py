"""Two apps that say who they are, one of which can be well, unwell, or gone."""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.ports import HOST, free_port
from tests.support.websocket import GUID, TEXT, frame


class Node:
    """An app on a port of its own.

    It answers its name; `/health` answers `health`, and a WebSocket is greeted with the name.

    Attributes:
        name: What it answers.
        port: Where it listens, also after it was gone.
        health: Status of `/health`.
        checks: Fields of the requests for `/health`.
        checked: Told from which port a request for `/health` came, before it is answered.
        cookies: Cookie fields of all other requests.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.health = 200
        self.checks: list[dict[str, str]] = []
        self.checked: Callable[[int], object] = str
        self.cookies: list[str] = []
        self._server: _Server | None = None
        self.start()

    def start(self) -> None:
        """Listen, also once more."""
        server = self._server = _Server((HOST, self.port), _handler_of(self))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be gone, with all connections."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections are cut: that is what the tests are about."""

    def cut(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler_of(node: Node) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and content are written apart

        def do_GET(self) -> None:
            if self.path == "/health":
                node.checks.append(dict(self.headers.items()))
                node.checked(self.client_address[1])
                self._answer(node.health, b"as told")
                return
            node.cookies.append(self.headers.get("Cookie", ""))
            if self.headers.get("Upgrade") == "websocket":
                self._greet()
            else:
                self._answer(200, json.dumps({"node": node.name}).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _greet(self) -> None:
            key = self.headers["Sec-WebSocket-Key"].encode()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header(
                "Sec-WebSocket-Accept", b64encode(sha1(key + GUID, usedforsecurity=False).digest()).decode()
            )
            self.end_headers()
            self.wfile.write(frame(TEXT, node.name.encode()))
            self.close_connection = True
            while self.connection.recv(4096):
                pass

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
