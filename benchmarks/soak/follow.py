"""Reads the access logs while they are written, through their rotations, and the operator's log at the end."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from benchmarks.soak.tally import Logged

_LINE = re.compile(rb'"([^"\n]*)" host=\S* id=(\S+) [^\n]* socket=(\S+) [^\n]*\n')
_PIECE = 4 * 1024 * 1024


class Follower:
    """Counts the lines of all logs in a folder, by User-Agent.

    Args:
        folder: The folder.

    Attributes:
        logged: The counts.
        odd: The first lines that are none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, int] = {}
        self._rest: dict[Path, bytes] = {}
        self.logged: dict[str, Logged] = {}
        self.odd: list[bytes] = []

    async def run(self) -> None:
        """Read what is new four times a second, forever."""
        while True:
            await asyncio.sleep(0.25)
            self.read()

    def read(self) -> None:
        """Read all that is new."""
        for path in self._folder.glob("*.log"):
            descriptor = self._open.get(path)
            if descriptor is None:
                self._open[path] = descriptor = os.open(path, os.O_RDONLY)
            self._drain(path, descriptor)
            try:
                replaced = os.stat(path).st_ino != os.fstat(descriptor).st_ino
            except FileNotFoundError:
                replaced = True
            if replaced:
                self._drain(path, descriptor)
                os.close(self._open.pop(path))

    def close(self) -> None:
        """Close all files."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _drain(self, path: Path, descriptor: int) -> None:
        while data := os.read(descriptor, _PIECE):
            data = self._rest.get(path, b"") + data
            end = data.rfind(b"\n") + 1
            self._rest[path] = data[end:]
            self._count(data[:end])

    def _count(self, lines: bytes) -> None:
        found = 0
        for agent, request_id, socket in _LINE.findall(lines):
            found += 1
            if socket != b"open":
                count = self.logged.setdefault(agent.decode("ascii").removeprefix("soak-"), Logged())
                count.add(int(request_id, 16))
        if found != lines.count(b"\n") and len(self.odd) < 5:
            self.odd += [line for line in lines.splitlines(keepends=True) if not _LINE.search(line)][:5]


_EXPECTED = re.compile(
    rb"^\S+ \[[\w.]+(?:"
    rb"#warn\] (?:worker [0-9]+: )?(?:127\.0\.0\.1:[0-9]+[ :]|[a-z ]*over [0-9]+ (?:octets|trailer))"
    rb"|#info\] (?:worker [0-9]+: )?(?:listening on |serving |running |worker [0-9]+ \(pid [0-9]+\) serves)"
    rb").*$"
)
"""What is said at the start, of applications that fail, as some here do all the time, and of large heads."""


def unexpected(text: bytes, known: tuple[bytes, ...]) -> list[str]:
    """Find the lines of the operator's log that a soak does not explain.

    Args:
        text: The log.
        known: What it said at the start; these lines may come again.

    Returns:
        The others.
    """
    return [
        line.decode("utf-8", "replace")
        for line in text.splitlines()
        if line.strip() and not _EXPECTED.match(line) and _without_time(line) not in known
    ]


def _without_time(line: bytes) -> bytes:
    return line.partition(b" ")[2]
