"""The programs of `tests/e2e/node/`, which use packages from npm."""

from __future__ import annotations

import json
import subprocess

from tests.support.programs import ROOT, missing, require

NODE = ROOT / "tests" / "e2e" / "node"
TIMEOUT = 300.0
"""Seconds for a whole run; the programs give up before that, and say what they have seen."""


def node_program() -> str:
    """Find node and the installed packages, or skip."""
    program = require("node")
    if not (NODE / "node_modules" / "ws").is_dir():
        missing("the node packages are not installed (make test does it)")
    return program


def run_node(script: str, *arguments: str) -> dict[str, object]:
    """Run a client to its end.

    Returns:
        The JSON object that it prints as its last line.
    """
    # localhost may name ::1 first, and the servers under test listen on 127.0.0.1.
    command = [node_program(), "--dns-result-order=ipv4first", str(NODE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    answer = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(answer, dict), answer
    return answer
