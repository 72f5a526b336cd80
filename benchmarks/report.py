"""Samples become a table, or JSON with every round in it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.measure import Sample
from benchmarks.rounds import Result

_PEERS = ("nginx", "caddy")
_BUSY = 0.7


def machine() -> str:
    """The machine in words."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores of {model}, Linux {platform.release().partition('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def _middle(samples: Sequence[Sample], read: Callable[[Sample], float | None]) -> float | None:
    values = [value for sample in samples if (value := read(sample)) is not None]
    return median(values) if values else None


def ratios(result: Result, contender: str, peer: str) -> list[float]:
    """How a contender's cost compares with a peer's, one ratio a round."""
    own, other = result.samples.get(contender, []), result.samples.get(peer, [])
    return [mine.cost / theirs.cost for mine, theirs in zip(own, other, strict=False) if theirs.cost > 0]


def _number(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def ratio(values: list[float]) -> str:
    """Write the median of ratios with the least and the greatest."""
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values else ""


def _row(result: Result, contender: str) -> list[str]:
    samples = result.samples[contender]
    memory = _middle(samples, lambda sample: sample.memory / 2**20)
    return [
        contender,
        f"{_number(_middle(samples, lambda sample: sample.cost))} {result.workload.unit}",
        *(ratio(ratios(result, contender, peer)) for peer in _PEERS),
        _number(_middle(samples, lambda sample: sample.rate), 0),
        _number(_middle(samples, lambda sample: sample.p50_ms), 2),
        _number(_middle(samples, lambda sample: sample.p99_ms), 2),
        _number(memory),
    ]


def table(results: Sequence[Result]) -> str:
    """A Markdown table: medians over the rounds, ratios as median (least-greatest) of the rounds' ratios."""
    columns = ["workload", "contender", "cost", *(f"{peer} = 1" for peer in _PEERS)]
    lines = [[*columns, "a second", "p50 ms", "p99 ms", "memory MB"]]
    notes = []
    for result in results:
        title = result.workload.title
        for contender in result.samples:
            lines.append([title, *_row(result, contender)])
            title = ""
            busy = max(sample.backend for sample in result.samples[contender])
            if busy > _BUSY:
                notes.append(f"{result.workload.name}: behind {contender} the backend used {busy:.0%} of a core.")
        notes += [f"{result.workload.name}: {name} failed: {reason}" for name, reason in result.failures.items()]
    return "\n".join([*aligned(lines), *(f"\n{note}" for note in notes)])


def aligned(lines: list[list[str]]) -> list[str]:
    """Write rows as a table in Markdown, the first one as its head."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    rows = [
        "| " + " | ".join(cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in cells) + " |"
        for cells in (list(enumerate(zip(line, widths, strict=True))) for line in lines)
    ]
    rule = "|" + "|".join("-" * (width + 1) + ("-" if at < 2 else ":") for at, width in enumerate(widths)) + "|"
    return [rows[0], rule, *rows[1:]]


def write_json(results: Sequence[Result], versions: Mapping[str, str], path: Path) -> None:
    """Write every sample of every round, and where they were taken.

    Args:
        results: What to write.
        versions: Of each contender.
        path: The file to write.
    """
    document = {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": dict(versions),
        "workloads": {
            result.workload.name: {
                "title": result.workload.title,
                "unit": result.workload.unit,
                "samples": {name: [asdict(sample) for sample in taken] for name, taken in result.samples.items()},
                "ratios": {name: {peer: ratios(result, name, peer) for peer in _PEERS} for name in result.samples},
                "failures": result.failures,
            }
            for result in results
        },
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
