"""An HTTP/1.1 client that sends exactly the bytes it is given, and reads answers with h11."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import h11

from tests.support.ports import HOST
from tests.support.waiting import PATIENCE


@dataclass(frozen=True, slots=True)
class Answer:
    """One final response, with the informational ones before it."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes
    informational: tuple[int, ...]

    def field(self, name: bytes) -> bytes | None:
        """The first field of that lower-case name."""
        return next((value for key, value in self.fields if key == name), None)


class RawHTTP:
    """One connection to a server under test; use it as a context manager."""

    def __init__(self, port: int, host: str = HOST) -> None:
        self.socket = socket.create_connection((host, port), PATIENCE)
        self._left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Write `data` as it is."""
        self.socket.sendall(data)

    def get(self, target: str, host: str, *fields: str) -> Answer:
        """One GET on this connection."""
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))
        return self.answer()

    def post(self, target: str, host: str, body: bytes, *fields: str) -> Answer:
        """One POST with a Content-Length on this connection."""
        lines = [f"POST {target} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *fields, "", ""]
        self.send("\r\n".join(lines).encode("latin-1") + body)
        return self.answer()

    def answer(self, method: str = "GET") -> Answer:
        """Read one response to a request of that method.

        Raises:
            h11.RemoteProtocolError: It breaks RFC 9112, or ends too early.
        """
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method=method, target="/", headers=[("host", "reader")]))
        reader.send(h11.EndOfMessage())
        if self._left:
            reader.receive_data(self._left)
        head: h11.Response | None = None
        body, early = bytearray(), []
        while True:
            event = reader.next_event()
            if event is h11.NEED_DATA:
                reader.receive_data(self.socket.recv(65536))
            elif isinstance(event, h11.InformationalResponse):
                early.append(event.status_code)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                break
        assert head is not None, f"no response but {event!r}"
        self._left = bytes(reader.trailing_data[0])
        return Answer(head.status_code, list(head.headers), bytes(body), tuple(early))

    def closed(self) -> bool:
        """Whether the server closes without sending more."""
        try:
            return not self._left and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def uploading(port: int) -> RawHTTP:
    """A client whose request of four octets has reached the app; two of them are still to come."""
    return begin_upload(RawHTTP(port))


def begin_upload(client: RawHTTP) -> RawHTTP:
    """Have a client send such a request."""
    client.send(b"POST /size HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        octet = client.socket.recv(1)
        assert octet, f"cut after {said!r}"
        said += octet
    assert said.startswith(b"HTTP/1.1 100 ")
    client.send(b"ab")
    return client
