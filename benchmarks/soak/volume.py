"""Clients that keep the gateway busy: on connections that stay, and on ever new ones."""

from __future__ import annotations

import asyncio
import random

from benchmarks.backend import pattern
from benchmarks.soak.wire import Connection
from benchmarks.soak.world import APP, ODD, World, ask, expect, expect_echo, request, token

SMALL, CHUNKED, UPLOAD = pattern(1024), pattern(20 * 1024), pattern(10 * 1024)


async def _one(world: World, kind: str, connection: Connection, *lines: bytes) -> None:
    """One exchange of a kind drawn by lot, or several in one write."""
    lot = random.random()
    if lot < 0.2:
        connection.write(request(kind, APP, "GET", "/small", *lines))
        expect("/small", (await ask(world, kind, connection, (200,))).body, SMALL)
    elif lot < 0.3:
        connection.write(request(kind, APP, "GET", "/chunked", *lines))
        expect("/chunked", (await ask(world, kind, connection, (200,))).body, CHUNKED)
    elif lot < 0.4:
        connection.write(request(kind, APP, "POST", "/upload", *lines, body=UPLOAD))
        await ask(world, kind, connection, (204,), b"POST")
    elif lot < 0.45:
        connection.write(request(kind, ODD, "HEAD", "/content", *lines))
        await ask(world, kind, connection, (200,), b"HEAD")
    elif lot < 0.5:
        await _chunked_upload(world, kind, connection, *lines)
    else:
        tokens = [token() for _ in range(random.choice((1, 1, 1, 2, 5)))]
        for sent in tokens[:-1]:
            connection.write(request(kind, APP, "GET", "/echo", b"X-Token: " + sent))
        connection.write(request(kind, APP, "GET", "/echo", b"X-Token: " + tokens[-1], *lines))
        for sent in tokens:
            expect_echo(await ask(world, kind, connection, (200,)), sent)


async def _chunked_upload(world: World, kind: str, connection: Connection, *lines: bytes) -> None:
    content = pattern(random.choice((1, 100, 5_000, 70_000, 300_000)))
    path = random.choice(("/content", "/spool/content"))
    connection.write(request(kind, ODD, "POST", path, b"Transfer-Encoding: chunked", *lines))
    at = 0
    while at < len(content):
        piece = content[at : at + random.choice((1, 1_000, 60_000))]
        connection.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        at += len(piece)
    connection.write(b"0\r\n\r\n")
    expect(path, (await ask(world, kind, connection, (200,), b"POST")).body, content)


async def staying(world: World) -> None:
    """A thousand exchanges on each connection."""
    connection = await world.connect(APP)
    for _ in range(1000):
        if not world.going_on:
            break
        await _one(world, "staying", connection)
    connection.close()


async def staying_tls(world: World) -> None:
    """The same over TLS, on connections of fifty exchanges."""
    connection = await world.connect(APP, tls=True)
    for _ in range(50):
        if not world.going_on:
            break
        await _one(world, "staying-tls", connection)
    connection.close()


async def reconnecting(world: World) -> None:
    """Few exchanges on each connection, which ends in one of many ways."""
    kind = "reconnecting"
    connection = await world.connect(APP, tls=random.random() < 0.15)
    for _ in range(random.randrange(3)):
        await _one(world, kind, connection)
    lot = random.random()
    if lot < 0.3:
        await _one(world, kind, connection, b"Connection: close")
        if not await connection.ended():
            world.tally.found(f"{kind}: open after Connection: close")
    elif lot < 0.6:
        connection.write(request(kind, APP, "GET", "/small", version=0))
        expect("/small of HTTP/1.0", (await ask(world, kind, connection, (200,))).body, SMALL)
        if not await connection.ended():
            world.tally.found(f"{kind}: open after HTTP/1.0")
    elif lot < 0.8:
        connection.reset()
    connection.close()
    await asyncio.sleep(0.01)


async def idling(world: World) -> None:
    """Connections that mostly wait."""
    connection = await world.connect(APP)
    while world.going_on:
        sent = token()
        connection.write(request("idling", APP, "GET", "/echo", b"X-Token: " + sent))
        expect_echo(await ask(world, "idling", connection, (200,)), sent)
        await asyncio.sleep(random.uniform(1, 4))
    connection.close()
