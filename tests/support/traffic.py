"""A download, an upload and a WebSocket that go on while something else happens."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.support.ports import HOST
from tests.support.waiting import PATIENCE
from tests.support.websocket import TEXT, accept, frame, handshake, read_frames

PATTERN = bytes(range(256)) * 256
DOWNLOAD = 60_000_000
UPLOAD = 20_000_000
PIECE = 1_000_000


def _connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), PATIENCE)


class Traffic:
    """Three connections to the demo app under one host, each moved on by `go_on`.

    None of them ends by itself: whoever disturbs one breaks it.

    Args:
        port: Where the gateway listens.
        host: The site.
        connect: Connects there.
    """

    def __init__(self, port: int, host: str, connect: Callable[[int], socket.socket] = _connect) -> None:
        self._download, self._upload, self._socket = connect(port), connect(port), connect(port)
        self._got = self._put = self._messages = 0
        self._download.sendall(f"GET /bytes/{DOWNLOAD} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = _head(self._download)
        assert head.startswith(b"HTTP/1.1 200 "), head
        self._upload.sendall(f"POST /size HTTP/1.1\r\nHost: {host}\r\nContent-Length: {UPLOAD}\r\n\r\n".encode())
        opening = handshake(request=b"GET /socket HTTP/1.1").replace(b"example.com", host.encode())
        self._socket.sendall(opening)
        answer = _head(self._socket)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        assert accept(opening).split(b"Accept: ")[1].split(b"\r\n")[0] in answer
        self._frame()
        self.go_on()

    def go_on(self) -> None:
        """Read and write a piece each, and have a message sent back."""
        self._read(PIECE)
        self._write(PIECE)
        self._messages += 1
        text = b"message %d" % self._messages
        self._socket.sendall(frame(TEXT, text, masked=True))
        assert self._frame() == text

    def finish(self) -> None:
        """Bring all three to their ends, none of which may be early, late or wrong."""
        self.go_on()
        self._read(DOWNLOAD - self._got)
        self._write(UPLOAD - self._put)
        answer = b""
        while str(UPLOAD).encode() not in answer:
            more = self._upload.recv(65536)
            assert more, f"the upload was cut: {answer!r}"
            answer += more
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        self.close()

    def close(self) -> None:
        for each in (self._download, self._upload, self._socket):
            each.close()

    def _read(self, size: int) -> None:
        while size:
            data = self._download.recv(min(size, len(PATTERN)))
            assert data, f"the download was cut after {self._got} octets"
            start = self._got % 256
            assert data == (PATTERN + PATTERN)[start : start + len(data)]
            self._got += len(data)
            size -= len(data)

    def _write(self, size: int) -> None:
        self._upload.sendall(bytes(size))
        self._put += size

    def _frame(self) -> bytes:
        head = self._exactly(2)
        (message,) = read_frames(head + self._exactly(head[1] & 127))
        assert message.opcode == TEXT, message
        return message.payload

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            assert more, "the WebSocket was cut"
            data += more
        return data


def _head(connection: socket.socket) -> bytes:
    """Read a response's head, and nothing behind it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = connection.recv(1)
        assert octet, f"cut after {head!r}"
        head += octet
    return head
