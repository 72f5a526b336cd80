from __future__ import annotations

from pathlib import Path

from gateway.config.decode import Decoder, nearest, place_in
from gateway.config.model import GatewayConfig
from gateway.config.secrets import Resolved
from gateway.config.shorthand import PROXY_KEYS
from gateway.config.site_file import RouteTable, SiteFile
from gateway.config.source import Source


def test_known_keys_of_tables_at_any_depth() -> None:
    """The keys of a table are found through optional, annotated, dict and tuple types, and tags of unions."""
    decoder = Decoder(SiteFile, beside={RouteTable: PROXY_KEYS})
    assert "canonical" in decoder.known_keys(())
    assert {"proxy", "strip", "to"} <= set(decoder.known_keys(("routes", "/a")))
    assert "max_frame" in decoder.known_keys(("routes", "/a", "proxy", "websocket"))
    assert decoder.known_keys(("redirects", "/a", "redirect")) == ["to", "status"]
    assert decoder.known_keys(("headers", "set")) == []
    assert decoder.known_keys(("routes",)) == []
    assert decoder.known_keys(("hosts", 0)) == []


def test_a_long_wrong_value_is_shown_in_part() -> None:
    """A wrong value of any size makes a short message."""
    source = Source(Path("g.toml"), f'workers = "{"x" * 1000}"')
    decoded = Decoder(GatewayConfig).decode(Resolved(dict(source.data)), [source])
    assert isinstance(decoded, list)
    assert decoded[0].message == f"expected a whole number, got '{'x' * 119}…"


def test_an_error_is_placed_in_the_file_that_has_it() -> None:
    """Of two files laid over each other, that one is named which holds the key; the first in doubt."""
    above, below = Source(Path("a"), "[headers]\nX = 1"), Source(Path("b"), "[headers]\nY = 1")
    assert place_in([above, below], ("headers", "set", "Y")) is below
    assert place_in([above, below], ("headers",)) is above
    assert place_in([above, below], ("slash",)) is above


def test_nearest_word() -> None:
    """A slip of the finger finds its word; something else finds none."""
    assert nearest("phonix", ["phoenix", "proxy"]) == "phoenix"
    assert nearest("zzz", ["phoenix"]) == ""
