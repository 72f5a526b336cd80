"""Real processes for end-to-end tests: started with a log, awaited by port, ended by their own id."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.programs import ROOT

HOST = "127.0.0.1"
START_TIME = 20.0
STOP_TIME = 15.0


class Process:
    """One child process, its output in a file."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        self._name = Path(command[0]).name
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def text(self) -> str:
        """What it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def peak_memory(self) -> int:
        """The most memory that it has had until now, in bytes (Linux)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM: this test needs Linux")

    def wait_for_port(self, port: int) -> None:
        """Wait until it accepts on `port`; its output is in the error if it does not."""
        deadline = time.monotonic() + START_TIME
        while time.monotonic() < deadline:
            if not self.running:
                raise AssertionError(f"{self._name} ended with {self._child.returncode}:\n{self.text()}")
            try:
                socket.create_connection((HOST, port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self._kill_group()
        raise AssertionError(f"{self._name} does not accept on {port} after {START_TIME} s:\n{self.text()}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end.

        Returns:
            Its exit status; minus the signal's number if that ended it.
        """
        if self.running:
            self._child.send_signal(number)
        try:
            return self._child.wait(STOP_TIME)
        except subprocess.TimeoutExpired:
            self._kill_group()
            raise AssertionError(f"{self._name} ignores {number.name} for {STOP_TIME} s:\n{self.text()}") from None

    def kill(self) -> None:
        """End it and what it started, without a chance to tidy up."""
        self._kill_group()

    def _kill_group(self) -> None:
        if self.running:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(STOP_TIME)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def free_low_port() -> int:
    """A loopback port below 1024 that nobody listens on now, and hardly anybody who looks at the same time finds."""
    for port in random.sample(range(601, 1024), 423):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("every port from 601 to 1023 is taken")
