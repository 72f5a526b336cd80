"""An upstream that keeps every octet it gets and plays the answer it is told to."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass

from tests.support.ports import HOST
from tests.support.waiting import PATIENCE


@dataclass(frozen=True, slots=True)
class Play:
    """What to send once a request's head is in.

    Attributes:
        parts: Octets; each part but the first waits for `RecordingUpstream.go_on`.
        closes: Whether to close behind the last part.
    """

    parts: tuple[bytes, ...]
    closes: bool


PLAIN = Play((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",), closes=True)


class RecordingUpstream:
    """A listener on 127.0.0.1 with a thread for each connection.

    Attributes:
        port: Where it listens.
        play: The answer to every request from now on.
        accepted: Connections accepted since `forget`.
    """

    def __init__(self) -> None:
        self.play = PLAIN
        self.accepted = 0
        self._pieces: list[bytes] = []
        self._go_on = threading.Event()
        self._open = 0
        self._ended = threading.Condition()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def received(self) -> bytes:
        """All that came in since `forget`, on any connection."""
        return b"".join(self._pieces)

    def forget(self, play: Play = PLAIN) -> None:
        """Start anew, with another answer."""
        self._pieces = []
        self.accepted = 0
        self.play = play
        self._go_on.clear()

    def go_on(self) -> None:
        """Let the parts behind the first be sent."""
        self._go_on.set()

    def wait_until_ended(self) -> None:
        """Wait until every connection accepted has been closed by the other end."""
        with self._ended:
            assert self._ended.wait_for(lambda: not self._open, PATIENCE), "a connection stays open"

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the wait of `accept`, which might go on at a later listener
        self._accepting.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._ended:
                self.accepted += 1
                self._open += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(PATIENCE)
            self._read(connection)
        with self._ended:
            self._open -= 1
            self._ended.notify_all()

    def _read(self, connection: socket.socket) -> None:
        unanswered = b""
        while data := connection.recv(65536):
            self._pieces.append(data)
            unanswered += data
            if _REQUEST.search(unanswered):
                unanswered = b""
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        play = self.play
        for number, part in enumerate(play.parts):
            if number:
                self._go_on.wait(PATIENCE)
            connection.sendall(part)
        if play.closes:
            connection.shutdown(socket.SHUT_WR)


_REQUEST = re.compile(rb"[^ \r\n]+ [^ \r\n]+ HTTP/1\.[01]\r\n(?:.*\r\n)?\r\n", re.DOTALL)
