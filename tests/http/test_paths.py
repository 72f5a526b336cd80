"""The path that routes and access are decided on."""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import HTTPError, ProtocolError
from gateway.http.paths import Path, decide_path, file_names
from gateway.web.tree import SiteResource
from tests.support.streams import Reply, exchange, get, location

PIECES = [
    b"/",
    b"//",
    b".",
    b"..",
    b"a",
    b"B~",
    b"%2f",
    b"%2F",
    b"%5c",
    b"\\",
    b"%2e",
    b"%2E%2e",
    b"%25",
    b"%00",
    b"%c3%a9",
]
TARGETS = st.lists(st.sampled_from([*PIECES, b"?", b"%", b";"]), max_size=12).map(lambda parts: b"/" + b"".join(parts))


def decide_or_refuse(target: bytes) -> Path | None:
    try:
        return decide_path(target)
    except ProtocolError:
        return None


@given(TARGETS)
@example(b"/a/./")
@example(b"/a/..")
@example(b"/%2e%2e%5c")
def test_a_decided_path_is_plain(target: bytes) -> None:
    """A decided path starts with a slash and has neither dot segments nor double slashes nor control octets."""
    path = decide_or_refuse(target)
    if path is None:
        return
    for form in (path.decoded, path.literal):
        assert form.startswith(b"/")
        assert b"//" not in form
        assert not re.search(rb"[\x00-\x1f\x7f]", form)
        assert not {b".", b".."} & set(form.split(b"/"))
    assert b"\\" not in path.decoded


@given(TARGETS)
def test_deciding_again_changes_nothing(target: bytes) -> None:
    """A decided path, escaped and decided again, is itself."""
    path = decide_or_refuse(target)
    if path is not None:
        escaped = quote_from_bytes(path.decoded).encode()
        assert decide_path(escaped) == Path(path.decoded, path.decoded)


@given(st.lists(st.sampled_from([b"a", b"..", b".", b"", b"%2e%2e", b"..%2f..", b"..%5c"]), max_size=8))
def test_no_path_climbs(segments: list[bytes]) -> None:
    """A path is refused exactly where some step of it leaves the root."""
    target = b"/" + b"/".join(segments)
    steps = target.replace(b"%2e", b".").replace(b"%2f", b"/").replace(b"%5c", b"/").split(b"/")
    depth = lowest = 0
    for step in steps:
        depth += {b"..": -1, b".": 0, b"": 0}.get(step, 1)
        lowest = min(lowest, depth)
    assert (decide_or_refuse(target) is None) == (lowest < 0)


@given(TARGETS)
def test_a_query_never_changes_the_decision(target: bytes) -> None:
    """Whatever stands behind the question mark, the path is the same."""
    if b"?" not in target:
        assert decide_or_refuse(target) == decide_or_refuse(target + b"?/../%zz//%00")


@pytest.mark.parametrize(
    ("target", "decoded", "literal"),
    [
        (b"/a/b?c=/../d", b"/a/b", b"/a/b"),
        (b"/a//b///", b"/a/b/", b"/a/b/"),
        (b"/a/./b/../c/.", b"/a/c/", b"/a/c/"),
        (b"/%41%2e", b"/A.", b"/A."),
        (b"/%252e%252e/x", b"/%2e%2e/x", b"/%2e%2e/x"),
        (b"/open/..%2fadmin", b"/admin", b"/open/..%2fadmin"),
        (b"/open/..%5Cadmin", b"/admin", b"/open/..%5Cadmin"),
        (b"/open\\..\\admin", b"/admin", b"/open\\..\\admin"),
        (b"*", b"/", b"/"),
        (b"/...", b"/...", b"/..."),
        (b"/.hidden/", b"/.hidden/", b"/.hidden/"),
    ],
)
def test_paths_are_decided(target: bytes, decoded: bytes, literal: bytes) -> None:
    """Escapes, dots and slashes are resolved once; encoded separators have two readings."""
    assert decide_path(target) == Path(decoded, literal)


@pytest.mark.parametrize(
    "target",
    [
        b"/%0A",
        b"/%7f",
        b"/..",
        b"/a/../..",
        b"/%2e%2e/x",
        b"/..%2fx",
        b"/a%5c..%5c..",
        b"/%00",
        b"/a%0d%0ab",
        b"/%7F",
        b"/%",
        b"/%4",
        b"/%zz",
        b"/%u0041",
    ],
)
def test_bad_paths_are_refused(target: bytes) -> None:
    """A control octet, a broken escape and a climb above the root are 400."""
    with pytest.raises(ProtocolError) as caught:
        decide_path(target)
    assert caught.value.status == 400


@given(TARGETS)
@example(b"/open/..%2fadmin/x")
@example(b"/open%2f../admin")
@example(b"/admin%2fx")
@example(b"/admin%5cx")
@example(b"/a/..%5cadmin")
def test_an_encoded_separator_never_widens_access(target: bytes) -> None:
    """A path that one reading puts below a protected prefix is never answered by an open location."""
    target = target.replace(b"a", b"admin").replace(b"B~", b"open")
    admin, rest, open_ = Reply(403), Reply(200), Reply(200)
    site = SiteResource("s", [location(admin, prefix=b"/admin"), location(open_, prefix=b"/open"), location(rest)])
    stream = exchange(site, get(target))
    path = decide_or_refuse(target)
    protected = path is None or any(
        form == b"/admin" or form.startswith(b"/admin/") for form in (path.decoded, path.literal)
    )
    assert not (protected and stream.status == 200)


def test_a_path_without_any_location_is_404() -> None:
    """A site that has no location for a path says so."""
    stream = exchange(SiteResource("s", [location(prefix=b"/a")]), get(b"/b"))
    assert stream.status == 404
    assert isinstance(stream.handler.error, HTTPError)


@pytest.mark.parametrize(
    ("target", "prefix", "names"),
    [
        (b"/", b"", []),
        (b"/a/b.html", b"", [b"a", b"b.html"]),
        (b"/a//b/./c/../d/", b"", [b"a", b"b", b"d"]),
        (b"/docs/a", b"/docs", [b"a"]),
        (b"/docs", b"/docs", []),
        (b"/%C3%A4%20b", b"", ["ä b".encode()]),
        (b"/.well-known/x", b"", [b".well-known", b"x"]),
        (b"/.well-known/.env", b"", None),
        (b"/a/.well-known/x", b"", None),
        (b"/.git/config", b"", None),
        (b"/%2egit/config", b"", None),
        (b"/a/%2e%2e%2fb", b"", None),
        (b"/a%2fb", b"", None),
        (b"/a%5cb", b"", None),
        (b"/a\\b", b"", None),
        (b"/...", b"", None),
        (b"/site.toml", b"", None),
        (b"/site.TOML", b"", None),
        (b"/site.toml.gz", b"", None),
        (b"/page.html~", b"", None),
        (b"/page.html.bak", b"", None),
        (b"/%23page.html%23", b"", None),
        (b"/a.ex", b"", None),
        (b"/a.exs/b", b"", None),
        (b"/page.html.heex", b"", None),
        (b"/page.swp", b"", None),
        (b"/a.example", b"", [b"a.example"]),
        (b"/%252e%252e/x", b"", [b"%2e%2e", b"x"]),
    ],
)
def test_names_of_files(target: bytes, prefix: bytes, names: list[bytes] | None) -> None:
    """A path becomes plain names below the root, or nothing where it is in doubt or private."""
    assert file_names(decide_path(target), prefix) == names


@given(st.text("/.%25ec\\f~a\u00e4", max_size=30).map(lambda text: b"/" + text.encode()))
def test_names_never_lead_up(target: bytes) -> None:
    """Whatever the path, no name is empty, a dot segment, hidden, or holds a separator."""
    try:
        names = file_names(decide_path(target))
    except ProtocolError:
        return
    for name in names or ():
        assert name
        assert not name.startswith(b".")
        assert not set(b"/\\\0") & set(name)
