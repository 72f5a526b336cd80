"""What a client reports counts only if every answer was right."""

from __future__ import annotations

import sys

import pytest

from benchmarks.load import request_text, run_client
from benchmarks.process import BenchmarkError


def _printing(report: str) -> list[str]:
    return [sys.executable, "-c", f"print('noise'); print('''{report}''')"]


def test_report_is_the_last_line() -> None:
    """What a client prints before its report is passed over."""
    assert run_client(_printing('{"completed": 3, "errors": 0}'), 1)["completed"] == 3


@pytest.mark.parametrize("report", ['{"completed": 3, "errors": 1}', '{"completed": 0, "errors": 0}'])
def test_errors_and_silence_are_refused(report: str) -> None:
    """One error spoils a window, and so does a window in which nothing was completed."""
    with pytest.raises(BenchmarkError, match="completed"):
        run_client(_printing(report), 1)


def test_failing_client_is_refused() -> None:
    """A client that ends with a bad status measures nothing."""
    with pytest.raises(BenchmarkError, match="client failed"):
        run_client([sys.executable, "-c", "raise SystemExit(3)"], 1)


def test_requests_of_all_sites_are_of_one_length() -> None:
    """Requests can be cut from one file by their length."""
    assert len(request_text("site01.test", "GET", "/")) == len(request_text("site50.test", "GET", "/"))
