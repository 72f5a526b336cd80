"""The short tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import Sample
from benchmarks.process import BenchmarkError
from benchmarks.rounds import Result
from benchmarks.summary import BEGIN, END, paths_table, put_between_marks, summary
from benchmarks.workloads import WORKLOADS


def _result(workload: str, **costs: list[float]) -> Result:
    samples = {
        name.replace("_", "-"): [Sample(cost=each, memory=2**20) for each in taken] for name, taken in costs.items()
    }
    return Result(WORKLOADS[workload], samples)


def test_summary_has_a_line_for_each_workload() -> None:
    """Costs are medians, ratios are those of the rounds, and who was not there has none."""
    rows = summary(
        [
            _result("small", nginx=[20.0, 30.0, 10.0], gateway=[30.0, 60.0, 10.0], gateway_pure=[40.0, 60.0, 20.0]),
            _result("static", nginx=[20.0], gateway=[10.0]),
        ]
    ).splitlines()
    assert [cell.strip() for cell in rows[2].split("|")[2:-1]] == [
        "20.0",
        "30.0",
        "40.0",
        "1.50 (1.00-2.00)",
        "",
        "2.00 (2.00-2.00)",
    ]
    assert [cell.strip() for cell in rows[3].split("|")[2:5]] == ["20.0", "10.0", "—"]


def test_paths_are_held_against_the_usual_request() -> None:
    """A path counts as dearer where gateway's ratio to nginx is greater than at the usual request by over 30 %."""
    table = paths_table(
        [
            _result("small", nginx=[20.0], gateway=[20.0]),
            _result("head", nginx=[10.0], gateway=[12.0]),
            _result("split-head", nginx=[20.0], gateway=[28.0]),
        ]
    )
    assert [[cell.strip() for cell in row.split("|")[2:-1]] for row in table.splitlines()[2:]] == [
        ["1.20", "1.20", "yes"],
        ["1.40", "1.40", "no"],
    ]


def test_no_paths_without_the_usual_request() -> None:
    """Nothing is compared with what was not measured."""
    assert paths_table([_result("head", nginx=[10.0], gateway=[12.0])]) == ""


def test_table_is_put_between_marks(tmp_path: Path) -> None:
    """What stood between the marks is replaced, everything else stays."""
    file = tmp_path / "README.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_between_marks(file, "new")
    put_between_marks(file, "newer")
    assert file.read_text() == f"before\n{BEGIN}\nnewer\n{END}\nafter\n"


@pytest.mark.parametrize("content", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{END}"])
def test_file_without_marks_is_left_alone(content: str, tmp_path: Path) -> None:
    """A file without a place for the table is not touched."""
    file = tmp_path / "README.md"
    file.write_text(content)
    with pytest.raises(BenchmarkError, match="no place"):
        put_between_marks(file, "new")
    assert file.read_text() == content
