"""The README's site files are what they claim to be."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.config.loader import load
from tests.support.programs import ROOT

_BLOCK = re.compile(r"^```toml\n# sites/(?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_site_files_of_the_readme_are_right(tmp_path: Path) -> None:
    """Every TOML block of the README names its file, and the folder of them all loads without an error."""
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = {found["name"]: found["text"] for found in _BLOCK.finditer(readme)}
    assert len(blocks) == readme.count("```toml") >= 3
    for name, text in blocks.items():
        (tmp_path / name).write_text(text)
    loaded = load(tmp_path, {})
    assert loaded.errors == ()
    assert loaded.broken == ()
    assert {site.name for site in loaded.sites} == {"example.com", "example.org"}


def test_sites_of_the_demo_are_right() -> None:
    """The folder that `make run` serves loads without an error."""
    loaded = load(ROOT / "sites", {})
    assert loaded.errors == ()
    assert loaded.broken == ()
    names = {"localhost", *(f"{name}.localhost" for name in ("app", "blog", "spa", "away"))}
    assert {site.name for site in loaded.sites} == names
