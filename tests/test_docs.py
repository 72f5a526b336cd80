"""The manual: its examples load, its links lead somewhere, its index has every page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.config.model import GatewayConfig
from tests.support.certificates import Authority
from tests.support.logged import Logged
from tests.support.programs import ROOT
from tests.support.streams import Reply
from tests.support.transports import World

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
        if "cert " in text:
            Authority("ca.example").write(folder, "example.com", "www.example.com", days=(-1, 90))
        loaded = load(folder, _ENVIRONMENT)
        assert loaded.errors == ()
        files = {file.name for file in folder.glob("*.toml")}
        assert len(loaded.sites) == len(files - {"gateway.toml", "_defaults.toml"})


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


@pytest.mark.parametrize(
    ("request_line", "counts"),
    [
        (b"nonsense", True),
        (b"GET /.env HTTP/1.1", True),
        (b"GET /.git/config HTTP/1.1", True),
        (b"GET /blog/wp-login.php HTTP/1.1", True),
        (b"GET /a HTTP/1.1", False),
    ],
)
def test_the_filter_for_fail2ban(request_line: bytes, counts: bool) -> None:
    """It counts what the page says, in lines out of which fail2ban has taken the date."""
    logged = Logged(World(Reply(404)))
    logged.world.client().receive(request_line + b"\r\nHost: example.com\r\n\r\n")
    line = re.sub(r"\[.*?\]", "[]", logged.text())
    patterns = re.findall(r"\^<HOST>.*", (DOCS / "logs.md").read_text("utf-8"))
    assert len(patterns) == 2
    assert any(re.match(pattern.replace("<HOST>", r"\S+"), line) for pattern in patterns) is counts
