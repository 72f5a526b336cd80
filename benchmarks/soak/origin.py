"""The application that misbehaves, and the one that dies and returns; both live in the soak's own process."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import cast

from benchmarks.backend import pattern

BODY = pattern(3000)
_LIMIT = 16 * 1024 * 1024
_DOWN = 0.7
_UP = 2.5


class Misbehaving(asyncio.Protocol):
    """One connection of the gateway's; the path says what goes wrong on it."""

    def __init__(self, crowd: set[Misbehaving]) -> None:
        self._crowd = crowd
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self._crowd.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The gateway is gone."""
        self._crowd.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer each request as soon as all of it is there."""
        self._buffer += data
        if len(self._buffer) > _LIMIT:
            self.transport.abort()
            return
        while not self.transport.is_closing() and self._answer_next():
            pass

    def _answer_next(self) -> bool:
        head, end, _ = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        start, lower = len(head) + 4, bytes(head).lower() + b"\r\n"
        content, used = b"", start
        at = lower.find(b"\r\ncontent-length: ")
        if at >= 0:
            used = start + int(lower[at + 18 : lower.index(b"\r", at + 18)])
            content = bytes(self._buffer[start:used])
        elif b"\r\ntransfer-encoding: chunked\r\n" in lower:
            parts, used = _chunks(self._buffer, start)
            content = b"".join(parts)
        if not used or len(self._buffer) < used:
            return False
        path = bytes(head.split(b" ", 2)[1]).partition(b"?")[0]
        del self._buffer[:used]
        _ANSWERS.get(path, _Answers.missing)(self.transport, bytes(head), content)
        return True


def _chunks(data: bytearray, at: int) -> tuple[list[bytes], int]:
    """Read chunks as gateway writes them: content, and where they end; 0 where more must come."""
    parts: list[bytes] = []
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            break
        if not size:
            return parts, at
        parts.append(bytes(data[end + 2 : at - 2]))
    return [], 0


def _whole(content: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, *fields, b"Content-Length: %d" % len(content), b"", b""]
    return b"\r\n".join(lines) + content


def _write(transport: asyncio.Transport, data: bytes) -> None:
    if not transport.is_closing():
        transport.write(data)


class _Answers:
    """What each path does."""

    @staticmethod
    def missing(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(_whole(b"no such path", status=b"404 Not Found"))

    @staticmethod
    def head(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(_whole(head))

    @staticmethod
    def content(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(_whole(content))

    @staticmethod
    def reset(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.abort()

    @staticmethod
    def garbage(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(b"SSH-2.0-none\r\n\r\n")

    @staticmethod
    def short(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + BODY)
        transport.close()

    @staticmethod
    def cut(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(BODY), BODY))
        asyncio.get_running_loop().call_later(0.02, transport.abort)

    @staticmethod
    def never(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        pass

    @staticmethod
    def broken(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(_whole(BODY, status=b"500 Internal Server Error"))

    @staticmethod
    def until_close(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
        transport.close()

    @staticmethod
    def slow(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        loop = asyncio.get_running_loop()
        for number in range(6):
            chunk = b"1f4\r\n" + BODY[number * 500 :][:500] + b"\r\n"
            loop.call_later(number * 0.03, _write, transport, chunk if number < 5 else chunk + b"0\r\n\r\n")

    @staticmethod
    def hints(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + _whole(BODY))

    @staticmethod
    def much(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(_whole(BODY, b"X-Much: " + b"a" * 70_000))

    @staticmethod
    def more(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
        transport.write(_whole(BODY) + _whole(b"nobody asked for this"))


_ANSWERS: dict[bytes, Callable[[asyncio.Transport, bytes, bytes], None]] = {
    b"/head": _Answers.head,
    b"/content": _Answers.content,
    b"/spool/content": _Answers.content,
    b"/reset": _Answers.reset,
    b"/garbage": _Answers.garbage,
    b"/short": _Answers.short,
    b"/cut": _Answers.cut,
    b"/never": _Answers.never,
    b"/broken": _Answers.broken,
    b"/until-close": _Answers.until_close,
    b"/slow": _Answers.slow,
    b"/hints": _Answers.hints,
    b"/much": _Answers.much,
    b"/more": _Answers.more,
}


class Origin:
    """A listening application.

    Attributes:
        port: Where it listens, or did.
    """

    def __init__(self) -> None:
        self.port = 0
        self._crowd: set[Misbehaving] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, on the same port as the last time."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Misbehaving(self._crowd), "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Die: connections are cut wherever they are."""
        if self._server:
            self._server.close()
            self._server = None
        for connection in list(self._crowd):
            connection.transport.abort()
        await asyncio.sleep(0)


async def die_and_return(origin: Origin) -> None:
    """Stop and start an application, forever."""
    while True:
        await asyncio.sleep(random.uniform(0.5, 1) * _UP)
        await origin.stop()
        await asyncio.sleep(random.uniform(0.5, 1) * _DOWN)
        await origin.start()
