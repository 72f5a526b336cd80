"""What a client reports counts only if every answer was right."""

from __future__ import annotations

import sys

import pytest

from benchmarks.load import expect_bytes, request_text, run_client
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


def test_more_fields_are_part_of_the_request() -> None:
    """A condition is sent like any other field, before the end of the head."""
    text = request_text("site01.test", "GET", "/", fields={"If-None-Match": '"a"'})
    assert text.endswith(b'\r\nIf-None-Match: "a"\r\n\r\n')


def test_as_many_bytes_as_answers_have_are_accepted() -> None:
    """Heads, and answers that were under way at the end, may come on top of what was completed."""
    expect_bytes({"completed": 10, "bytes": 10 * 1300 + 3 * 900}, 4, 1024)


@pytest.mark.parametrize("received", [10 * 1024 - 1, 10 * 102_400])
def test_answers_too_short_or_too_long_are_refused(received: int) -> None:
    """A window is refused where answers lack bytes, and where whole files came instead of what was asked for."""
    with pytest.raises(BenchmarkError, match="10 answers of 1024 bytes"):
        expect_bytes({"completed": 10, "bytes": received}, 4, 1024)
