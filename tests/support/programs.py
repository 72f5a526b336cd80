"""External programs: used where they are installed, and demanded in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def require(program: str) -> str:
    """Find `program`; skip the test without it, or fail where CI=true.

    Returns:
        Its path.
    """
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        missing(f"{program} is not installed")
    return found


def missing(what: str) -> None:
    """Skip the running test because of `what`; fail it where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI runs every test")
    pytest.skip(what)
