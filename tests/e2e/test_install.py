"""gateway as installed: its programs work from any folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installation import editable_installation, run_program, wheel_installation

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("install", [wheel_installation, editable_installation], ids=["wheel", "editable"])
def test_programs_answer_anywhere(install: Callable[[Path], Path], tmp_path: Path) -> None:
    """`twistd gateway --help`, `gateway --help` and the demo's own work from any other folder."""
    programs = install(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    twistd = run_program(programs / "twistd", "gateway", "--help", cwd=elsewhere)
    assert "twistd [options] gateway" in twistd
    assert "-c" in twistd
    assert "check" in run_program(programs / "gateway", "--help", cwd=elsewhere)
    assert "--port" in run_program(programs / "python", "-m", "gateway.demo", "--help", cwd=elsewhere)
