"""Commands of the operator."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.tls.hooks import Hook, HookFailed, run
from gateway.units import Seconds
from tests.support.issuing import InlineWorker
from tests.support.waiting import PATIENCE, eventually


def test_arguments(tmp_path: Path) -> None:
    """A command gets its own arguments and then ours; it succeeds with status 0."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", f"import sys; open({str(out)!r}, 'w').write(' '.join(sys.argv[1:]))", "own"]
    results: list[object] = []
    Hook(command, InlineWorker()).call(("add", "NAME"), Seconds(PATIENCE)).addBoth(results.append)
    assert results == [None]
    assert out.read_text() == "own add NAME"


def test_failure() -> None:
    """A failing command is told with its output, on one line."""
    with pytest.raises(HookFailed, match=r"ended with 3: 'went\\nwrong'"):
        run([sys.executable, "-c", "print('went'); print('wrong'); raise SystemExit(3)"], Seconds(PATIENCE), os.environ)


def test_missing() -> None:
    """A command that is not there is told."""
    with pytest.raises(HookFailed, match="cannot be run: No such file"):
        run(["/nonexistent/hook"], Seconds(PATIENCE), os.environ)


def test_too_long(tmp_path: Path) -> None:
    """A command that takes too long is ended, with all that it started."""
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(HookFailed, match="took longer than"):
        run(["/bin/sh", "-c", 'exec 9>"$0"; sleep 600 & sleep 600', str(tmp_path / "held")], Seconds(0.2), os.environ)

    def let_go() -> bool:
        with suppress(BlockingIOError):  # somebody holds it open for writing
            return os.read(reader, 1) == b""
        return False

    eventually(let_go)
    os.close(reader)
