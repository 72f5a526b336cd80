"""The files that static sites serve."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import backend, files
from benchmarks.contenders.base import SITES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Site folders with a large file that is not so large."""
    monkeypatch.setattr(files, "LARGE", 70_000)
    return files.site_folders(tmp_path / "static")


def test_pattern_repeats_like_the_c_programs() -> None:
    """The pattern starts anew after each period, so that both ends can compare at any place of a body."""
    made = backend.pattern(200_000)
    assert len(made) == 200_000
    assert made[65521 : 2 * 65521] == made[:65521]
    assert made[1000] == 33 + (1000 * 31 + 1000 // 97) % 94


def test_part_is_as_long_as_the_range_asked_for() -> None:
    """The part expected is the one that the Range field names."""
    first, last = (int(number) for number in files.PART["Range"].removeprefix("bytes=").split("-"))
    assert len(files.part_of_large()) == last - first + 1 == files.MEDIUM
    assert files.part_of_large()[:50] == backend.pattern(first % 65521 + 50)[-50:]


def test_every_site_has_the_same_files(folder: Path) -> None:
    """All sites serve the same content."""
    for site in SITES:
        assert (folder / site / "small.css").read_bytes() == backend.pattern(1024)
        assert (folder / site / "medium.webp").read_bytes() == backend.pattern(100 * 1024)
        assert (folder / site / "large").stat().st_size == 70_000


def test_files_of_all_sites_have_one_time(folder: Path) -> None:
    """One condition fits the small file of every site, for entity tags are made of time and size."""
    assert len({(folder / site / "small.css").stat().st_mtime_ns for site in SITES}) == 1


def test_folders_are_made_once(folder: Path) -> None:
    """The second contender gets the files of the first."""
    before = (folder / SITES[3] / "small.css").stat().st_ctime_ns
    assert files.site_folders(folder) == folder
    assert (folder / SITES[3] / "small.css").stat().st_ctime_ns == before
