"""Log files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.observe.log_file import LogFile


def test_file_is_made_at_the_first_line(tmp_path: Path) -> None:
    """Nothing is opened before something is to be written, so that it belongs to whom twistd turned into."""
    path = tmp_path / "log" / "access.log"
    log = LogFile(path)
    assert not path.parent.exists()
    log.write(b"one\n")
    log.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_reopened_after_a_rotation(tmp_path: Path) -> None:
    """After `reopen` lines go to a new file of the same name."""
    path = tmp_path / "access.log"
    log = LogFile(path)
    log.write(b"one\n")
    path.rename(tmp_path / "old")
    log.write(b"two\n")
    log.reopen()
    log.write(b"three\n")
    assert (tmp_path / "old").read_bytes() == b"one\ntwo\n"
    assert path.read_bytes() == b"three\n"


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
