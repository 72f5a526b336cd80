from __future__ import annotations

from pathlib import Path

from gateway.config.flags import flag_of, is_flag_file
from gateway.config.loader import load
from gateway.config.site_folder import scan
from gateway.filters.maintenance import Maintenance


def maintenance(folder: Path, source: str) -> Maintenance:
    (folder / "a.example.com.toml").write_text("phoenix = 4000\n" + source)
    (site,) = load(folder, {}).sites
    return site.maintenance


def test_a_flag_file_switches_maintenance_on(tmp_path: Path) -> None:
    """Its presence is enough; its content is the message; without it the site file decides."""
    assert not maintenance(tmp_path, "").on
    assert maintenance(tmp_path, "maintenance = true\n").on
    flag = flag_of(tmp_path / "a.example.com.toml")
    assert flag == tmp_path / "a.example.com.down"
    flag.touch()
    table = 'maintenance = { page = "m.html", message = "from the file", allow = ["10.0.0.0/8"] }\n'
    flagged = maintenance(tmp_path, table)
    assert (flagged.on, flagged.message, flagged.page) == (True, "from the file", str(tmp_path / "m.html"))
    flag.write_text("back at 14:00\n")
    assert maintenance(tmp_path, table).message == "back at 14:00"
    assert [str(network) for network in maintenance(tmp_path, table).allow] == ["10.0.0.0/8"]


def test_a_flag_that_cannot_be_read_counts(tmp_path: Path) -> None:
    """Whoever put something there wants the site away."""
    (tmp_path / "a.example.com.down").mkdir()
    assert maintenance(tmp_path, "").on


def test_names_of_flag_files() -> None:
    """Editors' left-overs and hidden files do not count."""
    assert is_flag_file("a.com.down")
    assert not any(is_flag_file(name) for name in (".a.com.down", "#a.down", "a.com.toml", "a.down~"))


def test_a_changed_flag_is_a_change_of_its_site(tmp_path: Path) -> None:
    """Only the site whose flag came, changed or went looks different; a flag without a site is nobody's."""
    for name in ("a.com.toml", "b.com.toml", "other.down"):
        (tmp_path / name).write_text("phoenix = 4000\n")
    before = scan(tmp_path)
    (tmp_path / "a.com.down").write_text("soon")
    flagged = scan(tmp_path)
    (tmp_path / "a.com.down").write_text("later today")
    changed = scan(tmp_path)
    assert len({before["a.com.toml"], flagged["a.com.toml"], changed["a.com.toml"]}) == 3
    (tmp_path / "a.com.down").unlink()
    assert scan(tmp_path) == before == {**changed, "a.com.toml": before["a.com.toml"]}
