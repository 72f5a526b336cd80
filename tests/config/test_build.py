from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from gateway.config.build import SiteBuilder
from gateway.config.model import Site
from gateway.config.names import names_of
from gateway.config.site_file import SiteFile
from gateway.config.source import Source
from gateway.errors import ConfigError
from gateway.resources.page import Reply
from gateway.resources.proxy import Proxy
from gateway.upstream.probe import Health

ADAPTER = TypeAdapter(SiteFile)


def build(text: str, stem: str = "a.com") -> Site | list[ConfigError]:
    source = Source(Path(f"{stem}.toml"), text)
    file = ADAPTER.validate_python(source.data)
    return SiteBuilder(names_of(stem, file.hosts), file, [source]).build()


def test_everything_that_does_not_fit_is_told() -> None:
    """All contradictions of a file are found in one go."""
    errors = build('phoenix = 1\nproxy = 2\n[routes]\n"/a" = { static = "x", spa = "y" }\n"/b" = {}\n')
    assert isinstance(errors, list)
    assert [error.place for error in errors] == ["a.com.toml:2:1", "a.com.toml:4:24", "a.com.toml:5:1"]


def test_routes_and_redirects_are_enough() -> None:
    """A site may have nothing but routes, or nothing but redirects."""
    site = build('[redirects]\n"/x" = 410\n"/y/*" = "/z/*"\n')
    assert isinstance(site, Site)
    assert [(each.prefix, each.exact) for each in site.locations] == [("/x", True), ("/y", False)]
    assert site.locations[0].leaf == Reply(status=410)


def test_only_keys_that_are_set_have_an_origin() -> None:
    """A warning about a key can name its line."""
    site = build('phoenix = 1\nmaintenance = "m"\n')
    assert isinstance(site, Site)
    assert {key: origin.line for key, origin in site.origins.items()} == {"maintenance": 2}


def test_what_is_said_of_the_app_holds_for_its_upstreams() -> None:
    """Health checks and stickiness beside the app are those of routes to its upstreams too, unless they say more."""
    site = build(
        'phoenix = [1, 2]\nhealth = "/up"\nsticky = true\n[routes]\n"/same" = { proxy = [2, 1], retries = 0 }\n'
        '"/one" = 1\n"/own" = { proxy = 2, health = "/own" }\n"/other" = 3\n"/both" = [1, 3]\n'
    )
    assert isinstance(site, Site)
    said = {
        each.prefix: (each.leaf.health.path if each.leaf.health else "", each.leaf.sticky)
        for each in site.locations
        if isinstance(each.leaf, Proxy)
    }
    assert said == {
        "": ("/up", True),
        "/same": ("/up", True),
        "/one": ("/up", True),
        "/own": ("/own", True),
        "/other": ("", False),
        "/both": ("", False),
    }


def test_an_app_may_say_it_itself() -> None:
    """The table of an app has the same keys, and goes before what stands beside it."""
    site = build('phoenix = { to = [1, 2], health = { path = "/a", interval = "9s" }, sticky = true }\nhealth = "/b"\n')
    assert isinstance(site, Site)
    (location,) = site.locations
    assert isinstance(location.leaf, Proxy)
    assert location.leaf.health == Health(path="/a", interval="9s")  # type: ignore[arg-type]  # as it is written
    assert location.leaf.sticky
