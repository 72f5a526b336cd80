from __future__ import annotations

import pytest

from gateway.config.shorthand import (
    check_path_pattern,
    expand_headers,
    expand_proxy,
    expand_redirect,
    expand_redirect_entry,
    expand_route,
    expand_spa,
    expand_static,
    read_https,
    split_pattern,
)


def test_short_forms_become_tables() -> None:
    """Each short form means one table."""
    assert expand_proxy(4000) == {"to": [4000]}
    assert expand_proxy([1, 2]) == {"to": [1, 2]}
    assert expand_proxy({"to": 1, "strip": True}) == {"to": [1], "strip": True}
    assert expand_static("a") == {"root": "a"}
    assert expand_spa("a") == {"root": "a", "spa": True}
    assert expand_spa({"root": "a"}) == {"root": "a", "spa": True}
    assert expand_redirect("/x") == {"to": "/x"}
    assert expand_redirect_entry("/x") == {"to": "/x"}
    assert expand_redirect_entry(410) == {"status": 410}
    assert [read_https(each) for each in (True, False, "optional")] == ["redirect", "off", "optional"]


def test_routes() -> None:
    """A route's value is an upstream, or a table in which a proxy's keys stand beside it."""
    assert expand_route(1) == {"proxy": 1}
    assert expand_route({"proxy": 1, "strip": True, "slash": "add"}) == {
        "proxy": {"to": [1], "strip": True},
        "slash": "add",
    }
    assert expand_route({"phoenix": 1, "retries": 1}) == {"phoenix": {"to": [1], "retries": 1}}
    assert expand_route({"to": 1, "strip": True}) == {"proxy": {"to": 1, "strip": True}}
    assert expand_route({"static": "a", "strip": True}) == {"static": "a", "strip": True}
    assert expand_route({"proxy": 1}) == {"proxy": 1}


def test_headers() -> None:
    """`-`, `+` and `remove` are told from names; the full form is left as it is."""
    assert expand_headers({"A": "1", "+B": "2", "-C": "", "remove": ["D"]}) == {
        "set": {"A": "1"},
        "add": {"B": "2"},
        "remove": ["C", "D"],
    }
    full = {"set": {"A": "1"}, "remove": ["B"]}
    assert expand_headers(full) is full
    assert expand_headers({"set": "1"}) == {"set": {"set": "1"}, "add": {}, "remove": []}
    assert expand_headers(3) == 3
    with pytest.raises(ValueError, match="the field is removed"):
        expand_headers({"-A": "x"})
    with pytest.raises(ValueError, match=r'expected `remove = \["Name"\]`'):
        expand_headers({"remove": "x"})


@pytest.mark.parametrize("pattern", ["/", "/*", "/a", "/a/", "/a/*", "/a b/ü", "/.well-known/*", "/a.b/..c"])
def test_path_patterns(pattern: str) -> None:
    """A path stands decoded, with `/*` at the end for all below it."""
    assert check_path_pattern(pattern) == pattern
    assert split_pattern("/a/*") == ("/a", False)
    assert split_pattern("/*") == ("", False)
    assert split_pattern("/a/") == ("/a/", True)


@pytest.mark.parametrize(
    "pattern",
    ["", "a", "*", "/a*", "/*/a", "/**", "//", "/a//b", "/a/..", "/./a", "/a%20", "/a?b", "/a#b", "/a\\b", "/\n"],
)
def test_wrong_path_patterns(pattern: str) -> None:
    """A path that no request's path could equal is an error."""
    with pytest.raises(ValueError, match="expected a path"):
        check_path_pattern(pattern)
