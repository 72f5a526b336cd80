from __future__ import annotations

from pathlib import Path

from gateway.config.decode import Decoder
from gateway.config.misplaced import misplaced_keys
from gateway.config.site_file import SITE_KEYS, RouteTable, SiteFile
from gateway.config.source import Source
from gateway.features import NOT_YET

DECODER = Decoder(SiteFile, NOT_YET, {RouteTable: ("to", "strip")})


def messages(text: str) -> list[str]:
    return [str(error) for error in misplaced_keys(Source(Path("a.toml"), text), DECODER, SITE_KEYS).values()]


def test_the_first_header_is_the_line_to_move_above() -> None:
    """A key lands where TOML wants it only above all headers, so the first of them is named."""
    assert messages('phoenix = 1\n\n[headers]\nX = "1"\n[access]\nmaintenance = "m"\n') == [
        "a.toml:6:1: `maintenance` is inside [access]; move it above line 3"
    ]


def test_keys_that_a_table_has_are_at_their_place() -> None:
    """A route's own keys are no mistake, though a site has keys of the same name; nor are tables of dotted names."""
    assert messages('[routes."/a"]\nproxy = 1\nslash = "add"\n[routes."/a".headers]\nX = "1"\n') == []


def test_inline_tables_are_left_to_the_decoder() -> None:
    """What stands in braces was put there on purpose."""
    assert messages('headers = { slash = "x" }\nhosts = [1]\n') == []
