"""Clients that are slow, or leave in the middle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from benchmarks.backend import LARGE, pattern
from benchmarks.soak.volume import UPLOAD
from benchmarks.soak.wire import Connection, WrongError, read_answer, read_head
from benchmarks.soak.world import APP, FILES, ODD, World, ask, expect, expect_echo, request, token

_PERIOD = 65521
_REPEATED = pattern(_PERIOD * 20)
_WINDOW = 64 * 1024
_READ = 512 * 1024


async def slow_reader(world: World) -> None:
    """Reads 50 MB in pieces with pauses, and compares every octet; half of them leave before the end."""
    kind = "slow-reader"
    site = random.choice((APP, FILES))
    connection = await world.connect(site, tls=random.random() < 0.3, window=_WINDOW)
    connection.write(request(kind, site, "GET", "/large"))
    leaves_at = random.randrange(LARGE * 2)
    _, head = await read_head(connection)
    if b"\r\nContent-Length: %d\r\n" % LARGE not in head:
        raise WrongError(f"no answer of 50 MB: {head!r}")
    at = 0
    while at < LARGE and world.going_on:
        piece = await connection.take(min(_READ, LARGE - at))
        from_ = at % _PERIOD
        if not piece or piece != _REPEATED[from_ : from_ + len(piece)]:
            raise WrongError(f"octets from {at} on differ, or were cut: {len(piece)} came")
        at += len(piece)
        if at > leaves_at:
            break
        await asyncio.sleep(random.choice((0, 0.02, 0.1, 0.5)))
    if at == LARGE:
        world.tally.answered(kind, 200, int(head.partition(b"\r\nX-Request-Id: ")[2].partition(b"\r")[0], 16))
        connection.close()
    else:
        world.tally.abandoned(kind)
        connection.reset() if random.random() < 0.5 else connection.close()


def _pieces(data: bytes, most: int) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = random.randint(1, most)
        yield data[at : at + size]
        at += size


async def slow_writer(world: World) -> None:
    """Sends head and content in small pieces with pauses, and still gets its answer."""
    kind = "slow-writer"
    connection = await world.connect(APP)
    for _ in range(5):
        sent = token()
        await _dribble(connection, request(kind, APP, "GET", "/echo", b"X-Token: " + sent), 40)
        expect_echo(await ask(world, kind, connection, (200,)), sent)
        await _dribble(connection, request(kind, APP, "POST", "/upload", body=UPLOAD), 900)
        await ask(world, kind, connection, (204,), b"POST")
        content = pattern(20_000)
        await _dribble(connection, request(kind, ODD, "POST", "/spool/content", body=content), 2000)
        expect("spooled content", (await ask(world, kind, connection, (200,), b"POST")).body, content)
        if not world.going_on:
            break
    connection.close()


async def _dribble(connection: Connection, data: bytes, most: int) -> None:
    for piece in _pieces(data, most):
        connection.write(piece)
        await asyncio.sleep(random.choice((0, 0, 0.01)))


async def aborted_upload(world: World) -> None:
    """Announces content, sends some of it, and is gone."""
    kind = "aborted-upload"
    site, path = random.choice(((APP, "/upload"), (ODD, "/content"), (ODD, "/spool/content"), (FILES, "/small.css")))
    connection = await world.connect(site, tls=random.random() < 0.2)
    world.tally.abandoned(kind)
    if random.random() < 0.5:
        connection.write(
            request(kind, site, "POST", path, b"Content-Length: 5000000") + pattern(random.randrange(200_000))
        )
    else:
        connection.write(request(kind, site, "POST", path, b"Transfer-Encoding: chunked") + b"2710\r\n" + UPLOAD[:5000])
    await asyncio.sleep(random.choice((0, 0.01, 0.2)))
    connection.reset() if random.random() < 0.7 else connection.close()
    await asyncio.sleep(0.02)


async def impatient(world: World) -> None:
    """Asks, and leaves before or while the answer comes."""
    kind = "impatient"
    site, path = random.choice(((APP, "/large"), (APP, "/chunked"), (ODD, "/slow"), (ODD, "/never"), (FILES, "/large")))
    connection = await world.connect(site, tls=random.random() < 0.2)
    for _ in range(random.choice((1, 1, 3))):
        world.tally.abandoned(kind)
        connection.write(request(kind, site, "GET", path))
    await asyncio.sleep(random.choice((0, 0.005, 0.05, 0.3)))
    connection.reset() if random.random() < 0.7 else connection.close()
    await asyncio.sleep(0.02)


async def never_asking(world: World) -> None:
    """Begins a head and never ends it: 408 and the end of the connection, within the time for a head."""
    kind = "-"
    connection = await world.connect(APP)
    connection.write(b"GET / HTTP/1.1\r\nHost: app.test\r\nX-Slow: ")
    for _ in range(40):
        if connection.closed or connection.buffer:
            break
        connection.write(b"a")
        await asyncio.sleep(0.2)
    answer = await read_answer(connection)
    world.tally.answered(kind, answer.status, answer.request_id)
    if answer.status != 408:
        raise WrongError(f"status {answer.status} instead of 408")
    if not await connection.ended():
        raise WrongError("open after 408")
    connection.close()
