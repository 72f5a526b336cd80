"""Commands of the operator: run in a thread of their own, for a bounded time, their output told when they fail."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from twisted.internet.defer import Deferred

from gateway.tls.problems import IssuingError
from gateway.tls.worker import Worker
from gateway.units import Seconds

_LAST_WORDS: Final = Seconds(1)
_SHOWN: Final = 1000
"""Octets of a failed command's output that are told."""


class HookFailed(IssuingError):
    """A command of the operator's failed."""


class Hook:
    """A command.

    Args:
        command: The program and its first arguments.
        worker: Where it is waited for.
    """

    def __init__(self, command: Sequence[str], worker: Worker) -> None:
        self._command = tuple(command)
        self._worker = worker

    def call(
        self, arguments: Sequence[str], time: Seconds, environment: Mapping[str, str] | None = None
    ) -> Deferred[None]:
        """Run the command with further arguments.

        Args:
            arguments: The arguments.
            time: How long it may take.
            environment: Further variables.
        """
        command, variables = [*self._command, *arguments], {**os.environ, **(environment or {})}
        return self._worker.run(lambda: run(command, time, variables))


def run(command: Sequence[str], time: Seconds, environment: Mapping[str, str]) -> None:
    """Run a command and wait for it.

    Raises:
        HookFailed: It cannot be started, takes too long, or ends with another status than 0.
    """
    try:
        child = subprocess.Popen(  # noqa: S603 - the command is the operator's own
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise HookFailed(f"{command[0]} cannot be run: {error.strerror}") from None
    with child:
        try:
            output, _ = child.communicate(timeout=time)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output = b""
            with suppress(subprocess.TimeoutExpired):
                # What it started elsewhere may still hold the pipe.
                output, _ = child.communicate(timeout=_LAST_WORDS)
            raise HookFailed(f"{command[0]} took longer than {time:.0f} s: {_tail(output)}") from None
    if child.returncode:
        raise HookFailed(f"{command[0]} ended with {child.returncode}: {_tail(output)}")


def _tail(output: bytes) -> str:
    return repr(output[-_SHOWN:].decode("utf-8", "replace").strip())
