"""Fixed and pattern redirects."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.resources.redirect import Redirect, RedirectResource, Target
from tests.support.streams import exchange, get, location


def go(to: str, target: bytes, prefix: bytes = b"", whole_site: bool = False) -> bytes | None:
    leaf = RedirectResource(Target(to), prefix=prefix, whole_site=whole_site)
    return exchange(location(leaf), get(target)).get(b"location")


@pytest.mark.parametrize(
    ("to", "target", "expected"),
    [
        ("/new", b"/old", b"/new"),
        ("/new", b"/old?a=b&c=%2F?", b"/new?a=b&c=%2F?"),
        ("/new?x=1", b"/old?a=b", b"/new?x=1"),
        ("/new#part", b"/old?a=b", b"/new?a=b#part"),
        ("/", b"/old", b"/"),
        ("https://x.example", b"/old", b"https://x.example/"),
        ("https://x.example", b"/old?a", b"https://x.example/?a"),
        ("https://x.example?a=1", b"/old?b", b"https://x.example/?a=1"),
        ("HTTP://X.Example:8080/Path", b"/old", b"http://x.example:8080/Path"),
        ("https://[::1]:1/", b"/old", b"https://[::1]:1/"),
        (
            "https://b\u00fccher.example/\u00fc?\u00fc#\u00fc",
            b"/old",
            b"https://xn--bcher-kva.example/%C3%BC?%C3%BC#%C3%BC",
        ),
        ("/a%20b", b"/old", b"/a%20b"),
    ],
)
def test_fixed_targets(to: str, target: bytes, expected: bytes) -> None:
    """The target stands; the query is passed on byte for byte unless the target has one."""
    assert go(to, target, b"/old") == expected


@pytest.mark.parametrize(
    ("to", "prefix", "target", "expected"),
    [
        ("https://blog.x/*", b"/blog", b"/blog/a%20b/c?d=%zz", b"https://blog.x/a%20b/c?d=%zz"),
        ("https://blog.x/*", b"/blog", b"/blog", b"https://blog.x/"),
        ("https://blog.x/*", b"/blog", b"/blog/", b"https://blog.x/"),
        ("https://blog.x/in/*", b"/blog", b"/blog/a//b", b"https://blog.x/in/a//b"),
        ("https://blog.x/post-*", b"/blog", b"/blog/1", b"https://blog.x/post-1"),
        ("https://x.example/*", b"", b"/a?b", b"https://x.example/a?b"),
        ("/news/*", b"/blog", b"/blog/1?a", b"/news/1?a"),
        ("/*", b"/blog", b"/blog/1", b"/1"),
        ("https://blog.x/*", b"/blog", b"/%62log/a%20%C3%BC?x", b"https://blog.x/a%20%C3%BC?x"),
        ("https://blog.x/*", b"/blog", b"//blog//a", b"https://blog.x/a"),
    ],
)
def test_patterns(to: str, prefix: bytes, target: bytes, expected: bytes) -> None:
    """What the star matched comes back byte for byte where it was spelt like the pattern."""
    assert go(to, target, prefix) == expected


@pytest.mark.parametrize(
    ("to", "target", "expected"),
    [
        ("https://example.com", b"/a/b?c=d", b"https://example.com/a/b?c=d"),
        ("https://example.com", b"/", b"https://example.com/"),
        ("https://example.com", b"/?q", b"https://example.com/?q"),
        ("https://example.com", b"//evil.example/%2e", b"https://example.com//evil.example/%2e"),
        ("https://example.com/", b"/a?b", b"https://example.com/?b"),
        ("https://example.com/new", b"/a?b", b"https://example.com/new?b"),
        ("https://example.com/new/*", b"/a?b", b"https://example.com/new/a?b"),
    ],
)
def test_a_redirected_site(to: str, target: bytes, expected: bytes) -> None:
    """Path and query are appended unless the target has a path."""
    assert go(to, target, whole_site=True) == expected


def test_a_redirected_site_answers_for_the_whole_server() -> None:
    """`OPTIONS *` has no path to keep."""
    leaf = RedirectResource(Target("https://example.com"), whole_site=True)
    stream = exchange(location(leaf), get(b"*", method=b"OPTIONS"))
    assert stream.get(b"location") == b"https://example.com/"


HOSTILE = st.lists(
    st.sampled_from(
        [
            b"/",
            b"\\",
            b"//",
            b"evil.example",
            b"@evil.example",
            b"%2f",
            b"%5c",
            b"%0d%0a",
            b"..",
            b".",
            b":",
            b"?",
            b"a",
        ]
    ),
    max_size=8,
).map(lambda parts: b"/" + b"".join(parts))


@given(HOSTILE)
def test_no_request_leads_to_another_host(target: bytes) -> None:
    """Whatever the path, the browser ends on the target's host; a path target stays on the site."""
    for to, prefix in (("https://good.example/*", b""), ("/*", b""), ("/*", b"/a"), ("/in/*", b"")):
        sent = go(to, target if not prefix else b"/a" + target, prefix)
        if sent is None:  # a malformed path, refused
            continue
        assert b"\r" not in sent
        assert b"\n" not in sent
        # Browsers read a backslash as a slash and drop tabs and line ends (WHATWG URL).
        seen = re.sub(r"[\t\r\n]", "", sent.decode("ascii").replace("\\", "/"))
        assert urlsplit(urljoin("http://site.example/x", seen)).hostname in ("good.example", "site.example")
        if to.startswith("/"):
            assert seen.startswith("/")
            assert not seen.startswith("//")


@given(HOSTILE)
def test_no_request_leads_a_redirected_site_elsewhere(target: bytes) -> None:
    """A path behind the target's host cannot become a part of the host."""
    sent = go("https://good.example", target, whole_site=True)
    assert sent is not None
    assert urlsplit(sent.decode("ascii").replace("\\", "/")).netloc == "good.example"


def test_a_malformed_path_is_refused_where_it_matters() -> None:
    """A rest that has to be taken from a broken path is 400."""
    leaf = RedirectResource(Target("/new/*"), prefix=b"/old")
    assert exchange(location(leaf), get(b"/%zz")).status == 400


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_status_can_be_sent(status: int) -> None:
    """The status is the one asked for, 308 otherwise."""
    assert exchange(location(RedirectResource(Target("/new"), status)), get(b"/")).status == status
    assert exchange(location(RedirectResource(Target("/new"))), get(b"/")).status == 308


def test_another_status_is_refused() -> None:
    """A status that is no redirect's is an error when the site is built."""
    with pytest.raises(ValueError, match="got 300"):
        RedirectResource(Target("/new"), 300)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "new",
        "//evil.example",
        "/\\evil.example",
        "example.com",
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://user@example.com/",
        "https://example.com\\x",
        "https://example.com:port/",
        "https://example.com*",
        "https://*",
        "*",
        "https://*.example.com/",
        "/a/*/b",
        "/a?b=*",
        "/a#*",
        "/a b",
        "/a\r\nSet-Cookie: x=1",
        "/a\tb",
        "https://" + "a" * 70 + ".example/",
    ],
)
def test_targets_that_cannot_be_are_refused(to: str) -> None:
    """Neither a path nor an http(s) address, or a star that could change the host: refused when the file is read."""
    with pytest.raises(ValueError, match=r"got|host name"):
        Target(to)
    with pytest.raises(ValidationError):
        Redirect(to=to)


def test_settings_take_what_the_resource_takes() -> None:
    """A good target passes the settings' check."""
    assert Redirect(to="https://blog.x/*", status=302).status == 302
