"""The real `twistd gateway` over a temporary folder of site files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.ports import HOST, free_port
from tests.support.processes import Process
from tests.support.programs import ROOT
from tests.support.waiting import PATIENCE, eventually

REACTORS = ("uvloop", "epoll")
_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")


class Twistd:
    """A running `twistd -n gateway`.

    Attributes:
        port: Its plain listener on 127.0.0.1.
        tls_port: Its TLS listener there; 0 for none.
        folder: Its site files.
    """

    def __init__(
        self,
        folder: Path,
        sites: Mapping[str, str],
        *,
        reactor: str,
        settings: str = "",
        port: int = 0,
        addresses: Sequence[str] = (HOST,),
        options: Sequence[str] = (),
        https: Sequence[str] = (),
        tls: bool = False,
    ) -> None:
        self.port = port or free_port()
        self.tls_port = free_port() if tls else 0
        http = [f"{address}:{self.port}" for address in addresses]
        https = [f"{HOST}:{self.tls_port}"] if tls else https
        self.folder = write_sites(folder, sites, http, settings, https)
        command: list[str | Path] = [
            *_TWISTD,
            "-n",
            "--pidfile=",
            *_choice(reactor),
            *options,
            "gateway",
            "-c",
            self.folder,
        ]
        self._command = command
        self.start(folder / "gateway.log")

    def start(self, log: Path) -> None:
        """Start it, also once more after a stop."""
        self.process = Process(self._command, log, cwd=log.parent)
        self.process.wait_for_port(self.port)
        _wait_for_reactor(self.port)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it the way an operator does; it must go at once, cleanly and without a traceback.

        Once it has shut down, twistd ends itself by the signal that it was given.
        """
        status = self.process.stop(number)
        output = self.process.text()
        assert status == -number, f"gateway ended with {status}:\n{output}"
        assert "Server Shut Down." in output, output
        assert "Traceback" not in output, output
        assert "Unhandled" not in output, output


class Daemon:
    """`twistd gateway` in the background, known by its pid file.

    Attributes:
        port: Its plain listener on 127.0.0.1.
        pid: The process that goes on once the command has returned.
    """

    def __init__(self, folder: Path, sites: Mapping[str, str], *, reactor: str, settings: str = "") -> None:
        self.port = free_port()
        self.log = folder / "twistd.log"
        self._pid_file = folder / "gateway.pid"
        site_folder = write_sites(folder, sites, [f"{HOST}:{self.port}"], settings)
        options = [f"--pidfile={self._pid_file}", f"--logfile={self.log}", *_choice(reactor)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [*_TWISTD, *options, "gateway", "-c", site_folder.name]
        # The folder is named from here: a daemon changes its working directory.
        subprocess.run(command, cwd=folder, env=environment, timeout=PATIENCE, check=True, stdin=subprocess.DEVNULL)
        self.pid = int(self._pid_file.read_text())
        _wait_for_reactor(self.port)

    def stop(self) -> None:
        """End it by its pid; the pid file goes with it."""
        os.kill(self.pid, signal.SIGTERM)
        try:
            eventually(lambda: not self._pid_file.exists(), self.log.read_text)
        except AssertionError:
            os.kill(self.pid, signal.SIGKILL)
            raise


def _wait_for_reactor(port: int) -> None:
    """The port is bound before the reactor runs and takes signals; a connection that ends at once makes no log line."""
    with socket.create_connection((HOST, port), PATIENCE) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def write_sites(
    folder: Path, sites: Mapping[str, str], http: Sequence[str], settings: str = "", https: Sequence[str] = ()
) -> Path:
    """Write `folder/sites/`: one file for each site, and a gateway.toml with these listeners."""
    site_folder = folder / "sites"
    site_folder.mkdir()
    listeners = f'http = {json.dumps(list(http))}\nhttps = {json.dumps(list(https))}\nstate = "{folder / "state"}"\n'
    (site_folder / "gateway.toml").write_text(listeners + settings)
    for name, text in sites.items():
        (site_folder / f"{name}.toml").write_text(text)
    return site_folder


def _choice(reactor: str) -> list[str]:
    return [] if reactor == "uvloop" else [f"--reactor={reactor}"]
