"""The choice between extensions and plain Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gateway
from gateway import compiled
from tests.support.waiting import PATIENCE

ROOT = Path(gateway.__file__).parents[1]
LOOK = """
import gateway
from gateway.protocol import http1_head
print(gateway.FORM, http1_head.parse_request.__module__, sep="\\n")
"""
needs_compiled = pytest.mark.skipif(not compiled.NOTE.exists(), reason="nothing is compiled here")


def run(folder: Path, **environment: str) -> list[str]:
    """Import gateway anew from a folder, and tell which form it says it runs, and which parser it has."""
    cleared = {name: value for name, value in os.environ.items() if name != "GATEWAY_PURE"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={**cleared, "PYTHONPATH": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return done.stdout.splitlines()


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "gateway", folder / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_ci_has_both_forms() -> None:
    """Where every test must run, the extensions are there: only `GATEWAY_PURE=1` keeps them out."""
    if os.environ.get("CI") != "true":
        pytest.skip("not in CI")
    expected = "plain Python: GATEWAY_PURE=1" if os.environ.get("GATEWAY_PURE") == "1" else "compiled ("
    assert gateway.FORM.startswith(expected)


@needs_compiled
def test_compiled_form_runs() -> None:
    """Without a word to the contrary the extensions run."""
    assert [line.split(" (")[0] for line in run(ROOT)] == ["compiled", "gateway.protocol._http1_head"]


@needs_compiled
def test_pure() -> None:
    """`GATEWAY_PURE=1` means plain Python, though extensions are there."""
    assert run(ROOT, GATEWAY_PURE="1") == ["plain Python: GATEWAY_PURE=1", "gateway.protocol.http1_request"]


@needs_compiled
def test_old_extensions_never_run(tmp_path: Path) -> None:
    """A source changed since the build means plain Python, and says which one it is."""
    folder = copied(tmp_path)
    with (folder / "gateway/web/tree.py").open("a") as source:
        source.write("# changed\n")
    form, parser = run(folder)
    assert form == "plain Python: gateway.web.tree has changed since it was compiled: install gateway again"
    assert parser == "gateway.protocol.http1_request"


@needs_compiled
def test_other_python(tmp_path: Path) -> None:
    """Extensions of another Python are not tried."""
    folder = copied(tmp_path)
    note = json.loads((folder / "gateway/compiled.json").read_text())
    note["suffix"] = ".cpython-27.so"
    (folder / "gateway/compiled.json").write_text(json.dumps(note))
    assert run(folder)[0] == "plain Python: compiled for another Python (.cpython-27.so): install gateway again"


def test_nothing_compiled(tmp_path: Path) -> None:
    """Without a note of the build it runs as plain Python, whatever extensions lie there."""
    folder = copied(tmp_path)
    (folder / "gateway/compiled.json").unlink(missing_ok=True)
    assert run(folder) == [
        "plain Python: nothing was compiled at installation",
        "gateway.protocol.http1_request",
    ]


def test_without_compiler(tmp_path: Path) -> None:
    """The build says what is missing where there is no C compiler, fails nothing, and leaves no old extension."""
    folder = copied(tmp_path)
    (folder / "gateway/compiled.json").unlink(missing_ok=True)
    (folder / "gateway/core.old.so").touch()
    shutil.copy(ROOT / "hatch_build.py", folder)
    code = "import hatch_build, pathlib; print(hatch_build.compile_all(pathlib.Path('.'), print))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.splitlines() == [
        "no C compiler: gateway runs as plain Python, with about twice the CPU time for a request",
        "False",
    ]
    assert not [*folder.rglob("*.so")]
