"""The key of sticky sessions on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.sticky_key import FILE, KeyWhenNeeded, kept_key
from gateway.tls.disk import Disk


def test_it_is_made_once(tmp_path: Path) -> None:
    """It is 32 random octets that only we may read, and the same at the next start."""
    state = tmp_path / "state"
    key = kept_key(state)
    assert len(key) == 32
    assert (state / FILE).stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    assert kept_key(state) == key
    assert kept_key(tmp_path / "other") != key
    assert os.listdir(state) == [FILE]


@pytest.mark.parametrize("first", ["start", "site"])
def test_it_is_made_for_whom_needs_it(tmp_path: Path, first: str) -> None:
    """Without a sticky site nothing is written; with one the key is there once, as soon as the rights are the last."""
    (tmp_path / "a.toml").write_text("proxy = [4000, 4001]\n")
    (tmp_path / "b.toml").write_text("proxy = 4000\nsticky = true\n")  # which has no choice
    (tmp_path / "c.toml").write_text("proxy = 4000\n[routes]\n'/x' = { proxy = [4001, 4002], sticky = true }\n")
    sites = load(tmp_path, {}).sites
    assert len(sites) == 3
    taken: list[bytes] = []
    key = KeyWhenNeeded(tmp_path / "state", taken.append)
    key.use(sites[:2])
    if first == "start":
        key.start()
        assert not (tmp_path / "state").exists()
        key.use(sites)
    else:
        key.use(sites)
        assert not (tmp_path / "state").exists()
        key.start()
    assert taken == [(tmp_path / "state" / FILE).read_bytes()]
    key.use(sites)
    assert len(taken) == 1


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 33, b"k" * 100_000])
def test_what_is_no_key_is_replaced(tmp_path: Path, content: bytes) -> None:
    """A file that was cut off or is something else is not taken for a key."""
    (tmp_path / FILE).write_bytes(content)
    key = kept_key(tmp_path)
    assert len(key) == 32
    assert key not in content
    assert kept_key(tmp_path) == key


def test_where_nothing_can_be_read(tmp_path: Path) -> None:
    """The gateway starts all the same, with a key of its own, and leaves alone what is there."""
    (tmp_path / FILE).mkdir()
    assert len({kept_key(tmp_path), kept_key(tmp_path)}) == 2
    assert (tmp_path / FILE).is_dir()


def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway starts all the same."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Disk, "write", fail)
    assert len(kept_key(tmp_path)) == 32
    assert not (tmp_path / FILE).exists()
