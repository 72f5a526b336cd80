"""The crowd: the clients that make the load full, a C program of its own (`native/crowd.c`)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from benchmarks.soak.tally import Tally
from benchmarks.soak.world import APP

_CONNECTIONS = 48
_GRACE = 60.0


async def crowd(program: Path, port: int, seconds: float, seed: int, tally: Tally) -> None:
    """Let the crowd ask until the time is up, and count its answers.

    Args:
        program: Compiled.
        port: Of the gateway.
        seconds: How long it asks.
        seed: Of what it draws by lot.
        tally: Takes what it saw.
    """
    argv = [str(program), str(port), APP, str(_CONNECTIONS), str(seconds), str(seed)]
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(seconds + _GRACE):
            output, complaints = await child.communicate()
    except TimeoutError:
        child.kill()
        await child.wait()
        tally.found("the crowd did not end")
        return
    for complaint in complaints.decode("latin-1").splitlines():
        tally.found(f"crowd: {complaint}")
    if child.returncode:
        tally.found(f"the crowd ended with {child.returncode}")
        return
    seen = json.loads(output)
    if seen["errors"]:
        tally.found(f"crowd: {seen['errors']} errors")
    count = tally.count("crowd")
    count.answered += seen["completed"]
    count.statuses[200] += seen["completed"]
    count.add(seen["ids"])
