"""The real `twistd gateway` over a temporary folder of site files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import Process, free_port

REACTORS = ("uvloop", "epoll")
_TWISTD = "from twisted.scripts.twistd import run; run()"


class Twistd:
    """A running gateway.

    Attributes:
        port: Its plain listener on 127.0.0.1.
        folder: Its site files.
    """

    def __init__(self, folder: Path, sites: Mapping[str, str], *, reactor: str, settings: str = "") -> None:
        self.port = free_port()
        self.folder = folder / "sites"
        self.folder.mkdir()
        listeners = f'http = ["127.0.0.1:{self.port}"]\nhttps = []\nstate = "{folder / "state"}"\n'
        (self.folder / "gateway.toml").write_text(listeners + settings)
        for name, text in sites.items():
            (self.folder / f"{name}.toml").write_text(text)
        choice = [] if reactor == "uvloop" else [f"--reactor={reactor}"]
        command = [sys.executable, "-c", _TWISTD, "-n", "--pidfile=", *choice, "gateway", "-c", self.folder]
        self.process = Process(command, folder / "gateway.log", cwd=folder)
        self.process.wait_for_port(self.port)

    def stop(self) -> None:
        """End it the way an operator does; it must go at once, cleanly and without a traceback."""
        status = self.process.stop()
        output = self.process.text()
        assert status == 0, f"gateway ended with {status}:\n{output}"
        assert "Traceback" not in output, output
        assert "Unhandled" not in output, output
