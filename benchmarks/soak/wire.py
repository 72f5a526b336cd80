"""A strict HTTP/1.1 client on bare connections: what the soak's clients send, read and compare with."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import ClassVar, cast

from benchmarks.soak.tally import Tally

_PATIENCE = 30.0
_HIGH_WATER = 1024 * 1024
_RESET = struct.pack("ii", 1, 0)
_addresses = itertools.cycle(f"127.0.0.{last}" for last in range(2, 250))


class WrongError(Exception):
    """An answer was not what it must be."""


class Connection(asyncio.Protocol):
    """One client connection: a buffer, and one reader that waits for more.

    Attributes:
        buffer: What came and was not taken yet.
        closed: Whether the other side has ended.
        since: When the reader began to wait; 0 while it does not.
    """

    __slots__ = ("_paused", "_waiter", "buffer", "closed", "since", "transport")

    open: ClassVar[set[Connection]] = set()
    """All connections, for `expire`."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.closed = False
        self.since = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self.open.add(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came; stop reading where nobody takes it."""
        self.buffer += data
        if len(self.buffer) > _HIGH_WATER and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The other side sends nothing more; so neither do we."""
        self.closed = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.closed = True
        self.open.discard(self)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def more(self) -> bool:
        """Wait until something comes; False once nothing can."""
        if self.closed:
            return False
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        before = len(self.buffer)
        self.since = time.monotonic()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self.since = 0.0
        return len(self.buffer) > before

    async def take(self, count: int) -> bytes:
        """Take exactly `count` octets; fewer only where the connection ends before."""
        while len(self.buffer) < count and await self.more():
            pass
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def take_line(self, end: bytes) -> bytes:
        """Take everything up to and including `end`; empty where the connection ends before."""
        at = self.buffer.find(end)
        while at < 0:
            if not await self.more():
                return b""
            at = self.buffer.find(end)
        line = bytes(self.buffer[: at + len(end)])
        del self.buffer[: at + len(end)]
        return line

    async def ended(self) -> bool:
        """Wait for the other side to close; False where it sends more instead."""
        while not self.buffer and await self.more():
            pass
        return not self.buffer

    def expire(self, now: float) -> bool:
        """Give up a wait that takes too long, and say so."""
        if self.since and now - self.since > _PATIENCE:
            self.transport.abort()
            return True
        return False

    def write(self, data: bytes) -> None:
        """Send, unless the connection is gone: then the answer is what is missed."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        """Close as a good client does."""
        self.transport.close()

    def reset(self) -> None:
        """Close with a reset, as a client that crashes does."""
        own: socket.socket | None = self.transport.get_extra_info("socket")
        if own is not None and not self.transport.is_closing():
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


async def connect(port: int, tls: ssl.SSLContext | None = None, *, name: str = "", window: int = 0) -> Connection:
    """Connect from one of many local addresses.

    Args:
        port: Of 127.0.0.1.
        tls: How to speak TLS; None for plain.
        name: The server's name for TLS.
        window: Octets of the kernel's receive buffer; 0 for its default.
    """
    own = socket.socket()
    try:
        own.setblocking(False)
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if window:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        own.bind((next(_addresses), 0))
        loop = asyncio.get_running_loop()
        await loop.sock_connect(own, ("127.0.0.1", port))
        server_hostname = name if tls else None
        _, made = await loop.create_connection(Connection, sock=own, ssl=tls, server_hostname=server_hostname)
    except BaseException:
        own.close()
        raise
    return made


@dataclass(frozen=True, slots=True)
class Answer:
    """One final answer.

    Attributes:
        status: Its status.
        head: All lines, without the last CRLF.
        body: The content.
        complete: Whether all of it came.
        request_id: The value of X-Request-Id as a number.
    """

    status: int
    head: bytes
    body: bytes
    complete: bool
    request_id: int

    def field(self, name: bytes) -> bytes:
        """The value of a field as gateway writes its name; empty where it is absent."""
        return self.head.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


async def read_head(connection: Connection) -> tuple[int, bytes]:
    """Read the head of the next final answer.

    Raises:
        WrongError: None came, or it is none.
    """
    while True:
        head = await connection.take_line(b"\r\n\r\n")
        if not head:
            raise WrongError(f"no answer but {bytes(connection.buffer[:60])!r}")
        if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
            raise WrongError(f"no status line but {head[:60]!r}")
        status = int(head[9:12])
        if status >= 200 or status == 101:
            return status, head[:-2]


async def read_answer(connection: Connection, method: bytes = b"GET") -> Answer:
    """Read the next final answer.

    Raises:
        WrongError: None came, or its framing is broken in another way than by an early end.
    """
    status, head = await read_head(connection)
    lower = head.lower()
    complete, body = True, b""
    if method != b"HEAD" and status not in (101, 204, 304):
        at = lower.find(b"\r\ncontent-length: ")
        if at >= 0:
            length = int(lower[at + 18 : lower.index(b"\r", at + 18)])
            body = await connection.take(length)
            complete = len(body) == length
        elif b"\r\ntransfer-encoding: chunked\r\n" in lower:
            body, complete = await _read_chunks(connection)
        elif b"\r\nconnection: close\r\n" in lower:
            while await connection.more():
                pass
            body = await connection.take(len(connection.buffer))
        else:
            raise WrongError(f"an answer without framing: {head[:200]!r}")
    at = lower.find(b"\r\nx-request-id: ")
    number = int(lower[at + 16 : lower.index(b"\r", at + 16)], 16) if at >= 0 else -1
    return Answer(status, head, body, complete, number)


async def _read_chunks(connection: Connection) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while True:
        line = await connection.take_line(b"\r\n")
        if not line:
            return b"".join(parts), False
        size = int(line, 16)
        data = await connection.take(size + 2)
        if len(data) < size + 2:
            return b"".join([*parts, data]), False
        if data[-2:] != b"\r\n":
            raise WrongError("a chunk does not end where it says")
        if not size:
            return b"".join(parts), True
        parts.append(data[:-2])


async def give_up_long_waits(tally: Tally) -> None:
    """End waits that nothing ends, forever; each is a finding."""
    while True:
        await asyncio.sleep(1)
        now = time.monotonic()
        for connection in list(Connection.open):
            if connection.expire(now):
                tally.found(f"nothing came for {_PATIENCE:.0f} seconds")
