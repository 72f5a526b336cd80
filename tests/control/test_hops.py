from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.control.hops import Redirects


def redirects(folder: Path, **files: str) -> Redirects:
    for name, source in files.items():
        (folder / f"{name.replace('__', '.')}.toml").write_text(source)
    loaded = load(folder, {})
    assert loaded.errors == ()
    return Redirects(loaded.sites)


def test_scheme_host_and_slash_are_corrected_in_one_hop(tmp_path: Path) -> None:
    """From the worst address of a page to its one address it is one redirect."""
    hops = redirects(tmp_path, a__com='phoenix = 1\ncanonical = "www"\nslash = "strip"\n')
    assert hops.follow("http://a.com/x//?q=1") == (("http://a.com/x//?q=1", "https://www.a.com/x"), False)
    assert hops.follow("https://www.a.com/x") == (("https://www.a.com/x",), False)


@pytest.mark.parametrize(
    ("slash", "path", "target"),
    [
        ("add", "/x", "/x/"),
        ("add", "/x.css", ""),
        ("add", "/x/", ""),
        ("strip", "/", ""),
        ("strip", "/x/", "/x"),
        ("strip", "/.well-known/x/", ""),
        ("keep", "/x/", ""),
    ],
)
def test_slashes(tmp_path: Path, slash: str, path: str, target: str) -> None:
    """Slashes are followed as the site corrects them."""
    hops = redirects(tmp_path, a__com=f'phoenix = 1\nslash = "{slash}"\n')
    assert hops.next(f"https://a.com{path}") == (f"https://a.com{target}" if target else None)


def test_targets(tmp_path: Path) -> None:
    """Fixed targets, patterns and whole sites lead where the gateway would send a client."""
    table = '[redirects]\n"/old" = "/new"\n"/blog/*" = "https://b.com/*"\n"/gone" = 410\n"/dir/*" = "https://b.com"\n'
    hops = redirects(
        tmp_path, a__com=f"phoenix = 1\n{table}", c__com='redirect = "https://a.com"\n', d__com='redirect = "/x"\n'
    )
    assert hops.next("https://a.com/old") == "https://a.com/new"
    assert hops.next("https://a.com/blog/x/y") == "https://b.com/x/y"
    assert hops.next("https://a.com/dir/x") == "https://b.com/"
    assert hops.next("https://a.com/gone") is None
    assert hops.next("https://c.com/x/y") == "https://a.com/x/y"
    assert hops.next("https://elsewhere.org/") is None
    assert hops.next("https://a.com:8443/old") is None


def test_loops_over_several_sites_are_found(tmp_path: Path) -> None:
    """Two sites that send clients to each other, a redirect that undoes a slash, and one that grows are loops."""
    hops = redirects(
        tmp_path,
        a__com='redirect = "https://b.com"\n',
        b__com='redirect = "https://a.com"\n',
        c__com='phoenix = 1\nslash = "strip"\n[redirects]\n"/x" = "/x/"\n',
        d__com='phoenix = 1\n[redirects]\n"/x/*" = "/x/y/*"\n',
    )
    found = {journey.site.name: journey for journey in hops.journeys()}
    assert all(journey.loops for journey in found.values())
    assert set(found) == {"a.com", "b.com", "c.com", "d.com"}
    assert found["c.com"].urls == ("https://c.com/x", "https://c.com/x/", "https://c.com/x")


def test_wildcards_and_addresses_are_sites_too(tmp_path: Path) -> None:
    """Targets are looked up as requests are: exact name, wildcard, address in brackets; HTTP-only sites stay so."""
    (tmp_path / "_wildcard.a.com.toml").write_text('https = "off"\n[redirects]\n"/x" = "http://[::1]/y"\n')
    (tmp_path / "[::1].toml").write_text('https = "optional"\n[redirects]\n"/y" = "/z"\n"/z/*" = "/"\n')
    hops = redirects(tmp_path)
    assert hops.follow("http://q.a.com/x")[0] == (
        "http://q.a.com/x",
        "http://[::1]/y",
        "http://[::1]/z",
        "http://[::1]/",
    )
    assert [journey.site.name for journey in hops.journeys()] == ["[::1]", "[::1]", "[::1]"]


def test_what_another_location_answers_is_no_journey(tmp_path: Path) -> None:
    """A path below a redirect that something else answers is not followed."""
    table = '[routes]\n"/x" = 4000\n[redirects]\n"/x/*" = "/y"\n'
    (journey,) = redirects(tmp_path, a__com=f"phoenix = 1\n{table}").journeys()
    assert journey.urls == ("https://a.com/x/x", "https://a.com/y")
