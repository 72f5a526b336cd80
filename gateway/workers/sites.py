"""The sites of a worker: built of what the leader decided, and swapped in as one tree, a whole generation at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator, SchedulerStopped
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.compile import BuiltSite, Compiler, virtual_hosts
from gateway.config.model import BrokenSite, Site
from gateway.upstream.pool import UpstreamRegistry
from gateway.web.resource import Resource
from gateway.web.tree import VirtualHosts

log = Logger()


class Server(Protocol):
    """What sites are built for; `gateway.serving.Serving`.

    Attributes:
        compiler: Builds sites.
        upstreams: Their pools.
        unknown: Who answers for hosts of no site; None: they get 404.
    """

    compiler: Compiler
    upstreams: UpstreamRegistry
    unknown: Resource | None

    def use(self, tree: VirtualHosts, sites: Iterable[Site], refused: Iterable[BrokenSite]) -> None:
        """Serve these sites from now on."""


class AgreedSites:
    """Builds generations, a site at each turn of the reactor; of those that wait, only the last.

    Args:
        reactor: For the turns.
        server: What they are built for.
        served: Told the number of each generation that is served, and the files of sites that could not be built.
    """

    def __init__(self, reactor: IReactorTime, server: Server, served: Callable[[int, tuple[str, ...]], object]) -> None:
        self._cooperator = Cooperator(scheduler=lambda step: reactor.callLater(0, step))
        self._server = server
        self._served = served
        self._told: dict[str, Site | BrokenSite] = {}
        self._running: dict[str, _Running] = {}
        self._next: tuple[int, dict[str, Site | BrokenSite]] | None = None
        self._busy = False

    def tell(self, sites: Iterable[Site | BrokenSite]) -> None:
        """Take note of sites of the next generation."""
        self._told.update((site.file, site) for site in sites)

    def serve(self, generation: int, files: Iterable[str]) -> None:
        """Serve the sites of these files, as they were told."""
        self._told = {file: self._told[file] for file in files}
        self._next = generation, self._told.copy()
        if not self._busy:
            self._begin()

    def stop(self) -> None:
        """Build no more."""
        self._cooperator.stop()

    def _begin(self) -> None:
        if self._next is None:
            return
        (generation, wanted), self._next = self._next, None
        self._busy = True

        def end(_: object) -> None:
            self._busy = False
            self._begin()

        building = self._cooperator.cooperate(self._steps(generation, wanted))
        building.whenDone().addErrback(_log_bug).addCallback(end)

    def _steps(self, generation: int, wanted: dict[str, Site | BrokenSite]) -> Iterator[None]:
        running: dict[str, _Running] = {}
        failed = []
        for file, site in wanted.items():
            before = self._running.get(file)
            if before is not None and before.site is site:
                running[file] = before
                continue
            try:
                running[file] = _Running(site, self._server.compiler.build(site))
            except (OSError, ValueError) as error:
                failed.append(file)
                log.error("{file}: cannot be served: {error}", file=file, error=error)
                running[file] = before or self._broken(site)
            yield
        self._running = running
        built = [each.built for each in running.values()]
        self._server.use(virtual_hosts(built, self._server.unknown), (), ())
        self._server.upstreams.retain({key for each in built for key in each.upstreams})
        self._served(generation, tuple(failed))

    def _broken(self, site: Site | BrokenSite) -> _Running:
        """Build what the hosts of a site answer that cannot be served."""
        broken = BrokenSite(
            name=site.name, file=site.file, hosts=site.hosts, wildcards=site.wildcards, default=site.default
        )
        return _Running(site, self._server.compiler.build(broken))


@dataclasses.dataclass(frozen=True, slots=True)
class _Running:
    """A site as it is served."""

    site: Site | BrokenSite
    built: BuiltSite


def _log_bug(failure: Failure) -> None:
    if not failure.check(SchedulerStopped):
        log.failure("sites could not be built: what was served before is served", failure)
