"""Sending from descriptors: as much as the socket takes, then again when it takes more."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.logger import globalLogPublisher

from gateway.net.raw_output import RawOutput
from tests.support.files import open_descriptors
from tests.support.loops import FakeLoop

DATA = bytes(n % 251 for n in range(3_000_000))


class Sending:
    """A file sent through a socketpair.

    Attributes:
        events: What the sender was told.
        got: What has arrived.
    """

    def __init__(self, path: Path) -> None:
        path.write_bytes(DATA)
        self.file = os.open(path, os.O_RDONLY)
        self.loop = FakeLoop()
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.there.setblocking(False)
        self.events: list[str] = []
        self.got = b""
        self.sent = 0
        self.output = RawOutput(self.loop, self.here.fileno(), self.paused, self.resumed)

    def paused(self) -> None:
        self.events.append("paused")

    def resumed(self) -> None:
        self.events.append("resumed")

    def send(self, following: int = 0) -> int:
        sent = self.output.send(self.file, self.sent, len(DATA) - self.sent, following)
        self.sent += sent
        return sent

    def read(self) -> None:
        try:
            while piece := self.there.recv(100_000):
                self.got += piece
        except BlockingIOError:
            return

    def close(self) -> None:
        self.output.close()
        self.here.close()
        self.there.close()
        os.close(self.file)


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Sending]:
    before = open_descriptors()
    sending = Sending(tmp_path / "file")
    yield sending
    sending.close()
    assert not sending.loop.writers
    assert open_descriptors() <= before


def test_all_of_a_file(sending: Sending) -> None:
    """Each pause is followed by one call when the socket takes more, and every octet arrives."""
    while sending.send() and sending.sent < len(DATA):
        assert sending.events.pop() == "paused"
        assert sending.output.unsent == len(DATA) - sending.sent
        sending.loop.poll()
        assert not sending.events, "a full socket is not writable"
        sending.read()
        sending.loop.poll()
        assert sending.events == ["resumed"]
        sending.events.clear()
    sending.read()
    assert sending.got == DATA
    assert sending.output.unsent == 0
    assert not sending.loop.writers


def test_sending_on_from_within(sending: Sending) -> None:
    """A sender that goes on when it is told to keeps one watch until it is done."""
    sending.output = RawOutput(sending.loop, sending.here.fileno(), sending.paused, lambda: sending.send() and None)
    sending.send()
    watches = set()
    while sending.sent < len(DATA):
        watches |= set(sending.loop.writers)
        sending.read()
        sending.loop.poll()
    assert len(watches) == 1
    assert not sending.loop.writers
    sending.read()
    assert sending.got == DATA


def test_what_follows_counts_as_unsent(sending: Sending) -> None:
    """The figure that shows progress counts what will be sent behind this."""
    sending.send(following=77)
    assert sending.output.unsent == len(DATA) - sending.sent + 77


@pytest.mark.skipif(sys.platform != "linux", reason="splice is Linux's")
def test_from_a_pipe(sending: Sending) -> None:
    """What a pipe holds is sent without a position."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    os.write(writer, b"piped")
    assert sending.output.send(reader, None, 5, 0) == 5
    sending.read()
    assert sending.got == b"piped"
    os.close(reader)
    os.close(writer)


def test_the_end_of_the_file(sending: Sending) -> None:
    """A file that is shorter than was said ends the sending."""
    with pytest.raises(EOFError):
        sending.output.send(sending.file, len(DATA), 10, 0)


def test_a_client_that_is_gone(sending: Sending) -> None:
    """A socket that is gone is told apart from a file that cannot be read."""
    sending.there.close()
    with pytest.raises(ConnectionError):
        sending.send()
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        sending.output.send(-1, 0, 10, 0)
    assert not isinstance(caught.value, ConnectionError)


def test_closed_while_it_waits(sending: Sending) -> None:
    """Nothing is waited for any more, and no descriptor is left."""
    sending.send()
    sending.output.close()
    assert not sending.loop.writers
    assert sending.output.unsent == 0
    sending.read()
    sending.loop.poll()
    assert sending.events == ["paused"]


def test_no_descriptor_to_wait_on(sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is left the socket is tried again a little later."""

    def refuse(_descriptor: int) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "dup", refuse)
        sending.send()
        assert sending.events == ["paused"]
        handle, retry = sending.loop.later.pop()
        sending.send()  # one timer is enough
        assert not sending.loop.later
    retry()
    assert sending.events == ["paused", "paused", "resumed"]
    assert not handle.cancelled
    with monkeypatch.context() as patch:
        patch.setattr(os, "dup", refuse)
        sending.send()
        handle, _ = sending.loop.later.pop()
        sending.output.close()
        assert handle.cancelled


def test_a_bug_in_what_follows(sending: Sending) -> None:
    """It is logged, and the socket is not waited for for ever."""

    def broken() -> None:
        raise ValueError("bug")

    sending.output = RawOutput(sending.loop, sending.here.fileno(), sending.paused, broken)
    sending.send()
    sending.read()
    events: list[object] = []
    globalLogPublisher.addObserver(events.append)
    sending.loop.poll()
    globalLogPublisher.removeObserver(events.append)
    assert len(events) == 1
    assert not sending.loop.writers


def test_a_reset(sending: Sending) -> None:
    """A peer that resets the connection ends the wait with the error at the next attempt."""
    listener = socket.create_server(("127.0.0.1", 0))
    there = socket.create_connection(listener.getsockname())
    here, _ = listener.accept()
    here.setblocking(False)
    output = RawOutput(sending.loop, here.fileno(), sending.paused, sending.resumed)
    while not sending.events:
        output.send(sending.file, 0, len(DATA), 0)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    there.close()
    while "resumed" not in sending.events:
        sending.loop.poll()
    with pytest.raises(ConnectionError):
        output.send(sending.file, 0, len(DATA), 0)
    output.close()
    here.close()
    listener.close()
