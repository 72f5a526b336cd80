from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(program: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_installs_on_uvloop() -> None:
    """With nothing installed, asyncio's reactor runs on a uvloop loop."""
    kind = "type(reactor._asyncioEventloop).__module__"
    program = f"import gateway.reactor as r; print(r.install()); from twisted.internet import reactor; print({kind})"
    assert run(program).split() == ["True", "uvloop"]


def test_respects_what_is_there() -> None:
    """A reactor that somebody chose stays."""
    program = (
        "from twisted.internet import selectreactor as s; s.install(); import gateway.reactor as r; print(r.install())"
    )
    assert run(program) == "False"


def test_without_uvloop() -> None:
    """Without uvloop the choice is left to Twisted, and the log says so."""
    program = """
import sys
sys.modules["uvloop"] = None
from twisted.logger import globalLogPublisher
globalLogPublisher.addObserver(lambda event: print(event["log_format"]))
import gateway.reactor as r, gateway.net.endpoints
print(r.install(), "twisted.internet.reactor" in sys.modules)
"""
    lines = run(program).splitlines()
    assert "uvloop is not installed" in lines[0]
    assert lines[1] == "False False"


def test_nothing_installs_a_reactor_by_import() -> None:
    """The modules that twistd loads before it reads the options leave the choice of the reactor open."""
    modules = "gateway.options, gateway.net.listening, gateway.net.tls_client, autobahn.twisted.websocket"
    program = f"import sys, {modules}; print('twisted.internet.reactor' in sys.modules)"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
