"""Starting the process of a worker: the same program, with the leader's sockets and a link to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import gateway
from gateway.net.loop import loop_of

_ROOT: Final = Path(gateway.__file__).parents[1]


class Child(Protocol):
    """The process of a worker.

    Attributes:
        pid: Its id.
    """

    pid: int

    def poll(self) -> int | None:
        """Tell how it ended, minus the signal if one ended it; None while it runs."""

    def kill(self) -> None:
        """End it at once."""


Spawn = Callable[[Sequence[int]], tuple[Child, socket.socket]]
"""Starts a worker that inherits these descriptors; gives its process and our end of the link.

Raises OSError where the system has no process to give.
"""


def spawner(reactor: object) -> Spawn:
    """Make what starts workers that run on the same kind of reactor as the leader."""
    module = "" if loop_of(reactor) is not None else type(reactor).__module__

    def spawn(descriptors: Sequence[int]) -> tuple[Child, socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                child = subprocess.Popen(  # noqa: S603  (our own program)
                    # Nothing but the installed program may be imported, so not what lies in the working directory.
                    [sys.executable, "-P", "-m", "gateway.workers", str(theirs.fileno()), module],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(), *descriptors),
                    env=os.environ | {"PYTHONPATH": _python_path(os.environ.get("PYTHONPATH", ""))},
                )
            except OSError:
                ours.close()
                raise
        return child, ours

    return spawn


def ending(status: int) -> str:
    """Say how a process ended."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _python_path(given: str) -> str:
    """Let a worker find the leader's own program, wherever that was found."""
    return os.pathsep.join([str(_ROOT), *([given] if given else [])])
