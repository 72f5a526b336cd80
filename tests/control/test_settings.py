"""The reference of all settings."""

from __future__ import annotations

import pytest

from gateway.config.model import Acme, GatewayConfig, Limits, LogSettings
from gateway.config.site_file import RouteTable, SiteFile
from gateway.control.cli import main
from gateway.control.reference import find_tables, reference
from gateway.features import NOT_YET
from gateway.filters.headers import HeaderEdits
from gateway.resources.page import Reply
from gateway.resources.proxy import Proxy
from gateway.resources.redirect import Redirect
from gateway.resources.static import Static
from gateway.resources.websocket import WebSocket
from tests.support.programs import ROOT


def _row(text: str, section: str, key: str) -> list[str]:
    """Find the cells of a key's row in the first section whose heading ends so."""
    lines = text.partition(f"# {section}\n")[2].splitlines()
    row = next(line for line in lines if line.startswith(f"| `{key}` |"))
    return [cell.strip() for cell in row.strip("|").split(" | ")]


def test_printed_is_what_the_docs_have(capsys: pytest.CaptureFixture[str]) -> None:
    """`docs/settings.md` is what `gateway settings` prints; `make docs` writes it anew."""
    assert main(["settings"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "settings.md").read_text("utf-8")


def test_every_table_is_found() -> None:
    """Each settings class that a file can reach has its section."""
    assert {SiteFile, *find_tables(SiteFile)} >= {
        *(SiteFile, Proxy, Static, Redirect, Reply, RouteTable, HeaderEdits, WebSocket)
    }
    assert set(find_tables(GatewayConfig)) >= {Acme, Limits, LogSettings}


@pytest.mark.parametrize(
    ("section", "key", "value", "default"),
    [
        ("A site file", "hosts", "list of hosts", "—"),
        ("A site file", "phoenix", "upstream, list of these or [table](#phoenix-proxy)", "—"),
        ("A site file", "slash", '`"strip"`, `"add"` or `"keep"`', '`"keep"`'),
        ("`phoenix`, `proxy`", "to", "list of upstreams", "needed"),
        ("`phoenix`, `proxy`", "connect_timeout", "duration", '`"3s"`'),
        ("`phoenix`, `proxy`", "verify", "`true` or `false`", "`true`"),
        ("`phoenix`, `proxy`", "buffer", "size", "`0`"),
        ("`headers`, `request_headers`", "set", "table: header name = text", "—"),
        ("gateway.toml", "http", "list of listeners", '`["[::]:80"]`'),
        ("gateway.toml", "workers", "whole number from 1 to 64", "`1`"),
        ("`limits`", "header_size", "size", '`"16 KiB"`'),
    ],
)
def test_types_and_defaults_in_words(section: str, key: str, value: str, default: str) -> None:
    """A row says in people's words what may be written, and what holds if nothing is."""
    assert _row(reference(), section, key)[1:3] == [value, default]


def test_who_answers_stands_first() -> None:
    """The short keys of a site file come before those that are tables."""
    keys = [line for line in reference().partition("## A site file")[2].splitlines() if line.startswith("| `")]
    names = [line.split("`")[1] for line in keys]
    assert names[:5] == ["phoenix", "proxy", "static", "spa", "redirect"]
    assert names.index("max_body") < names.index("routes")


def test_what_waits_is_said() -> None:
    """Keys without effect so far are listed as such."""
    text = reference()
    waiting = text.partition("## Not yet")[2]
    assert all(f"| `{key}` |" in waiting for key in NOT_YET)
    assert "Not yet" not in _row(text, "gateway.toml", "http")[3]
