"""Log files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.observe.log_file import LinesLostError, LogFile, LogFolder, file_name
from gateway.units import ByteCount


def open_files(folder: Path) -> int:
    links = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sum(name.startswith(str(folder)) for name in links)


def test_file_is_made_at_the_first_line(tmp_path: Path) -> None:
    """Nothing is opened before something is to be written, so that it belongs to whom twistd turned into."""
    path = tmp_path / "log" / "access.log"
    log = LogFile(path)
    assert not path.parent.exists()
    log.write(b"one\n")
    log.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o007 == 0


def test_reopened_after_a_rotation(tmp_path: Path) -> None:
    """After `reopen` lines go to a new file of the same name."""
    path = tmp_path / "access.log"
    log = LogFile(path)
    log.write(b"one\n")
    path.rename(tmp_path / "old")
    log.reopen()
    log.write(b"two\n")
    assert (tmp_path / "old").read_bytes() == b"one\n"
    assert path.read_bytes() == b"two\n"


@pytest.mark.parametrize("removed", ["log/access.log", "log"])
def test_a_file_that_was_removed(tmp_path: Path, removed: str) -> None:
    """Lines go to a new file, not to one that nobody can see any more; one that was cut off has its new size."""
    path = tmp_path / "log" / "access.log"
    log = LogFile(path, ByteCount(10), keep=1)
    log.write(b"one\n")
    (tmp_path / removed).rename(tmp_path / "elsewhere")
    log.write(b"two\n")
    assert path.read_bytes() == b"two\n"
    os.truncate(path, 0)
    log.write(b"three\n")
    assert path.read_bytes() == b"three\n"
    log.reopen()


def test_reopen_before_the_first_line(tmp_path: Path) -> None:
    """A rotation of a log that nothing was written to is harmless."""
    log = LogFile(tmp_path / "access.log")
    log.reopen()
    log.write(b"one\n")
    assert (tmp_path / "access.log").read_bytes() == b"one\n"


def test_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    """Without a path lines go to the process's standard output, which stays open at a rotation."""
    log = LogFile(None)
    log.write(b"one\n")
    log.reopen()
    log.write(b"two\n")
    assert capfd.readouterr().out == "one\ntwo\n"
    os.fstat(1)


def test_a_file_that_grows_too_large_is_renamed(tmp_path: Path) -> None:
    """The newest is `.1`, and no more are kept than asked for; no line is lost but with the oldest file."""
    log = LogFile(tmp_path / "a.log", ByteCount(10), keep=2)
    for number in range(8):
        log.write(b"line %d\n" % number)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.log.1": "line 6\nline 7\n",
        "a.log.2": "line 4\nline 5\n",
    }
    log.reopen()
    log = LogFile(tmp_path / "a.log", ByteCount(10))
    log.write(b"more than ten octets\n")
    assert not (tmp_path / "a.log").exists()
    log.write(b"next\n")
    assert (tmp_path / "a.log").read_text() == "next\n"
    log.reopen()


def test_the_size_of_what_was_there_counts(tmp_path: Path) -> None:
    """A file that is opened again is as large as it was."""
    (tmp_path / "a.log").write_text("line 1\nline 2\n")
    log = LogFile(tmp_path / "a.log", ByteCount(10), keep=1)
    log.write(b"line 3\n")
    assert (tmp_path / "a.log.1").read_text() == "line 1\nline 2\nline 3\n"


def full_after(octets: int) -> Callable[[int, bytes], int]:
    """A disk that has room for so much."""
    room = octets
    write = os.write

    def fake(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = write(descriptor, data[:room])
        room -= written
        return written

    return fake


@pytest.mark.parametrize(("room", "left", "lost"), [(0, "", 3), (3, "", 3), (4, "one\n", 2), (9, "one\ntwo\n", 1)])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, left: str, lost: int) -> None:
    """The lines lost are counted, no part of a line stays behind, and the next ones are written when there is room."""
    log = LogFile(tmp_path / "a.log")
    with monkeypatch.context() as patch:
        patch.setattr("gateway.observe.log_file.os.write", full_after(room))
        with pytest.raises(LinesLostError, match=r"a\.log: No space left on device") as caught:
            log.write(b"one\ntwo\nthree\n")
    assert caught.value.count == lost
    assert (tmp_path / "a.log").read_text() == left
    log.write(b"four\n")
    assert (tmp_path / "a.log").read_text() == left + "four\n"
    log.reopen()


def test_a_file_per_site(tmp_path: Path) -> None:
    """Lines go to the file of their site in their order, those of no site to one of their own."""
    folder = LogFolder(tmp_path)
    folder.write([("a.com", b"1\n"), ("", b"2\n"), ("b.com", b"3\n"), ("a.com", b"4\n")])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.com.log": "1\n4\n",
        "b.com.log": "3\n",
        "_none.log": "2\n",
    }
    folder.reopen()


def test_standard_output_keeps_the_order(capfd: pytest.CaptureFixture[str]) -> None:
    """Without a folder the lines of all sites stand there as they came."""
    LogFolder(None).write([("a.com", b"1\n"), ("b.com", b"2\n"), ("a.com", b"3\n")])
    assert capfd.readouterr().out == "1\n2\n3\n"


def test_few_files_are_open(tmp_path: Path) -> None:
    """A thousand sites do not need a thousand descriptors, and lose no line."""
    folder = LogFolder(tmp_path, open_files=10)
    for _ in range(2):
        folder.write([(f"{number}.com", b"x\n") for number in range(1000)])
        assert open_files(tmp_path) == 10
    assert len(list(tmp_path.iterdir())) == 1000
    assert {path.read_text() for path in tmp_path.iterdir()} == {"x\nx\n"}
    folder.reopen()
    assert open_files(tmp_path) == 0


def test_a_file_that_cannot_be_opened_does_not_stop_the_others(tmp_path: Path) -> None:
    """Its own lines are lost, and only those."""
    (tmp_path / "b.com.log").mkdir()
    folder = LogFolder(tmp_path)
    with pytest.raises(LinesLostError, match=r"b\.com\.log: Is a directory") as caught:
        folder.write([("a.com", b"1\n"), ("b.com", b"2\n"), ("b.com", b"3\n"), ("c.com", b"4\n")])
    assert caught.value.count == 2
    assert [(tmp_path / f"{name}.com.log").read_text() for name in "ac"] == ["1\n", "4\n"]
    folder.reopen()


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("example.com", "example.com.log"),
        ("_default", "_default.log"),
        ("_wildcard.example.com", "_wildcard.example.com.log"),
        ("[::1]", "[::1].log"),
        ("", "_none.log"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.log"),
        (".", "%2E.log"),
        ("a/b\0c", "a%2Fb%00c.log"),
    ],
)
def test_file_names(site: str, expected: str) -> None:
    """A site's name makes the name of one file in the folder, which is not hidden."""
    assert file_name(site) == expected
    assert len(file_name(site * 300)) <= 255


def shared(path: Path | None, **options: int) -> LogFile:
    return LogFile(path, ByteCount(options.get("max_size", 0)), options.get("keep", 3), shared=True)


def test_shared_by_processes(tmp_path: Path) -> None:
    """Where one writer renames a file, the others go on in the new one, and no line is lost or twice there."""
    path = tmp_path / "access.log"
    one, two = shared(path, max_size=8), shared(path, max_size=8)
    one.write(b"1111\n")
    two.write(b"2222\n")
    assert (tmp_path / "access.log.1").read_bytes() == b"1111\n2222\n"
    one.write(b"3333\n")
    assert path.read_bytes() == b"3333\n"
    path.rename(tmp_path / "moved")
    two.write(b"4444\n")
    assert path.read_bytes() == b"4444\n"
    path.unlink()
    one.write(b"5555\n")
    assert path.read_bytes() == b"5555\n"


def test_shared_is_locked_while_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that is written in pieces is not mixed with another process's, and the lock is given back."""
    path = tmp_path / "access.log"
    log, write = shared(path), os.write
    locked = []

    def slow(descriptor: int, data: bytes) -> int:
        with path.open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(True)
        return write(descriptor, data[:3])

    monkeypatch.setattr(os, "write", slow)
    log.write(b"one\ntwo\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert locked == [True] * 3
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_shared_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a pipe that several processes write to, whole lines go in pieces that the system does not mix."""
    pieces: list[bytes] = []

    def keep(_: int, data: bytes) -> int:
        pieces.append(data)
        return len(data)

    monkeypatch.setattr(os, "write", keep)
    lines = b"".join(b"%04d %s\n" % (number, b"x" * 1000) for number in range(20)) + b"y" * 5000 + b"\n"
    shared(None).write(lines)
    assert b"".join(pieces) == lines
    assert all(len(piece) <= 4096 for piece in pieces)
    assert all(piece.endswith(b"\n") for piece in pieces[:-2])
    pieces.clear()
    LogFile(None).write(lines)
    assert pieces == [lines]
