"""What a soak found, in words."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.soak.tally import Tally
from benchmarks.soak.watch import Reading, trend

_MB = 2**20
_LONG_ENOUGH = 60.0
"""Seconds of load from which on memory tells something."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a soak gave.

    Attributes:
        tally: What clients saw.
        wrong: What was found afterwards: descriptors, logs.
        readings: Memory over time.
        load: Cores that the gateway kept busy.
        most_descriptors: Open at one moment.
        seconds: How long the load lasted.
    """

    tally: Tally
    wrong: list[str]
    readings: list[Reading]
    load: float
    most_descriptors: int
    seconds: float

    @property
    def leaks(self) -> bool:
        """Whether memory grew by more than is allowed."""
        line = trend(self.readings)
        return self.seconds >= _LONG_ENOUGH and line.growth > line.allowed

    @property
    def failed(self) -> bool:
        """Whether anything was found."""
        return bool(self.tally.findings or self.wrong or self.leaks)


def report(outcome: Outcome) -> str:
    """Write it.

    Args:
        outcome: What to tell.

    Returns:
        Lines of text.
    """
    counts = outcome.tally.counts
    answered = sum(count.answered for count in counts.values())
    width = max((len(kind) for kind in counts), default=0)
    lines = [f"{'client':{width}}  answered  given up  statuses"]
    for kind, count in sorted(counts.items()):
        statuses = " ".join(f"{status}:{number}" for status, number in sorted(count.statuses.items()))
        lines.append(f"{kind:{width}}  {count.answered:8}  {count.abandoned:8}  {statuses}")
    lines.append(
        f"{answered} answers in {outcome.seconds:.0f} s, {answered / outcome.seconds:.0f} a second; the gateway kept "
        f"{outcome.load:.2f} cores busy, and at most {outcome.most_descriptors} descriptors open"
    )
    lines.append(_memory(outcome.readings, outcome.leaks))
    findings = [*outcome.tally.findings, *outcome.wrong]
    lines += [f"FOUND: {finding}" for finding in findings]
    if outcome.tally.more_findings:
        lines.append(f"FOUND: {outcome.tally.more_findings} more")
    lines.append("failed" if outcome.failed else "nothing found")
    return "\n".join(lines)


def _memory(readings: list[Reading], leaks: bool) -> str:
    line = trend(readings)
    tenth = max(1, len(readings) // 10)
    shown = " ".join(f"{reading.octets / _MB:.1f}" for reading in readings[::tenth])
    return (
        f"{'FOUND: ' if leaks else ''}memory in MB: {shown}; in the second half {line.middle / _MB:.1f} on average, "
        f"{line.growth / _MB:+.2f} along its line of least squares ({line.allowed / _MB:.1f} allowed)"
    )
