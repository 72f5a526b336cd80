"""Only what changed is read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.config.loader import Draft
from gateway.config.site_folder import SiteFolder, scan

LATER = 2**62
SITE = "redirect = 'https://%s'\n"


def folder_of(path: Path, *names: str, now: int = LATER) -> SiteFolder:
    for name in names:
        (path / f"{name}.toml").write_text(SITE % name)
    folder = SiteFolder(path, {}, lambda: now)
    read(folder)
    return folder


def read(folder: SiteFolder, everything: bool = False) -> tuple[set[str], set[str]]:
    """Refresh; tells the names of drafts that are new, and of those gone."""
    before = dict(folder.drafts)
    for _ in folder.refresh(everything):
        pass
    new = {names(draft) for file, draft in folder.drafts.items() if draft is not before.get(file)}
    return new, {names(draft) for file, draft in before.items() if file not in folder.drafts}


def names(draft: Draft) -> str:
    return draft.file.name.removesuffix(".toml")


def test_one_changed_file_among_many(tmp_path: Path) -> None:
    """One changed file of a thousand is the only one read."""
    folder = folder_of(tmp_path, *(f"s{number}.com" for number in range(1000)))
    assert len(folder.drafts) == 1000
    (tmp_path / "s500.com.toml").write_text(SITE % "elsewhere.com")
    assert sum(1 for _ in folder.refresh()) == 1
    assert read(folder) == (set(), set())


def test_files_come_change_and_go(tmp_path: Path) -> None:
    """A file that is new, written in place, renamed or removed is noticed; so is one put in its place."""
    folder = folder_of(tmp_path, "a.com", "b.com")
    assert read(folder) == (set(), set())
    (tmp_path / "c.com.toml").write_text(SITE % "c")
    assert read(folder) == ({"c.com"}, set())
    (tmp_path / "a.com.toml").write_text(SITE % "other")
    assert read(folder) == ({"a.com"}, set())
    (tmp_path / "b.com.toml").rename(tmp_path / "d.com.toml")
    assert read(folder) == ({"d.com"}, {"b.com"})
    (tmp_path / ".a.com.toml.swp").write_text(SITE % "same")
    os.replace(tmp_path / ".a.com.toml.swp", tmp_path / "a.com.toml")
    assert read(folder) == ({"a.com"}, set())
    (tmp_path / "c.com.toml").unlink()
    assert read(folder) == (set(), {"c.com"})


@pytest.mark.parametrize(
    "name", [".a.com.toml.swp", "a.com.toml~", "4913", "#a.com.toml#", ".#a.com.toml", "a.com.toml___jb_tmp___"]
)
def test_left_overs_of_editors(tmp_path: Path, name: str) -> None:
    """What editors put beside a file is no site."""
    folder = folder_of(tmp_path, "a.com")
    (tmp_path / name).write_text("half")
    assert read(folder) == (set(), set())


def test_same_size_and_time(tmp_path: Path) -> None:
    """A file that was changed just before it was read is read once more, for a second change may look the same."""
    file = tmp_path / "a.com.toml"
    file.write_text(SITE % "a")
    changed = file.stat().st_ctime_ns
    folder = SiteFolder(tmp_path, {}, lambda: changed + 1)
    assert read(folder) == ({"a.com"}, set())
    assert read(folder) == ({"a.com"}, set())
    folder._wall_clock = lambda: LATER
    read(folder)
    assert read(folder) == (set(), set())


def test_symbolic_links(tmp_path: Path) -> None:
    """The target of a link counts; without its target the site has an error but is not gone."""
    target, sites = tmp_path / "target", tmp_path / "sites"
    sites.mkdir()
    target.write_text(SITE % "a")
    (sites / "a.com.toml").symlink_to(target)
    folder = folder_of(sites)
    target.write_text(SITE % "b.com")
    assert read(folder) == ({"a.com"}, set())
    target.unlink()
    assert read(folder) == ({"a.com"}, set())
    assert folder.drafts[str(sites / "a.com.toml")].errors


def test_defaults_lie_under_every_site(tmp_path: Path) -> None:
    """When the defaults come, change or go, everything is read again."""
    folder = folder_of(tmp_path, "a.com", "b.com")
    defaults = tmp_path / "_defaults.toml"
    defaults.write_text("slash = 'strip'")
    assert read(folder) == ({"a.com", "b.com"}, set())
    defaults.unlink()
    assert read(folder) == ({"a.com", "b.com"}, set())


def test_the_gateway_file(tmp_path: Path) -> None:
    """It is read when it changed, with its errors; sites need not be."""
    folder = folder_of(tmp_path, "a.com")
    (tmp_path / "gateway.toml").write_text('http = ["127.0.0.1:1"]')
    assert read(folder) == (set(), set())
    assert folder.config is not None
    assert folder.config.http[0].port == 1
    (tmp_path / "gateway.toml").write_text("http = 1")
    read(folder)
    assert folder.config is None
    assert folder.errors


def test_everything(tmp_path: Path) -> None:
    """All is read again where that is asked for."""
    folder = folder_of(tmp_path, "a.com", "b.com")
    assert read(folder, everything=True) == ({"a.com", "b.com"}, set())


def test_a_refresh_that_is_abandoned(tmp_path: Path) -> None:
    """What it did not come to is read by the next one."""
    folder = folder_of(tmp_path, "a.com", "b.com")
    for name in ("a.com", "b.com"):
        (tmp_path / f"{name}.toml").write_text(SITE % "elsewhere")
    next(folder.refresh())
    assert "b.com" in read(folder)[0]
    assert read(folder) == (set(), set())


def test_a_folder_that_is_away(tmp_path: Path) -> None:
    """A folder that cannot be read changes nothing; once it is back, only what changed meanwhile is read."""
    sites = tmp_path / "sites"
    sites.mkdir()
    folder = folder_of(sites, "a.com", "b.com")
    sites.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        read(folder)
    assert len(folder.drafts) == 2
    (tmp_path / "away" / "b.com.toml").write_text(SITE % "elsewhere")
    (tmp_path / "away").rename(sites)
    assert read(folder) == ({"b.com"}, set())


def test_scan_sees_only_what_counts(tmp_path: Path) -> None:
    """Only files that count are looked at; one without a target has no look."""
    (tmp_path / "notes.txt").touch()
    (tmp_path / "a.com.toml").symlink_to("nowhere")
    assert scan(tmp_path) == {"a.com.toml": None}
