"""The thread that writes: order, bounds, and what the operator is told."""

from __future__ import annotations

import threading
from pathlib import Path

from gateway.observe.log_file import LinesLostError, LogFolder
from gateway.observe.log_writer import LogWriter
from gateway.units import ByteCount, Seconds
from tests.support import waiting

PATIENCE = Seconds(waiting.PATIENCE)


class Disk(LogFolder):
    """A folder that stands still or is full when the test says so."""

    def __init__(self) -> None:
        super().__init__(None)
        self.runs = threading.Event()
        self.runs.set()
        self.full = False
        self.written: list[bytes] = []

    def write(self, lines: list[tuple[str, bytes]]) -> None:
        assert self.runs.wait(PATIENCE)
        if self.full:
            raise LinesLostError(len(lines), "a.log: No space left on device")
        self.written += [line for _, line in lines]


def write(writer: LogWriter, *lines: bytes) -> None:
    writer.write([("a.com", line) for line in lines], sum(map(len, lines)))


def test_lines_are_written_in_order() -> None:
    """All of them, and before the end at the latest."""
    disk = Disk()
    writer = LogWriter(disk)
    for number in range(100):
        write(writer, b"%d\n" % number)
    writer.stop(PATIENCE)
    assert disk.written == [b"%d\n" % number for number in range(100)]
    assert writer.lost == 0


def test_no_thread_without_lines() -> None:
    """None is started before there is something to write, for twistd may still fork."""
    before = set(threading.enumerate())
    writer = LogWriter(Disk())
    writer.look()
    assert writer.drain(PATIENCE)
    writer.stop(PATIENCE)
    assert set(threading.enumerate()) <= before


def test_a_disk_that_stands_still(said: list[str]) -> None:
    """What waits is bounded; further lines are lost and counted, which is told once, and its end once."""
    disk = Disk()
    writer = LogWriter(disk, ByteCount(10))
    disk.runs.clear()
    for _ in range(5):
        write(writer, b"12345\n")
        writer.look()
    assert writer.lost == 3
    assert said == ["the access log loses lines: the disk does not keep up"]
    disk.runs.set()
    assert writer.drain(PATIENCE)
    writer.look()
    writer.look()
    assert said[1:] == ["the access log is written again; it lost 3 lines so far"]
    write(writer, b"more\n")
    writer.stop(PATIENCE)
    assert disk.written == [b"12345\n", b"12345\n", b"more\n"]


def test_a_full_disk(said: list[str]) -> None:
    """The operator is told the reason once, however often it happens, and when it is over."""
    disk = Disk()
    disk.full = True
    writer = LogWriter(disk)
    for _ in range(3):
        write(writer, b"1\n", b"2\n")
        assert writer.drain(PATIENCE)
        writer.look()
    assert said == ["the access log loses lines: a.log: No space left on device"]
    writer.look()
    assert len(said) == 1
    disk.full = False
    write(writer, b"3\n")
    assert writer.drain(PATIENCE)
    writer.look()
    assert said[1:] == ["the access log is written again; it lost 6 lines so far"]
    writer.stop(PATIENCE)


def test_reopen_comes_after_what_was_given_before(tmp_path: Path) -> None:
    """A rotation splits the log where it was asked for."""
    writer = LogWriter(LogFolder(tmp_path))
    write(writer, b"one\n")
    assert writer.drain(PATIENCE)
    path = tmp_path / "a.com.log"
    path.rename(tmp_path / "old")
    write(writer, b"two\n")
    writer.reopen()
    write(writer, b"three\n")
    writer.stop(PATIENCE)
    assert not (tmp_path / "old").read_text().startswith("three")
    assert path.read_text().endswith("three\n")
    assert (tmp_path / "old").read_text() + path.read_text() == "one\ntwo\nthree\n"


def test_a_stop_does_not_wait_for_ever() -> None:
    """A disk that stands still does not keep the process."""
    disk = Disk()
    writer = LogWriter(disk)
    disk.runs.clear()
    write(writer, b"1\n")
    writer.stop(Seconds(0))
    disk.runs.set()


def test_another_folder(tmp_path: Path) -> None:
    """What was given before a change of the folder goes to the old one."""
    writer = LogWriter(LogFolder(None))
    writer.move(LogFolder(tmp_path / "old"))
    write(writer, b"one\n")
    writer.move(LogFolder(tmp_path / "new"))
    write(writer, b"two\n")
    writer.stop(PATIENCE)
    assert (tmp_path / "old" / "a.com.log").read_text() == "one\n"
    assert (tmp_path / "new" / "a.com.log").read_text() == "two\n"
