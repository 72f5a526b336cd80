"""What is remembered of a path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.http.prepared import PreparedAnswer
from gateway.resources.static_entries import FileEntry, MissingEntry, MovedEntry, PageEntry
from gateway.resources.static_folder import Folder
from gateway.resources.static_found import Found
from gateway.resources.static_ready import BODY, Ready
from tests.support.files import open_descriptors, write
from tests.support.streams import get


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


def remember(root: Path, name: bytes) -> tuple[FileEntry, Found]:
    """Remember a plain file, and tell what was found."""
    with Folder(os.fsencode(root)) as folder:
        file = folder.open_file([name])
        assert file
        found = Found(folder, [name], file)
    entry = FileEntry(found)
    entry.ready[b""] = Ready(found.take(get(b"/"), b""), b'"x"', None)
    found.close()
    return entry, found


def test_a_small_file(tmp_path: Path) -> None:
    """It is held in memory; a coding that was not asked for yet must be looked up."""
    write(tmp_path / "a.css", b"c" * 1000)
    write(tmp_path / "a.css.gz", b"c" * 1000)
    entry, found = remember(tmp_path, b"a.css")
    assert entry.choose(get(b"/")) is entry.ready[b""]
    assert entry.choose(get(b"/", b"Accept-Encoding: gzip")) is None
    assert 1000 < entry.weigh() < 10_000
    assert not entry.opened
    assert entry.is_of(found)
    assert not entry.is_of(remember(tmp_path, b"a.css.gz")[1])
    entry.release()
    assert entry.choose(get(b"/")) is None


def test_a_large_file(tmp_path: Path) -> None:
    """It is held open, and believed only as long as it is as it was."""
    path = write(tmp_path / "large", b"x" * (BODY + 1))
    entry, _ = remember(tmp_path, b"large")
    assert entry.choose(get(b"/"))
    assert entry.weigh() < 10_000
    assert entry.opened
    with path.open("ab") as file:
        file.write(b"more")
    assert entry.choose(get(b"/")) is None
    entry.release()


def test_other_entries() -> None:
    """Their weight is what they hold."""
    page = PageEntry((1, 2, 3, 4), PreparedAnswer(404, (), None, b"x" * 5000))
    assert page.weigh() > 5000
    assert MovedEntry(b"/to").path == b"/to"
    assert MissingEntry().weigh() < 1000
