"""Plain HTTP of a site that belongs on HTTPS."""

from __future__ import annotations

from gateway.filters.https import HttpsRedirect
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
    settings = {"name": b"www.example.com", "slash": "strip"}
    assert ask(b"/a/?b", "www.example.com", **settings).get(b"location") == b"https://www.example.com/a?b"
    assert ask(b"/a/?b", "example.com", **settings).status == 200


def test_a_host_never_leads_elsewhere() -> None:
    """A host without a certificate is not written into a redirect, and a path stays a path."""
    assert ask(b"/", "example.com", host=b"evil.example").status == 200
    assert ask(b"//evil.example/", "example.com").get(b"location") == b"https://example.com//evil.example/"


def test_protected() -> None:
    """A protected site is never seen over plain HTTP: it waits for its certificate with 503."""
    assert ask(b"/", protected=True).status == 503
    assert ask(b"/", "example.com", protected=True).status == 308
