"""Content codings of stored representations."""

from __future__ import annotations

import pytest

from gateway.http.codings import welcome_codings
from tests.support.streams import get


@pytest.mark.parametrize(
    ("accept", "codings"),
    [
        (b"", ""),
        (b"identity", ""),
        (b"gzip", "gzip"),
        (b"x-gzip", "gzip"),
        (b"GZip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd br gzip"),
        (b"gzip;q=1.0, br;q=0.8, zstd;q=0.1", "gzip br zstd"),
        (b"br;q=0.5, gzip;q=0.5", "br gzip"),
        (b"gzip;q=0", ""),
        (b"gzip;q=0, *", "zstd br"),
        (b"gzip;q=0.000", ""),
        (b"*", "zstd br gzip"),
        (b"*;q=0", ""),
        (b"*;q=0, gzip", "gzip"),
        (b"identity;q=1, gzip;q=0.5", ""),
        (b"identity;q=0.5, gzip;q=0.5", "gzip"),
        (b"identity;q=0.3, gzip;q=0.2, br;q=0.4", "br"),
        (b"identity;q=0, *", "zstd br gzip"),
        (b"gzip;q=2", ""),
        (b"gzip;q=x", ""),
        (b"deflate, compress", ""),
        (b"gzip ; q=0.5 , br ; q=0.7", "br gzip"),
    ],
)
def test_weights_decide(accept: bytes, codings: str) -> None:
    """Codings come by weight, those refused or less welcome than plain content not at all (RFC 9110 §12.5.3)."""
    head = get(b"/", *([b"Accept-Encoding: " + accept] if accept else []))
    assert welcome_codings(head) == tuple(codings.encode().split())


def test_an_empty_field_wants_no_coding() -> None:
    """An empty Accept-Encoding asks for plain content."""
    assert welcome_codings(get(b"/", b"Accept-Encoding:")) == ()
