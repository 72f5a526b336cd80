"""The manual: its examples load, its links lead somewhere, its index has every page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.config.model import GatewayConfig
from tests.support.programs import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_BLOCK = re.compile(r"^```toml\n(?:# (?:sites/)?(?P<name>\S+\.toml)\n)?(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_ENVIRONMENT = {"INTERN_UPSTREAM": "4000", "INTERN_TOKEN": "secret"}


def _anchors(page: Path) -> set[str]:
    """The anchors that a code hosting site makes of a page's headings."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _name_of(text: str) -> str:
    """Name the file that a block without a name is part of: gateway.toml where it has that file's keys only."""
    keys = tomllib.loads(text).keys()
    return "gateway.toml" if keys <= set(GatewayConfig.__dataclass_fields__) else "example.com.toml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_load(page: Path, tmp_path: Path) -> None:
    """The TOML blocks of a page that name their file load as one folder; each other one loads as a site of its own."""
    text = page.read_text("utf-8")
    blocks = list(_BLOCK.finditer(text))
    assert len(blocks) == text.count("```toml")
    for number, found in enumerate(blocks):
        folder = tmp_path / ("together" if found["name"] else str(number))
        folder.mkdir(exist_ok=True)
        (folder / (found["name"] or _name_of(found["text"]))).write_text(found["text"])
    for folder in tmp_path.iterdir():
        loaded = load(folder, _ENVIRONMENT)
        assert loaded.errors == ()
        assert len(loaded.sites) == len({file.name for file in folder.iterdir()} - {"gateway.toml", "_defaults.toml"})


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
