"""Starting servers and ending them again, whatever happens; their CPU time and memory as the kernel counts them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_START_TIME = 20.0
_STOP_TIME = 5.0


class BenchmarkError(Exception):
    """Something did not run as it must; nothing measured with it counts."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started in the foreground."""

    argv: list[str]
    log: Path | None = None
    """The file, or the folder of files, that its access log goes to; None if it writes none."""
    env: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def running(command: Command, output: Path) -> Iterator[int]:
    """Run a server in a session of its own until the block ends.

    Args:
        command: What to run.
        output: Takes what it prints.

    Yields:
        Its process id.
    """
    with output.open("ab") as sink:
        process = subprocess.Popen(
            command.argv,
            env={**os.environ, **command.env},
            cwd=output.parent,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    members = tree(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_TIME)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_TIME)
    for pid in members[1:]:
        if _session(pid) == process.pid:
            os.kill(pid, signal.SIGKILL)


def _session(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[3]) if fields else None


def free_ports(count: int) -> list[int]:
    """Find ports of 127.0.0.1 that nobody listens on, all different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def wait_for_port(port: int, pid: int, output: Path) -> None:
    """Wait until a server accepts connections.

    Args:
        port: Where it will listen.
        pid: Its process.
        output: What it prints, for the message if it does not come up.

    Raises:
        BenchmarkError: It ended, or took too long.
    """
    deadline = time.monotonic() + _START_TIME
    while time.monotonic() < deadline:
        fields = _stat(pid)
        if not fields or fields[0] == "Z":
            break
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise BenchmarkError(f"no server came up on port {port}; it printed:\n{output.read_text(errors='replace')[-4000:]}")


def _stat(pid: int) -> list[str] | None:
    """The fields of `/proc/PID/stat` from the state on, or None once the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(root: int) -> list[int]:
    """The ids of a process and all its descendants, itself first."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
    members = [root]
    for pid in members:
        members.extend(children.get(pid, []))
    return members


def cpu_seconds(root: int) -> float:
    """User plus system time that a process tree has used so far, reaped children included."""
    ticks = 0
    for pid in tree(root):
        if fields := _stat(pid):
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / _TICKS


def memory(root: int) -> int:
    """Bytes of memory a process tree holds: the proportional set size (PSS), shared pages shared out."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total
