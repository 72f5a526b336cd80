"""Contenders take turns: every round each of them once, so that what the machine does meanwhile hits all alike."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import checks
from benchmarks.backend import Backend
from benchmarks.certificate import certificate
from benchmarks.contenders.base import SITES, Contender, Task
from benchmarks.files import site_folders
from benchmarks.load import Target
from benchmarks.measure import Sample, Workload
from benchmarks.process import BenchmarkError, free_ports, running, wait_for_port

_FRESH_ROUNDS = 3
"""Turns where each wants a newly started contender: memory wanders little."""


@dataclass(slots=True)
class Result:
    """What one workload gave."""

    workload: Workload
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    """One for each round, of each contender that did not fail."""
    failures: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def _started(contender: Contender, backend: Backend, folder: Path, static: bool) -> Iterator[Target]:
    """Run a contender in a new folder until the block ends."""
    served = site_folders(folder / "static") if static else None
    own = Path(tempfile.mkdtemp(prefix=f"{contender.name.partition('@')[0]}-", dir=folder))
    (port, tls_port), output = free_ports(2), own / "output"
    keys = folder / "certificate"
    keys.mkdir(exist_ok=True)
    command = contender.prepare(Task(own, port, tls_port, certificate(keys, SITES), backend.port, served))
    with running(command, output) as pid:
        wait_for_port(port, pid, output)
        target = Target(contender.name, pid, port, tls_port, backend, own, command.log)
        (checks.serves_files if static else checks.does_its_task)(target)
        yield target


class Rounds:
    """Runs one workload with those contenders that can do it."""

    def __init__(
        self, workload: Workload, contenders: Sequence[Contender], backend: Backend, say: Callable[[str], None]
    ) -> None:
        self._workload = workload
        self._contenders = [each for each in contenders if each.static or not workload.static]
        if not self._contenders:
            raise BenchmarkError(f"{workload.name}: none of these contenders serves files")
        self._backend = backend
        self._say = say
        self._result = Result(workload, {contender.name: [] for contender in self._contenders})

    def run(self, folder: Path, rounds: int, seconds: int) -> Result:
        """Take all turns.

        Args:
            folder: For the contenders' own folders.
            rounds: How many turns each contender takes.
            seconds: How long a turn with load lasts.

        Returns:
            All samples; a contender that failed once has none.
        """
        with contextlib.ExitStack() as stack:
            targets: dict[str, Target] = {}
            if not self._workload.fresh:
                for contender in self._contenders:
                    with self._noting_failure(contender):
                        targets[contender.name] = stack.enter_context(self._start(contender, folder))
                        self._prepare(targets[contender.name])
            for number in range(min(rounds, _FRESH_ROUNDS) if self._workload.fresh else rounds):
                for contender in self._order(number):
                    with self._noting_failure(contender):
                        self._turn(contender, targets.get(contender.name), folder, seconds)
        return self._result

    def _order(self, number: int) -> list[Contender]:
        """Begin with another contender each round; those that failed are out."""
        first = number % len(self._contenders)
        order = self._contenders[first:] + self._contenders[:first]
        return [contender for contender in order if contender.name in self._result.samples]

    def _start(self, contender: Contender, folder: Path) -> contextlib.AbstractContextManager[Target]:
        return _started(contender, self._backend, folder, self._workload.static)

    def _prepare(self, target: Target) -> None:
        self._workload.check(target)
        self._workload.warm_up(target)

    def _turn(self, contender: Contender, target: Target | None, folder: Path, seconds: int) -> None:
        if target:
            sample = self._workload.measure(target, seconds)
            self._workload.check(target)
        else:
            with self._start(contender, folder) as fresh:
                self._prepare(fresh)
                sample = self._workload.measure(fresh, seconds)
        self._result.samples[contender.name].append(sample)
        self._say(f"{self._workload.name}: {contender.name} {sample.cost:.1f} {self._workload.unit}")

    @contextlib.contextmanager
    def _noting_failure(self, contender: Contender) -> Iterator[None]:
        try:
            yield
        except BenchmarkError as error:
            del self._result.samples[contender.name]
            self._result.failures[contender.name] = str(error)
            self._say(f"{self._workload.name}: {contender.name} failed: {error}")
