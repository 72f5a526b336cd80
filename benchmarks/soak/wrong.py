"""Clients that ask for what goes wrong: malformed requests, applications that fail, die and return."""

from __future__ import annotations

import asyncio
import random

from benchmarks.backend import pattern
from benchmarks.soak.origin import BODY
from benchmarks.soak.volume import SMALL
from benchmarks.soak.wire import WrongError, read_answer
from benchmarks.soak.world import DEAD, DYING, FILES, ODD, World, ask, expect, expect_echo, request, token
from tests.corpora.hostile_requests import HOSTILE_REQUESTS

_ODD: tuple[tuple[str, tuple[int, ...], bool], ...] = (
    ("/reset", (502, 503), True),
    ("/garbage", (502,), True),
    ("/short", (200,), False),
    ("/cut", (200,), False),
    ("/broken", (500,), True),
    ("/until-close", (200,), True),
    ("/slow", (200,), True),
    ("/hints", (200,), True),
    ("/much", (502,), True),
    ("/more", (200,), True),
    ("/nothing", (404,), True),
    ("/never", (503,), True),
)


async def odd_application(world: World) -> None:
    """Asks the application that misbehaves in every way; what is not its answer is a page of the gateway's."""
    kind = "odd"
    path, statuses, complete = random.choice(_ODD)
    connection = await world.connect(ODD, tls=random.random() < 0.2)
    for _ in range(3):
        connection.write(request(kind, ODD, "GET", path))
        answer = await ask(world, kind, connection, statuses, complete=complete)
        if not complete:
            if not BODY.startswith(answer.body):
                raise WrongError(f"{path}: content that differs")
            break
        if answer.status in (200, 500):
            expect(path, answer.body, BODY)
        if not world.going_on:
            break
    connection.close()


async def dying_application(world: World) -> None:
    """Asks an application that dies and returns: its answer, whole or cut, or a page of the gateway's."""
    kind = "dying"
    connection = await world.connect(DYING)
    for _ in range(50):
        sent = token()
        connection.write(request(kind, DYING, "GET", "/head", b"X-Token: " + sent))
        answer = await ask(world, kind, connection, (200, 502, 503))
        if answer.status == 200:
            expect_echo(answer, sent)
        content = pattern(random.randrange(1, 30_000))
        connection.write(request(kind, DYING, "POST", "/content", body=content))
        answer = await ask(world, kind, connection, (200, 502, 503), b"POST")
        if answer.status == 200:
            expect("/content", answer.body, content)
        if b"\r\nConnection: close\r\n" in answer.head or not world.going_on:
            break
        await asyncio.sleep(0.01)
    connection.close()


async def dead_application(world: World) -> None:
    """Asks for an application that is not there, and for hosts of no site."""
    kind = "dead"
    connection = await world.connect(DEAD)
    for _ in range(20):
        connection.write(request(kind, DEAD, "GET", "/"))
        await ask(world, kind, connection, (502, 503))
        connection.write(request(kind, f"site{random.randrange(10**6)}.invalid", "GET", "/"))
        answer = await read_answer(connection)
        world.tally.answered(kind, answer.status, answer.request_id)
        if answer.status != 404 or not answer.complete:
            raise WrongError(f"an unknown host got {answer.status}")
        if not world.going_on:
            break
        await asyncio.sleep(0.02)
    connection.close()


async def malformed(world: World) -> None:
    """Sends a hostile request from the corpus: its status, and the end of the connection."""
    entry = random.choice([entry for entry in HOSTILE_REQUESTS if not entry.above_parser])
    connection = await world.connect("", tls=False)
    connection.write(entry.data)
    answer = await read_answer(connection)
    world.tally.answered("-", answer.status, answer.request_id)
    if answer.status != entry.status or not answer.complete:
        raise WrongError(f"{entry.name}: {answer.status} instead of {entry.status}, complete {answer.complete}")
    if not await connection.ended():
        raise WrongError(f"{entry.name}: something follows the answer")
    connection.close()
    await asyncio.sleep(0.01)


async def files(world: World) -> None:
    """Asks for files: whole, in part, conditionally, and for those that are not there."""
    kind = "files"
    connection = await world.connect(FILES, tls=random.random() < 0.3)
    for _ in range(100):
        lot = random.random()
        if lot < 0.4:
            connection.write(request(kind, FILES, "GET", "/small.css"))
            expect("small file", (await ask(world, kind, connection, (200,))).body, SMALL)
        elif lot < 0.5:
            connection.write(request(kind, FILES, "GET", "/small.css", b"If-None-Match: " + world.etag.encode()))
            await ask(world, kind, connection, (304,))
        elif lot < 0.6:
            connection.write(request(kind, FILES, "HEAD", "/medium.webp"))
            await ask(world, kind, connection, (200,), b"HEAD")
        elif lot < 0.75:
            first = random.randrange(1_000_000)
            size = random.randrange(1, 200_000)
            part = b"Range: bytes=%d-%d" % (first, first + size - 1)
            connection.write(request(kind, FILES, "GET", "/large", part))
            wanted = pattern(first % 65521 + size)[first % 65521 :]
            expect("range", (await ask(world, kind, connection, (206,))).body, wanted)
        elif lot < 0.9:
            connection.write(request(kind, FILES, "GET", "/medium.webp"))
            expect("medium file", (await ask(world, kind, connection, (200,))).body, pattern(100 * 1024))
        else:
            connection.write(request(kind, FILES, "GET", f"/none{random.randrange(100_000)}.css"))
            await ask(world, kind, connection, (404,))
        if not world.going_on:
            break
    connection.close()
