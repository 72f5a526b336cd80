"""How the process of a worker is started; that it then serves is seen end to end."""

from __future__ import annotations

import errno
import socket
import subprocess

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway.workers.process import ending, spawner


def test_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is the installed program on the leader's kind of reactor, with its end of the link and the sockets."""
    started: list[tuple[list[str], dict[str, object]]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda argv, **options: started.append((argv, options)))
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    _, ours = spawner(MemoryReactorClock())([7, 8])
    ((argv, options),) = started
    assert argv[1:4] == ["-P", "-m", "gateway.workers"]
    assert argv[5] == "twisted.internet.testing"
    assert options["pass_fds"] == (int(argv[4]), 7, 8)
    environment = options["env"]
    assert isinstance(environment, dict)
    assert environment["PYTHONPATH"].endswith(":/elsewhere")
    with ours, pytest.raises(BrokenPipeError):
        ours.send(b"our copy of its end is closed")


def test_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no process to give, no descriptor is left open."""
    made: list[socket.socket] = []
    pair = socket.socketpair

    def remember() -> tuple[socket.socket, socket.socket]:
        made.extend(pair())
        return made[0], made[1]

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "no")

    monkeypatch.setattr(socket, "socketpair", remember)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(OSError, match="no"):
        spawner(MemoryReactorClock())([])
    assert [each.fileno() for each in made] == [-1, -1]


def test_ending() -> None:
    """Signals have names."""
    assert ending(-11) == "was ended by SIGSEGV"
    assert ending(3) == "ended with status 3"
