"""One turn of one contender: a window of load, or a crowd of idle connections, and what it cost."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from benchmarks.load import Load, Target
from benchmarks.process import cpu_seconds, memory

_SETTLE = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures of one turn."""

    cost: float
    """Microseconds of CPU per request, or bytes of memory per connection: the workload says which."""
    memory: int
    """Proportional set size in bytes at the end."""
    rate: float | None = None
    """Requests per second."""
    p50_ms: float | None = None
    p99_ms: float | None = None
    backend: float = 0.0
    """The share of one core that the backend used."""


class Workload(Protocol):
    """A task that contenders are compared at."""

    @property
    def name(self) -> str:
        """What the command line calls it."""

    @property
    def title(self) -> str:
        """What the table calls it."""

    @property
    def unit(self) -> str:
        """What `Sample.cost` counts."""

    @property
    def fresh(self) -> bool:
        """Whether each turn wants a newly started contender."""

    @property
    def static(self) -> bool:
        """Whether the sites are folders instead of applications."""

    def check(self, target: Target) -> None:
        """Raise `BenchmarkError` unless a sample of answers is right."""

    def warm_up(self, target: Target) -> None:
        """Let caches fill and pools open before the first turn."""

    def measure(self, target: Target, seconds: int) -> Sample:
        """Take one turn."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Load for some seconds; the cost is CPU time per unit completed."""

    name: str
    title: str
    load: Callable[[Target, int], Load]
    check: Callable[[Target], None]
    unit: str = "µs"
    fresh: bool = False
    static: bool = False

    def warm_up(self, target: Target) -> None:
        """Load it for a second."""
        self.load(target, 1)

    def measure(self, target: Target, seconds: int) -> Sample:
        """Load it, and divide the CPU time used meanwhile by what was completed."""
        before, backend_before = cpu_seconds(target.pid), cpu_seconds(target.backend.pid)
        load = self.load(target, seconds)
        used = cpu_seconds(target.pid) - before
        return Sample(
            cost=used / load.completed * 1e6,
            memory=memory(target.pid),
            rate=load.completed / load.seconds,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
            backend=(cpu_seconds(target.backend.pid) - backend_before) / load.seconds,
        )


@dataclass(frozen=True, slots=True)
class Idle:
    """A crowd of connections that do nothing; the cost is the memory each adds."""

    name: str
    title: str
    open: Callable[[Target, int], socket.socket]
    use: Callable[[socket.socket, int], None]
    crowd: int
    unit: str = "bytes"
    fresh: bool = True
    static: bool = False

    def check(self, target: Target) -> None:
        """See that one connection works."""
        self._crowd(target, 1)

    def warm_up(self, target: Target) -> None:
        """Open and close some, so that what is made once is there before the first reading."""
        self._crowd(target, 50)

    def measure(self, target: Target, seconds: int) -> Sample:
        """Compare the memory before a crowd came with that while it is there."""
        time.sleep(_SETTLE)
        before = memory(target.pid)
        after = self._crowd(target, self.crowd)
        return Sample(cost=(after - before) / self.crowd, memory=after)

    def _crowd(self, target: Target, size: int) -> int:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.open(target, number)) for number in range(size)]
            time.sleep(_SETTLE)
            held = memory(target.pid)
            for number, client in enumerate(clients):
                self.use(client, number)
        return held
