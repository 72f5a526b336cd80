"""Who takes part in a workload."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.backend import Backend
from benchmarks.contenders import CONTENDERS
from benchmarks.measure import Requests
from benchmarks.process import BenchmarkError
from benchmarks.rounds import Rounds
from benchmarks.workloads import WORKLOADS


def _rounds(workload: str, *contenders: str) -> Rounds:
    chosen = WORKLOADS[workload]
    assert isinstance(chosen, Requests)
    # `fresh` starts nobody before the first round, of which there is none here.
    return Rounds(
        replace(chosen, fresh=True), [CONTENDERS[name] for name in contenders], Backend(0, 0, Path()), lambda _: None
    )


def test_all_contenders_proxy(tmp_path: Path) -> None:
    """Every contender takes part where the sites are applications."""
    result = _rounds("small", "nginx", "haproxy", "gateway").run(tmp_path, 0, 1)
    assert list(result.samples) == ["nginx", "haproxy", "gateway"]


@pytest.mark.parametrize("workload", [name for name in WORKLOADS if name.startswith("static")])
def test_who_serves_no_files_is_left_out(workload: str, tmp_path: Path) -> None:
    """HAProxy neither takes part nor fails where the sites are folders."""
    result = _rounds(workload, "nginx", "haproxy", "gateway").run(tmp_path, 0, 1)
    assert list(result.samples) == ["nginx", "gateway"]
    assert not result.failures


def test_nobody_left_is_an_error() -> None:
    """A workload that none of the chosen contenders can do says so."""
    with pytest.raises(BenchmarkError, match="serves files"):
        _rounds("static", "haproxy")
