"""Media types by name."""

from __future__ import annotations

import pytest

from gateway.http.mime import UNKNOWN, content_type, may_be_encoded


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"index.html", b"text/html; charset=utf-8"),
        (b"INDEX.HTML", b"text/html; charset=utf-8"),
        (b"app.js", b"text/javascript; charset=utf-8"),
        (b"app.mjs", b"text/javascript; charset=utf-8"),
        (b"app.css", b"text/css; charset=utf-8"),
        (b"robots.txt", b"text/plain; charset=utf-8"),
        (b"logo.svg", b"image/svg+xml; charset=utf-8"),
        (b"feed.xml", b"application/xml; charset=utf-8"),
        (b"app.wasm", b"application/wasm"),
        (b"site.webmanifest", b"application/manifest+json"),
        (b"app.js.map", b"application/json"),
        (b"photo.avif", b"image/avif"),
        (b"font.woff2", b"font/woff2"),
        (b"favicon.ico", b"image/vnd.microsoft.icon"),
        (b"app.css.gz", b"application/gzip"),
        (b"README", UNKNOWN),
        (b"page.php", UNKNOWN),
        (b"html", UNKNOWN),
        (b"file.", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_types(name: bytes, expected: bytes) -> None:
    """The last ending decides, in any case; text comes with its charset."""
    assert content_type(name) == expected


def test_what_is_compressed_already() -> None:
    """Encoded copies are looked for beside text and data, not beside images, films and archives."""
    for ending in (b"html", b"js", b"json", b"svg", b"wasm", b"ttf", b"unknown"):
        assert may_be_encoded(content_type(b"x." + ending))
    for ending in (b"png", b"webp", b"mp4", b"mp3", b"woff2", b"gz"):
        assert not may_be_encoded(content_type(b"x." + ending))
