"""The steps of safe writes, on file systems that are full, old or someone else's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from gateway.tls.disk import Disk
from gateway.tls.store import DirectoryStore
from tests.support.fake_ca import self_signed


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_ours_alone(tmp_path: Path) -> None:
    """Those that are made let nobody else in, nor does the one asked for; others that were there stay as they were."""
    tmp_path.chmod(0o755)
    Disk().folder(tmp_path / "state" / "acme" / "name")
    assert [mode(path) for path in (tmp_path, *sorted(tmp_path.rglob("*")))] == [0o755, 0o700, 0o700, 0o700]
    (tmp_path / "state").chmod(0o755)
    Disk().folder(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o700


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    """That is an error, and the file stays."""
    (tmp_path / "state").write_text("precious")
    for path in (tmp_path / "state", tmp_path / "state" / "acme"):
        with pytest.raises(OSError, match=r"File exists|Not a directory"):
            Disk().folder(path)
    assert (tmp_path / "state").read_text() == "precious"


def test_replace(tmp_path: Path) -> None:
    """What was half written before is in nobody's way, and the new file is ours alone."""
    (tmp_path / "meta").write_text("old")
    (tmp_path / "meta.tmp").write_text("half of what a process wrote that was killed")
    Disk().replace(tmp_path / "meta", b"new")
    assert (tmp_path / "meta").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["meta"]
    Disk().replace(tmp_path / "fresh", b"new")
    assert mode(tmp_path / "fresh") == 0o600


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_replacement_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """At whichever step the disk is full, the old file is still there, whole."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "meta").write_text("old")
    monkeypatch.setattr(*{"write": (Disk, "write"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[step], fail)
    with pytest.raises(OSError, match="No space left"):
        Disk().replace(tmp_path / "meta", b"new")
    assert (tmp_path / "meta").read_text() == "old"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Certificates are stored, and the one before is kept, where a file can have one name only."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    store, first, second = DirectoryStore(tmp_path), self_signed("a.example.org"), self_signed("a.example.org")
    store.put("a.example.org", first)
    store.put("a.example.org", second)
    found = store.get("a.example.org")
    assert found is not None
    assert found.serial == second.serial
    place = tmp_path / "a.example.org"
    assert [(place / f"{kind}.prev").read_bytes() for kind in ("cert", "key")] == [first.chain, first.key]
    assert mode(place / "key.prev") == 0o600


def test_a_link_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other failure is one: a full disk has no room for a copy either."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", fail)
    (tmp_path / "key").write_text("key")
    with pytest.raises(OSError, match="No space left"):
        Disk().link(tmp_path / "key", tmp_path / "key.prev")
    assert not (tmp_path / "key.prev").exists()
