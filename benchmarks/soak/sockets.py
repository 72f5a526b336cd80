"""WebSocket clients that open, talk, and close or vanish."""

from __future__ import annotations

import asyncio
import os
import random

from benchmarks.backend import pattern
from benchmarks.soak.wire import Connection, WrongError
from benchmarks.soak.world import APP, World, ask, expect, request, token

_ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 section 1.3: the answer to its sample key
_KIND = "websocket"
_LINES = (
    b"Origin: http://app.test",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
_CLOSE = b"\x03\xe8"
_TEXT, _BINARY, _CLOSING, _PING, _PONG = 1, 2, 8, 9, 10


def _frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    first = (128 if final else 0) | opcode
    mask = os.urandom(4)
    size = len(payload)
    length = bytes([128 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    masked = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return bytes([first]) + length + mask + masked.to_bytes(size, "big")


async def _read_frame(connection: Connection) -> tuple[int, bool, bytes]:
    header = await connection.take(2)
    if len(header) < 2 or header[1] & 128:
        raise WrongError(f"no frame of a server: {header!r}")
    size = header[1] & 127
    if size == 126:
        size = int.from_bytes(await connection.take(2), "big")
    payload = await connection.take(size)
    if len(payload) < size:
        raise WrongError("a frame was cut")
    return header[0] & 15, bool(header[0] & 128), payload


async def _message(connection: Connection, opcode: int, payload: bytes) -> None:
    """Read one message, however it is cut into frames."""
    kind, final, got = await _read_frame(connection)
    while not final:
        _, final, more = await _read_frame(connection)
        got += more
    if kind != opcode:
        raise WrongError(f"a frame of kind {kind} instead of {opcode}")
    expect("message", got, payload)


async def websocket(world: World) -> None:
    """Opens one, talks, and ends it in one of many ways."""
    tls = random.random() < 0.25
    connection = await world.connect(APP, tls=tls)
    lines = (b"Origin: https://app.test", *_LINES[1:]) if tls else _LINES
    connection.write(request(_KIND, APP, "GET", "/socket", *lines))
    answer = await ask(world, _KIND, connection, (101,))
    if answer.field(b"Sec-WebSocket-Accept") != _ACCEPT:
        raise WrongError(f"another's Sec-WebSocket-Accept: {answer.head!r}")
    for _ in range(random.choice((0, 1, 20, 200))):
        await _talk(connection)
        if not world.going_on:
            break
    await _end(world, connection)
    await asyncio.sleep(0.01)


async def _talk(connection: Connection) -> None:
    lot = random.random()
    if lot < 0.6:
        payload = token() + pattern(random.choice((0, 50, 119, 1_000, 16_000, 50_000)))
        connection.write(_frame(_BINARY, payload))
        await _message(connection, _BINARY, payload)
    elif lot < 0.8:
        payloads = [token() for _ in range(10)]
        connection.write(b"".join(_frame(_TEXT, payload) for payload in payloads))
        for payload in payloads:
            await _message(connection, _TEXT, payload)
    elif lot < 0.9:
        payload = token()
        connection.write(_frame(_PING, payload))
        await _message(connection, _PONG, payload)
    else:
        data = _frame(_TEXT, b"in pieces")
        for at in range(0, len(data), 3):
            connection.write(data[at : at + 3])
            await asyncio.sleep(0)
        await _message(connection, _TEXT, b"in pieces")


async def _end(world: World, connection: Connection) -> None:
    lot = random.random()
    if lot < 0.5:
        connection.write(_frame(_CLOSING, _CLOSE))
        await _message(connection, _CLOSING, _CLOSE)
        if not await connection.ended():
            raise WrongError("open after closing")
    elif lot < 0.65:
        connection.write(b"\x82\x05hello")  # not masked
        kind, _, payload = await _read_frame(connection)
        if (kind, payload[:2]) != (_CLOSING, b"\x03\xea"):
            raise WrongError(f"a frame without mask got {kind} {payload!r}")
    elif lot < 0.85:
        connection.reset()
    connection.close()


async def idle_websocket(world: World) -> None:
    """One that mostly waits."""
    connection = await world.connect(APP)
    connection.write(request(_KIND, APP, "GET", "/socket", *_LINES))
    await ask(world, _KIND, connection, (101,))
    while world.going_on:
        payload = token()
        connection.write(_frame(_TEXT, payload))
        await _message(connection, _TEXT, payload)
        await asyncio.sleep(random.uniform(1, 3))
    connection.write(_frame(_CLOSING, _CLOSE))
    await _message(connection, _CLOSING, _CLOSE)
    connection.close()
