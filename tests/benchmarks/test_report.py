"""Samples of rounds become ratios and a table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Sample
from benchmarks.report import ratios, table, write_json
from benchmarks.rounds import Result
from benchmarks.workloads import WORKLOADS

_SAMPLE = Sample(cost=20.0, memory=2**20, rate=1000.0, p50_ms=1.0, p99_ms=2.0)


def _result() -> Result:
    own, peer = (30.0, 60.0, 10.0), (20.0, 30.0, 10.0)
    return Result(
        WORKLOADS["small"],
        {
            "gateway": [replace(_SAMPLE, cost=cost) for cost in own],
            "nginx": [replace(_SAMPLE, cost=cost) for cost in peer],
        },
        {"caddy": "2 errors beside 7 completed"},
    )


def test_ratios_are_taken_within_rounds() -> None:
    """A ratio compares two contenders in the same round, never across rounds."""
    assert ratios(_result(), "gateway", "nginx") == [1.5, 2.0, 1.0]


def test_failed_contender_has_no_ratio() -> None:
    """A contender that failed is compared with nobody."""
    assert ratios(_result(), "gateway", "caddy") == []


def test_table_quotes_median_ratio_and_spread() -> None:
    """The table shows the median of the rounds' ratios with the least and the greatest."""
    assert "1.50 (1.00-2.00)" in table([_result()])


def test_table_names_failures() -> None:
    """A contender that failed is named below the table with its reason, and has no row."""
    printed = table([_result()])
    assert "small: caddy failed: 2 errors beside 7 completed" in printed
    assert [row.split("|")[2].strip() for row in printed.splitlines()[2:4]] == ["gateway", "nginx"]


def test_table_tells_of_a_busy_backend() -> None:
    """The reader learns where the backend may have been the bottleneck."""
    result = _result()
    result.samples["nginx"][1] = replace(_SAMPLE, backend=0.9)
    assert "small: behind nginx the backend used 90% of a core." in table([result])


def test_json_holds_every_sample(tmp_path: Path) -> None:
    """The file has each round's figures, so that others can compute with them."""
    write_json([_result()], {"nginx": "1.22"}, tmp_path / "figures.json")
    document = json.loads((tmp_path / "figures.json").read_text())
    taken = document["workloads"]["small"]["samples"]["gateway"]
    assert [sample["cost"] for sample in taken] == [30.0, 60.0, 10.0]
