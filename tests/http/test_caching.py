"""How long files may be kept."""

from __future__ import annotations

import pytest

from gateway.http.caching import AN_HOUR, IMMUTABLE, REVALIDATE, cache_control, has_digest
from gateway.http.mime import content_type

DIGEST = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "name",
    [
        f"app-{DIGEST}.css",
        f"logo-{DIGEST}.svg.gz",
        "index-DiwrgTda.js",
        "index-B3x1s2Qp.css",
        "index-4sK9Oj3a.js",
        "vendor-a1b2c3d4.mjs",
        "chunk-Q2WD5ZJR.js",
        "chunk-Q2WD5ZJR.js.map",
        "my-own-logo-x7_Kd9-a.svg",
        "main.8f3Ka2Qz.js",
    ],
)
def test_digests(name: str) -> None:
    """Names by phx.digest, Vite and esbuild are known."""
    assert has_digest(name.encode())


@pytest.mark.parametrize(
    "name",
    [
        "app.css",
        "annual-document.js",
        "photo-20240131.jpg",
        "photo-IMG_2024.jpg",
        "slide-chapter1.png",
        "slide-Chapter1.png",
        "some-DOCUMENT.png",
        "report-DiwrgTda.pdf",
        "jquery-3.7.1.min.js",
        f"app-{DIGEST[1:]}.css",
        f"app-{DIGEST}",
        "bootstrap.bundle.js",
    ],
)
def test_ordinary_names(name: str) -> None:
    """Words, dates and version numbers are no digests: a file wrongly kept for a year would be stuck."""
    assert not has_digest(name.encode())


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        (b"index.html", b"", REVALIDATE),
        (b"index.html", b"vsn=d", REVALIDATE),
        (b"app.css", b"", AN_HOUR),
        (b"app.css", b"vsn=d", IMMUTABLE),
        (b"app.css", b"a=1&vsn=d", IMMUTABLE),
        (b"app.css", b"vsn=dx", AN_HOUR),
        (b"app.css", b"xvsn=d", AN_HOUR),
        (f"app-{DIGEST}.css".encode(), b"", IMMUTABLE),
    ],
)
def test_cache_control(name: bytes, query: bytes, expected: bytes) -> None:
    """Pages are asked for every time, digested files never again, the rest after an hour."""
    assert cache_control(name, content_type(name), query) == expected
