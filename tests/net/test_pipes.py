"""Pipes: bounded, and never given out with octets in them."""

from __future__ import annotations

import fcntl
import os
import sys

import pytest

from gateway.net.pipes import CAPACITY, Pipes
from tests.support.files import open_descriptors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="splice is Linux's")


def test_an_empty_pipe_is_used_again() -> None:
    """A pipe that came back empty is the next one given out; none blocks."""
    pipes = Pipes()
    first = pipes.take()
    assert first is not None
    assert len(pipes) == 1
    assert not os.get_blocking(first.reader)
    assert not os.get_blocking(first.writer)
    pipes.give_back(first)
    assert pipes.take() is first
    pipes.give_back(first)
    pipes.close()


def test_a_pipe_with_octets_is_closed() -> None:
    """What one transfer left behind never meets the next one."""
    before = open_descriptors()
    pipes = Pipes()
    pipe = pipes.take()
    assert pipe is not None
    os.write(pipe.writer, b"secret")
    pipe.held = 6
    pipes.give_back(pipe)
    assert open_descriptors() <= before


def test_only_so_many() -> None:
    """There is a limit to the pipes in use, and another to those kept."""
    before = open_descriptors()
    pipes = Pipes(in_use=3, kept=1)
    taken = [pipes.take() for _ in range(4)]
    assert taken[3] is None
    for pipe in taken[:3]:
        assert pipe is not None
        pipes.give_back(pipe)
    assert len(pipes) == 0
    assert len(open_descriptors() - before) == 2
    pipes.close()
    assert open_descriptors() <= before


def test_those_in_use_at_the_end_are_closed_later() -> None:
    """Closing the store leaves a transfer its pipe until it gives it back."""
    before = open_descriptors()
    pipes = Pipes()
    pipe = pipes.take()
    assert pipe is not None
    pipes.close()
    os.write(pipe.writer, b"x")
    assert os.read(pipe.reader, 1) == b"x"
    pipes.give_back(pipe)
    assert open_descriptors() <= before


def test_no_descriptors_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no pipe there is none."""

    def refuse(_flags: int) -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe2", refuse)
    pipes = Pipes()
    assert pipes.take() is None
    assert len(pipes) == 0


def test_a_smaller_pipe_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose pipes may hold no more gets one of the usual size."""

    def refuse(_descriptor: int, _command: int, size: int) -> int:
        assert size == CAPACITY
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    pipes = Pipes()
    pipe = pipes.take()
    assert pipe is not None
    pipes.give_back(pipe)
    pipes.close()


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system than Linux has none."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Pipes().take() is None
