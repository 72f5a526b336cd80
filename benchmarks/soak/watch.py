"""What the gateway holds while clients come and go: memory second by second, and descriptors by kind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from benchmarks.process import cpu_seconds, memory, tree

_SETTLED = 1 / 3
"""The share of the time that is warming up: caches fill, pools open, the allocator takes its arenas."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Memory at one moment."""

    seconds: float
    octets: int


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through the readings of a span.

    Attributes:
        growth: Octets by which the line rises from the first reading to the last.
        middle: Mean of the readings, in octets.
        readings: Their number.
    """

    growth: float
    middle: float
    readings: int

    @property
    def allowed(self) -> float:
        """Octets that are no leak: what one large answer more or less in its buffers makes."""
        return max(4 * 2**20, 0.04 * self.middle)


def trend(readings: list[Reading]) -> Trend:
    """Lay the line of least squares through the second half of what is left after warming up.

    Args:
        readings: All of them, in order of time.

    Returns:
        The line; flat where there are fewer than three readings.
    """
    if not readings:
        return Trend(0, 0, 0)
    first, last = readings[0].seconds, readings[-1].seconds
    settled = first + (last - first) * max(_SETTLED, 0.5)
    late = [reading for reading in readings if reading.seconds >= settled]
    times, octets = [reading.seconds for reading in late], [reading.octets for reading in late]
    mean_time, mean = sum(times) / len(late), sum(octets) / len(late)
    spread = sum((time_ - mean_time) ** 2 for time_ in times)
    if len(late) < 3 or not spread:
        return Trend(0, mean, len(late))
    both = zip(times, octets, strict=True)
    slope = sum((time_ - mean_time) * (octet - mean) for time_, octet in both) / spread
    return Trend(slope * (times[-1] - times[0]), mean, len(late))


PIPE: Final = "pipe"
"""How pipes are counted, of either end."""


def descriptors(pid: int) -> Counter[str]:
    """Count the open descriptors of a process tree: sockets, pipes, files by their path, and others.

    Args:
        pid: Its first process.

    Returns:
        A number for each kind.
    """
    counted: Counter[str] = Counter()
    for each in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for name in os.listdir(f"/proc/{each}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    target = os.readlink(f"/proc/{each}/fd/{name}")
                    counted[target if target.startswith("/") else target.partition(":")[0]] += 1
    return counted


def left_over(base: Counter[str], now: Counter[str]) -> list[str]:
    """Name what is open that was not open at the beginning; log files may be closed or open.

    Args:
        base: Counted before the load.
        now: Counted after it.

    Returns:
        One text for each kind of which there is more.
    """
    return [
        f"{more} {kind}" for kind, more in sorted((now - base).items()) if not kind.partition(" (")[0].endswith(".log")
    ]


class Watch:
    """Samples a process tree once a second.

    Args:
        pid: Its first process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic()
        self._cpu = cpu_seconds(pid)
        self.readings: list[Reading] = []
        self.most_descriptors = 0

    async def run(self) -> None:
        """Sample, forever."""
        while True:
            await asyncio.sleep(1)
            self.readings.append(Reading(time.monotonic() - self._began, memory(self._pid)))
            self.most_descriptors = max(self.most_descriptors, sum(descriptors(self._pid).values()))

    @property
    def load(self) -> float:
        """Cores that the processes have kept busy since the beginning."""
        return (cpu_seconds(self._pid) - self._cpu) / (time.monotonic() - self._began)
