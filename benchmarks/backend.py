"""The application behind all contenders, and the clients that wrk is not: C programs, compiled for each run."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import BenchmarkError, Command, running, wait_for_port

_SOURCES = Path(__file__).parent / "native"
_PERIOD = 65521

LARGE = 50 * 1024 * 1024


def pattern(length: int) -> bytes:
    """The bytes every body consists of; `native/pattern.h` makes the same."""
    period = bytes(33 + (i * 31 + i // 97) % 94 for i in range(min(length, _PERIOD)))
    return (period * (length // _PERIOD + 1))[:length]


@dataclass(frozen=True, slots=True)
class Backend:
    """The running application."""

    pid: int
    port: int
    load: Path
    """The client program of `native/load.c`."""
    requests: Path = Path()
    """The client program of `native/requests.c`."""


def compiled(name: str, folder: Path) -> Path:
    """Compile one of the C programs into a folder.

    Raises:
        BenchmarkError: The compiler refuses it.
    """
    program = folder / name
    argv = ["gcc", "-O2", "-o", str(program), str(_SOURCES / f"{name}.c")]
    built = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if built.returncode:
        raise BenchmarkError(f"gcc cannot compile {name}.c:\n{built.stderr}")
    return program


@contextlib.contextmanager
def backend(folder: Path) -> Iterator[Backend]:
    """Compile all programs into a folder and run the application until the block ends."""
    load, requests = compiled("load", folder), compiled("requests", folder)
    output = folder / "backend.out"
    with running(Command([str(compiled("backend", folder))]), output) as pid:
        yield Backend(pid, _announced_port(pid, output), load, requests)


def _announced_port(pid: int, output: Path) -> int:
    for _ in range(100):
        if text := output.read_text().strip():
            wait_for_port(int(text), pid, output)
            return int(text)
        time.sleep(0.05)
    raise BenchmarkError("the backend did not start")
