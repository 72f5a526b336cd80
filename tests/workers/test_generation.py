"""Generations of sites, as they are told."""

from __future__ import annotations

from gateway.config.model import BrokenSite, Site
from gateway.errors import ConfigError
from gateway.workers.generation import Generation
from gateway.workers.messages import FromLeader, Serve, Sites
from gateway.workers.packing import unpack_sites


def told(messages: list[FromLeader]) -> tuple[list[str], Serve]:
    *packed, serve = messages
    assert isinstance(serve, Serve)
    return [site.file for each in packed if isinstance(each, Sites) for site in unpack_sites(each)], serve


def test_only_changes_are_told() -> None:
    """Who has the generation before gets what is new, and the names of all; who has nothing gets all."""
    a, b, c = (Site(name=name, file=f"{name}.toml") for name in "abc")
    generation = Generation()
    assert told(list(generation.next([a, b], []))) == (
        ["a.toml", "b.toml"],
        Serve(generation=1, files=("a.toml", "b.toml")),
    )
    again = Site(name="b", file="b.toml")
    assert told(list(generation.next([a, again, c], []))) == (
        ["b.toml", "c.toml"],
        Serve(generation=2, files=("a.toml", "b.toml", "c.toml")),
    )
    assert told(list(generation.next([a], []))) == ([], Serve(generation=3, files=("a.toml",)))
    assert told(list(generation.everything())) == (["a.toml"], Serve(generation=3, files=("a.toml",)))


def test_refused_sites() -> None:
    """A site that cannot be served is told with its names; why is the leader's to say."""
    broken = BrokenSite(name="a", file="a.toml", hosts=("a",), errors=(ConfigError("no", file="a.toml", kind="x"),))
    *packed, _ = Generation().next([], [broken])
    assert isinstance(packed[0], Sites)
    assert list(unpack_sites(packed[0])) == [BrokenSite(name="a", file="a.toml", hosts=("a",))]
