"""The lock of the state folder, and wishes left in it."""

from __future__ import annotations

from pathlib import Path

from gateway.tls.state_folder import Requests, StateLock


def test_lock(tmp_path: Path) -> None:
    """One gateway at a time has the lock; asking for it leaves no trace."""
    first, second = StateLock(tmp_path / "acme"), StateLock(tmp_path / "acme")
    assert not first.is_held()
    assert not (tmp_path / "acme").exists()
    assert first.acquire()
    assert first.acquire()
    assert second.is_held()
    assert not second.acquire()
    first.release()
    assert not second.is_held()
    assert second.acquire()


def test_wishes(tmp_path: Path) -> None:
    """A wish is taken up once, wildcards included."""
    wishes = Requests(tmp_path)
    assert list(wishes.take()) == []
    wishes.ask("*.example.org")
    wishes.ask("a.example.org")
    assert list(wishes.take()) == ["*.example.org", "a.example.org"]
    assert list(wishes.take()) == []
