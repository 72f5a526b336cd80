"""Plain HTTP of a site that belongs on HTTPS."""

from __future__ import annotations

from gateway.filters.canonical import SlashFilter, corrected_in
from gateway.filters.https import HttpsRedirect
from gateway.web.tree import SiteResource
from tests.support.streams import RecordingStream, Reply, exchange, get, location


def ask(target: bytes, *ready: str, host: bytes = b"example.com", **settings) -> RecordingStream:
    leaf = HttpsRedirect(Reply(), lambda name: name in ready, **settings)
    return exchange(location(leaf), get(target, host=host))


def test_served_until_there_is_a_certificate() -> None:
    """Without a certificate the site answers; with one it is a redirect with path and query as they came."""
    assert ask(b"/a?b").status == 200
    moved = ask(b"/a%2Fb?c=//d", "example.com")
    assert (moved.status, moved.get(b"location")) == (308, b"https://example.com/a%2Fb?c=//d")


def test_one_hop() -> None:
    """Scheme, host and slash are corrected together, once the canonical name has its certificate."""
    site = SiteResource("example.com", [location(None, SlashFilter("strip")), location(prefix=b"/kept")])
    settings = {"name": b"www.example.com", "correct": corrected_in(site)}
    assert ask(b"/a/?b", "www.example.com", **settings).get(b"location") == b"https://www.example.com/a?b"
    assert ask(b"/kept/", "www.example.com", **settings).get(b"location") == b"https://www.example.com/kept/"
    assert ask(b"/a/?b", "example.com", **settings).status == 200


def test_a_host_never_leads_elsewhere() -> None:
    """A host without a certificate is not written into a redirect, and a path stays a path."""
    assert ask(b"/", "example.com", host=b"evil.example").status == 200
    assert ask(b"//evil.example/", "example.com").get(b"location") == b"https://example.com//evil.example/"


def test_protected() -> None:
    """A protected site is never seen over plain HTTP: it waits for its certificate with 503."""
    assert ask(b"/", protected=True).status == 503
    assert ask(b"/", "example.com", protected=True).status == 308
