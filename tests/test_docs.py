"""The manual: its examples load, its links lead somewhere, its index has every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config.loader import load
from tests.support.programs import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_BLOCK = re.compile(r"^```toml\n# sites/(?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_ENVIRONMENT = {"INTERN_UPSTREAM": "4000", "INTERN_TOKEN": "secret"}


def _anchors(page: Path) -> set[str]:
    """The anchors that a code hosting site makes of a page's headings."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_load(page: Path, tmp_path: Path) -> None:
    """Every TOML block of a page names its file, and the folder of them all loads without an error."""
    text = page.read_text("utf-8")
    blocks = {found["name"]: found["text"] for found in _BLOCK.finditer(text)}
    assert len(blocks) == text.count("```toml")
    for name, content in blocks.items():
        (tmp_path / name).write_text(content)
    loaded = load(tmp_path, _ENVIRONMENT)
    assert loaded.errors == ()
    assert len(loaded.sites) == len(blocks.keys() - {"gateway.toml", "_defaults.toml"})


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """Links within the project lead to a file that is there, and to one of its headings."""
    for found in _LINK.finditer(page.read_text("utf-8")):
        target = page.parent / found["path"] if found["path"] else page
        assert target.exists(), found[0]
        if found["anchor"]:
            assert found["anchor"] in _anchors(target), found[0]


def test_index_has_every_page() -> None:
    """`docs/README.md` leads to every page of the manual."""
    index = (DOCS / "README.md").read_text("utf-8")
    assert {page.name for page in PAGES} - {"README.md"} <= set(re.findall(r"\]\(([\w-]+\.md)\)", index))
