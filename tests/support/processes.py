"""Real processes for end-to-end tests: started with a log, awaited by port, ended by their own id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.ports import HOST
from tests.support.programs import ROOT
from tests.support.waiting import PATIENCE, eventually


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

        def accepts() -> bool:
            assert self.running, f"{self._name} ended with {self._child.returncode}:\n{self.text()}"
            try:
                socket.create_connection((HOST, port), PATIENCE).close()
            except OSError:
                return False
            return True

        try:
            eventually(accepts, self.text)
        except AssertionError:
            self._kill_group()
            raise

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end.

        Returns:
            Its exit status; minus the signal's number if that ended it.
        """
        if self.running:
            self._child.send_signal(number)
        try:
            return self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._kill_group()
            raise AssertionError(f"{self._name} ignores {number.name} for {PATIENCE} s:\n{self.text()}") from None

    def kill(self) -> None:
        """End it and what it started, without a chance to tidy up."""
        self._kill_group()

    def _kill_group(self) -> None:
        if self.running:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(PATIENCE)
