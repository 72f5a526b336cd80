from __future__ import annotations

from gateway.resources.well_known import ROBOTS_TXT, TextFile, security_txt
from gateway.units import Seconds
from tests.support.streams import exchange, get, location

LEAF = TextFile(lambda: ROBOTS_TXT)


def test_texts_are_answered() -> None:
    """GET gets the text, HEAD its head, anything else 405."""
    stream = exchange(location(LEAF), get(b"/robots.txt"))
    assert (stream.status, stream.body) == (200, b"User-agent: *\nDisallow: /\n")
    assert stream.get(b"content-type") == b"text/plain; charset=utf-8"
    assert exchange(location(LEAF), get(b"/robots.txt", method=b"HEAD")).body == b""
    refused = exchange(location(LEAF), get(b"/robots.txt", method=b"POST"))
    assert (refused.status, refused.get(b"allow")) == (405, b"GET, HEAD")


def test_security_txt() -> None:
    """It names the contact and expires within a year, as it must (RFC 9116 §2.5.5)."""
    assert security_txt("mailto:me@example.com", Seconds(1_795_348_800)) == (
        b"Contact: mailto:me@example.com\nExpires: 2027-05-21T00:00:00Z\n"
    )
