"""The sites of a worker."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.compile import Compiler
from gateway.config.model import BrokenSite, Site
from gateway.upstream.pool import UpstreamRegistry
from gateway.web.resource import Resource
from gateway.web.tree import VirtualHosts
from gateway.workers.sites import AgreedSites
from tests.support.reloading import FakeReactor
from tests.support.served import Served


class World(Served):
    """A worker's tree, by files that the leader would read.

    Attributes:
        reactor: Its turns.
        agreed: The sites.
        generations: What was said to be served.
    """

    unknown: Resource | None = None
    compiler: Compiler
    upstreams: UpstreamRegistry

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, **files: str) -> None:
        super().__init__(folder, patch, **files)
        self.world.core.tree = VirtualHosts({})
        self.reactor = FakeReactor()
        self.generations: list[tuple[int, tuple[str, ...]]] = []
        self.agreed = AgreedSites(self.reactor, self, lambda *served: self.generations.append(served))
        self.sites = {site.name: site for site in self.loaded.sites}

    def use(self, tree: VirtualHosts, sites: Iterable[Site], refused: Iterable[BrokenSite]) -> None:
        self.world.core.tree = tree

    def serve(self, generation: int, *sites: Site | BrokenSite) -> None:
        self.agreed.tell(sites)
        self.agreed.serve(generation, [site.file for site in sites])

    def status(self, host: str) -> int:
        return int(self.get(host).split(b" ", 2)[1])


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(
        tmp_path,
        monkeypatch,
        a__com='redirect = "https://x.com"',
        b__com="redirect = 'https://y.com'",
        c__com="proxy = 1",
    )


def test_a_generation_as_a_whole(world: World) -> None:
    """Sites are served once all of them are built, those that the leader refused as well."""
    broken = BrokenSite(name="d.com", file="d.com.toml", hosts=("d.com",))
    world.serve(1, world.sites["a.com"], world.sites["b.com"], broken)
    assert world.status("a.com") == 404
    world.reactor.work()
    assert [world.status(f"{name}.com") for name in "abcd"] == [308, 308, 404, 503]
    assert world.generations == [(1, ())]


def test_what_did_not_change_is_not_built(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later generation builds what is new and drops what is gone."""
    world.serve(1, world.sites["a.com"], world.sites["c.com"])
    world.reactor.work()
    assert len(world.upstreams) == 1
    built = []
    build = world.compiler.build
    monkeypatch.setattr(world.compiler, "build", lambda site: [built.append(site.name), build(site)][1])
    world.agreed.tell([world.sites["b.com"]])
    world.agreed.serve(2, [world.sites[name].file for name in ("a.com", "b.com")])
    world.reactor.work()
    assert built == ["b.com"]
    assert [world.status(f"{name}.com") for name in "abc"] == [308, 308, 404]
    assert len(world.upstreams) == 0


def test_the_last_word_counts(world: World) -> None:
    """Of generations that wait while one is built, the last is built."""
    world.serve(1, world.sites["a.com"])
    world.serve(2, world.sites["b.com"])
    world.serve(3, world.sites["c.com"])
    world.reactor.work()
    assert [number for number, _ in world.generations] == [1, 3]


def test_what_cannot_be_built_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that fails goes on as it was, or answers 503; the others are served, and the leader is told."""
    world.serve(1, world.sites["a.com"])
    world.reactor.work()
    build = world.compiler.build

    def fail(site: Site | BrokenSite) -> object:
        if isinstance(site, Site) and site.name != "b.com":
            raise OSError("gone")
        return build(site)

    monkeypatch.setattr(world.compiler, "build", fail)
    changed = Site(name="a.com", file=world.sites["a.com"].file, hosts=("a.com",))
    world.serve(2, changed, world.sites["b.com"], world.sites["c.com"])
    world.reactor.work()
    assert [world.status(f"{name}.com") for name in "abc"] == [308, 308, 503]
    assert world.generations[-1] == (2, (changed.file, world.sites["c.com"].file))


def test_nothing_after_a_stop(world: World) -> None:
    """A worker that ends builds nothing more."""
    world.serve(1, world.sites["a.com"])
    world.agreed.stop()
    world.reactor.work()
    assert world.generations == []
