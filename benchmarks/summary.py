"""The short tables: what the README quotes, and whether unusual requests cost more than they must."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.process import BenchmarkError
from benchmarks.report import aligned, ratio, ratios
from benchmarks.rounds import Result

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"

_USUAL = "small"
_PATHS = ("head", "http10", "pipelined", "split-head", "not-modified", "post", "chunked")
_DEARER = 1.3


def summary(results: Sequence[Result]) -> str:
    """Write one line for each workload: costs side by side, and gateway's ratios.

    Args:
        results: In the order of the table.

    Returns:
        A table in Markdown.
    """
    names = ["nginx", "haproxy", "caddy", "gateway", "gateway-pure"]
    present = [name for name in names if any(name in result.samples for result in results)]
    lines = [["task", *present, "gateway ÷ nginx", "gateway ÷ Caddy", "gateway-pure ÷ nginx"]]
    for result in results:
        unit = "" if result.workload.unit == "µs" else f", {result.workload.unit}"
        lines.append(
            [
                result.workload.title + unit,
                *(_cost(result, name) for name in present),
                ratio(ratios(result, "gateway", "nginx")),
                ratio(ratios(result, "gateway", "caddy")),
                ratio(ratios(result, "gateway-pure", "nginx")),
            ]
        )
    return "\n".join(aligned(lines))


def _cost(result: Result, name: str) -> str:
    samples = result.samples.get(name)
    if not samples:
        return "—"
    cost = median(sample.cost for sample in samples)
    return f"{cost:,.0f}" if cost >= 100 else f"{cost:.1f}"


def paths_table(results: Sequence[Result]) -> str:
    """Compare what gateway costs beside nginx at unusual requests with what it costs beside nginx at the usual one.

    A request of another sort costs every server something else; a path that is slow in gateway alone shows where the
    ratio to nginx is greater than that of the usual request.

    Args:
        results: All that was measured.

    Returns:
        A table in Markdown; empty where the usual request was not measured with both.
    """
    found = {result.workload.name: _beside_nginx(result) for result in results}
    usual = found.get(_USUAL)
    if not usual or not any(found.get(name) for name in _PATHS):
        return ""
    lines = [["path", "gateway ÷ nginx", f"{_USUAL} = 1", "at most 30 % dearer"]]
    for result in results:
        own = found[result.workload.name]
        if own and result.workload.name in _PATHS:
            dearer = own / usual
            verdict = "yes" if dearer <= _DEARER else "no"
            lines.append([result.workload.title, f"{own:.2f}", f"{dearer:.2f}", verdict])
    return "\n".join(aligned(lines))


def _beside_nginx(result: Result) -> float | None:
    values = ratios(result, "gateway", "nginx")
    return median(values) if values else None


def put_between_marks(file: Path, text: str) -> None:
    """Replace what stands between the two marks in a file.

    Args:
        file: The file.
        text: What stands there from now on.

    Raises:
        BenchmarkError: The marks are not there, each once and in order.
    """
    content = file.read_text("utf-8")
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise BenchmarkError(f"{file} has no place for a table: {BEGIN} and {END}, each once")
    file.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
