from __future__ import annotations

from pathlib import Path

from gateway.config.loader import load

HSTS = "hsts = { subdomains = true }\n"


def plain(folder: Path, **files: str) -> str:
    for name, source in files.items():
        (folder / f"{name.replace('__', '.')}.toml").write_text("phoenix = 4000\n" + source)
    return next(site.plain_subdomain for site in load(folder, {}).sites if site.name == "a.com")


def test_a_plain_name_below_is_found(tmp_path: Path) -> None:
    """A name that browsers could not reach any more stands in the way of `subdomains`."""
    assert plain(tmp_path, a__com=HSTS, x__a__com="https = false\n") == "x.a.com"


def test_wildcards_below_are_names_too(tmp_path: Path) -> None:
    """A wildcard without HTTPS is as much in the way."""
    assert plain(tmp_path, a__com=HSTS, b__com='hosts = ["*.a.com"]\nhttps = false\n') == "*.a.com"


def test_others_do_not_matter(tmp_path: Path) -> None:
    """Names beside, names with HTTPS, and sites that do not ask for it stand in nobody's way."""
    assert plain(tmp_path, a__com=HSTS, xa__com="https = false\n", x__a__com="") == ""
    assert plain(tmp_path, a__com="", x__a__com="https = false\n") == ""
