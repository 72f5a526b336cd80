"""The last good version of a site file outlives the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.last_good import KeptVersions
from gateway.config.loader import Draft, read_defaults, read_site


def draft_of(folder: Path, text: str) -> Draft:
    (folder / "a.com.toml").write_text(text)
    return read_site(folder / "a.com.toml", read_defaults(folder / "_defaults.toml", {}), {})


def kept(folder: Path) -> KeptVersions:
    versions = KeptVersions(folder / "state" / "sites", {})
    versions.begin()
    return versions


def test_a_good_version_is_found_again(tmp_path: Path) -> None:
    """It means what it meant, with the defaults of that time."""
    (tmp_path / "_defaults.toml").write_text("slash = 'strip'")
    good = draft_of(tmp_path, "redirect = 'https://b.com'")
    kept(tmp_path).keep(good)
    (tmp_path / "_defaults.toml").write_text("bad")
    bad = draft_of(tmp_path, "bad")
    found = kept(tmp_path).find(bad)
    assert found is not None
    assert found.site == good.site
    assert found.names == good.names


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Folder and file are the user's own: site files hold secrets."""
    kept(tmp_path).keep(draft_of(tmp_path, "redirect = 'https://b.com'"))
    folder = tmp_path / "state" / "sites"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


def test_nothing_is_written_before_the_beginning(tmp_path: Path) -> None:
    """What is kept or dropped before goes to disk when the gateway runs as who it stays."""
    versions = KeptVersions(tmp_path / "state" / "sites", {})
    good = draft_of(tmp_path, "redirect = 'https://b.com'")
    versions.keep(good)
    assert not (tmp_path / "state").exists()
    versions.begin()
    assert versions.find(good) is not None
    versions = KeptVersions(tmp_path / "state" / "other", {})
    versions.keep(good)
    versions.drop(str(good.file))
    versions.begin()
    assert versions.find(good) is None


def test_the_same_version_is_not_written_twice(tmp_path: Path) -> None:
    """A start with unchanged files writes nothing; a new version replaces the file as a whole."""
    good = draft_of(tmp_path, "redirect = 'https://b.com'")
    versions = kept(tmp_path)
    versions.keep(good)
    (file,) = (tmp_path / "state" / "sites").iterdir()
    inode = file.stat().st_ino
    versions.keep(good)
    assert file.stat().st_ino == inode
    (file.parent / f".{file.name}").write_text("left over")
    versions.keep(draft_of(tmp_path, "redirect = 'https://c.com'"))
    assert "c.com" in file.read_text()
    assert list(file.parent.iterdir()) == [file]


def test_removed_sites_are_forgotten(tmp_path: Path) -> None:
    """When a site file goes so does what was kept of it, also if the gateway was not running."""
    good = draft_of(tmp_path, "redirect = 'https://b.com'")
    versions = kept(tmp_path)
    versions.keep(good)
    versions.drop(str(good.file))
    assert versions.find(good) is None
    versions.keep(good)
    good.file.unlink()
    assert kept(tmp_path).find(good) is None


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"file": 1, "text": 2, "defaults": 3}', '{"file": "/x", "text": "bad", "defaults": null}'],
)
def test_damaged_files(tmp_path: Path, content: str) -> None:
    """What cannot be read or does not work is no version, and does not survive a start."""
    good = draft_of(tmp_path, "redirect = 'https://b.com'")
    versions = kept(tmp_path)
    versions.keep(good)
    (file,) = (tmp_path / "state" / "sites").iterdir()
    file.write_text(content)
    assert versions.find(good) is None
    versions.begin()
    assert list(file.parent.iterdir()) == []


def test_another_folder_with_the_same_state(tmp_path: Path) -> None:
    """A version of a file of the same name elsewhere is not taken."""
    (tmp_path / "other").mkdir()
    versions = kept(tmp_path)
    versions.keep(draft_of(tmp_path / "other", "redirect = 'https://b.com'"))
    assert versions.find(draft_of(tmp_path, "bad")) is None


def test_a_draft_without_text_is_not_kept(tmp_path: Path) -> None:
    """There is nothing to keep of a file that was never read."""
    versions = kept(tmp_path)
    versions.keep(Draft(file=tmp_path / "a.com.toml", names=None))
    assert not (tmp_path / "state").exists()


def test_a_state_folder_that_cannot_be_made(tmp_path: Path, said: list[str]) -> None:
    """The operator is told once, and everything goes on."""
    (tmp_path / "state").touch()
    good = draft_of(tmp_path, "redirect = 'https://b.com'")
    versions = kept(tmp_path)
    versions.keep(good)
    versions.keep(good)
    assert [line.partition(":")[0] for line in said] == ["last good versions of site files cannot be kept"]
    assert versions.find(good) is None
