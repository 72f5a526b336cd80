"""One URL for each page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.filters.canonical import CanonicalRedirect, Slash, SlashFilter, corrected_in
from gateway.web.tree import SiteResource
from tests.support.streams import RecordingStream, Reply, exchange, get, location


def slash(rule: Slash, target: bytes, *fields: bytes, method: bytes = b"GET") -> bytes | None:
    stream = exchange(location(Reply(), SlashFilter(rule)), get(target, *fields, method=method))
    assert stream.status in (200, 308)
    return stream.get(b"location")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a/", b"/a"),
        (b"/a/b/?c=/d/", b"/a/b?c=/d/"),
        (b"/a//", b"/a"),
        (b"/a.html/", b"/a.html"),
        (b"/%C3%BC/", b"/%C3%BC"),
        (b"//evil.example/", b"/evil.example"),
        (b"/\\evil.example/", b"/evil.example"),
        (b"/a", None),
        (b"/a?b/", None),
        (b"/", None),
        (b"/?a=b", None),
        (b"//", None),
        (b"//evil.example", None),
        (b"/a/../", None),
        (b"/.well-known/acme-challenge/", None),
        (b"//.well-known/x/", None),
        (b"/live/websocket/", None),
        (b"/live/longpoll/?vsn=2", None),
    ],
)
def test_strip(target: bytes, expected: bytes | None) -> None:
    """A trailing slash goes, in one hop, with the query kept."""
    assert slash("strip", target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a", b"/a/"),
        (b"/a/b?c", b"/a/b/?c"),
        (b"/v1.2/a", b"/v1.2/a/"),
        (b"//evil.example/a", b"/evil.example/a/"),
        (b"/a/", None),
        (b"/", None),
        (b"/?a", None),
        (b"/a.html", None),
        (b"/a/.", None),
        (b"/a/..", None),
        (b"/.well-known/security", None),
        (b"/.well-known", None),
        (b"/live/websocket?vsn=2.0.0", None),
        (b"/live/longpoll", None),
    ],
)
def test_add(target: bytes, expected: bytes | None) -> None:
    """A trailing slash comes, but not behind what looks like a file."""
    assert slash("add", target) == expected


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"OPTIONS", b"DELETE"])
def test_only_reading_is_redirected(method: bytes) -> None:
    """Other methods reach the application as they came."""
    assert slash("strip", b"/a/", method=method) is None
    assert slash("strip", b"/a/", method=b"HEAD") == b"/a"


def test_websockets_are_left_alone() -> None:
    """A handshake cannot follow a redirect."""
    assert slash("strip", b"/a/", b"Connection: upgrade", b"Upgrade: websocket") is None


def test_keep_redirects_nothing() -> None:
    """With `keep` both forms reach the application."""
    assert slash("keep", b"/a/") is slash("keep", b"/a") is None


@given(st.text("/\\a.?%", max_size=12).map(lambda text: b"/" + text.encode()), st.sampled_from(["strip", "add"]))
def test_one_hop_is_enough(target: bytes, rule: Slash) -> None:
    """What a slash redirect leads to is not redirected again, and stays on the host."""
    sent = slash(rule, target)
    if sent is not None:
        assert sent[:1] == b"/"
        assert sent[1:2] not in (b"/", b"\\")
        assert slash(rule, sent) is None


def canonical(
    target: bytes,
    rule: Slash = "keep",
    host: bytes = b"example.com",
    method: bytes = b"GET",
    **connection: object,
) -> bytes | None:
    stream = RecordingStream(**connection)  # type: ignore[arg-type]
    places = [location(None, SlashFilter(rule)), location(prefix=b"/kept")]
    leaf = CanonicalRedirect(b"www.example.com", corrected_in(SiteResource("example.com", places)))
    exchange(location(leaf), get(target, host=host, method=method), stream=stream)
    assert stream.status == 308
    return stream.get(b"location")


@pytest.mark.parametrize(
    "target", [b"/", b"/a/b?c=d", b"/a%2fb/?%zz#".rstrip(b"#"), b"//evil.example/", b"/\\evil.example", b"/?"]
)
def test_the_host_is_corrected(target: bytes) -> None:
    """Path and query are kept byte for byte behind the canonical name."""
    assert canonical(target) == b"http://www.example.com" + target


def test_the_scheme_is_kept() -> None:
    """A client that came by HTTPS stays there."""
    assert canonical(b"/", secure=True, local_port=443) == b"https://www.example.com/"


def test_the_port_is_kept_where_it_is_the_listeners() -> None:
    """A port that somebody else maps here is not repeated."""
    assert canonical(b"/", host=b"example.com:8080", local_port=8080) == b"http://www.example.com:8080/"
    assert canonical(b"/", host=b"example.com:8080", local_port=80) == b"http://www.example.com/"


def test_host_and_slash_are_one_hop() -> None:
    """Both wrong: both corrected together."""
    assert canonical(b"/a/?b", "strip") == b"http://www.example.com/a?b"
    assert canonical(b"/a?b", "add") == b"http://www.example.com/a/?b"
    assert canonical(b"/a", "strip") == b"http://www.example.com/a"
    assert canonical(b"/kept/a/", "strip") == b"http://www.example.com/kept/a/"


def test_every_method_is_sent_to_the_right_host() -> None:
    """308 keeps method and content; the slash rule is for reading only."""
    assert canonical(b"/a/", "strip", method=b"POST") == b"http://www.example.com/a/"
    assert canonical(b"*", method=b"OPTIONS") == b"http://www.example.com/"
