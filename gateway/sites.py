"""The sites that are served: each in its newest version that works, swapped in as one new tree.

Nothing that runs is changed. A site whose file stays the same keeps its resources; the tree above is made anew and
replaced by one assignment. Exchanges and sockets under way keep the resources they began with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.compile import BuiltSite, Compiler, virtual_hosts
from gateway.config.loader import Draft, settle
from gateway.config.model import BrokenSite, Site
from gateway.errors import ConfigError
from gateway.upstream.pool import UpstreamRegistry
from gateway.web.resource import Resource
from gateway.web.tree import VirtualHosts


class LastGood(Protocol):
    """Keeps the last version of each site that worked, also while the gateway is not running."""

    def find(self, draft: Draft) -> Draft | None:
        """Find the last good version of a file that has errors now."""

    def keep(self, draft: Draft) -> None:
        """Remember a version that works."""

    def drop(self, file: str) -> None:
        """Forget a file that was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an update did.

    Attributes:
        served: Sites that are new or were built anew.
        removed: Names of sites whose files are gone.
        stale: Files with errors whose sites go on in an older version.
        refused: Files with errors whose hosts answer 503.
        errors: All errors there are now, by file and line.
    """

    served: tuple[Site, ...] = ()
    removed: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    errors: tuple[ConfigError, ...] = ()


class SiteTable:
    """All sites that are served.

    Args:
        compiler: Builds sites.
        upstreams: Pools; those of no site are retired.
        swap: Takes the new tree.
        last_good: Keeps good versions across restarts; None: nobody does.
        unknown: Who answers for hosts of no site; None: they get 404.

    Attributes:
        changes: What the last update did.
        refused: Sites that cannot be served in any version.
    """

    def __init__(
        self,
        compiler: Compiler,
        upstreams: UpstreamRegistry,
        swap: Callable[[VirtualHosts], object],
        last_good: LastGood | None = None,
        unknown: Resource | None = None,
    ) -> None:
        self.changes = Changes()
        self.refused: tuple[BrokenSite, ...] = ()
        self._compiler = compiler
        self._upstreams = upstreams
        self._swap = swap
        self._last_good = last_good
        self._unknown = unknown
        self._running: dict[str, _Running] = {}

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites as they are served, each in the version that works."""
        return tuple(running.site for running in self._running.values())

    def update(self, drafts: Mapping[str, Draft]) -> Iterator[None]:
        """Serve what these files say, a site at each step; the last step swaps the tree.

        A file with errors, or with a host that another has, leaves its site as it was. So does everything that is not
        done: an update may be abandoned between two steps.

        Args:
            drafts: All site files by path.
        """
        plan = _Plan(dict(drafts), {})
        for file, draft in drafts.items():
            if draft.errors:
                self._fall_back(plan, file, draft.errors)
        live = {host: file for file, running in self._running.items() for host in running.names}
        while True:
            plan.failed.clear()
            sites, broken = settle(plan.drafts.values(), live)
            again = [each for each in broken if self._fall_back(plan, each.file, each.errors)]
            for site in sites:
                if not self._up_to_date(plan, site):
                    again += self._build(plan, site)
                    yield
            if not again:
                break
        self._commit(plan, sites, broken)

    def _fall_back(self, plan: _Plan, file: str, errors: Iterable[ConfigError]) -> bool:
        """Put the last good version in the place of one with errors; False where there is none to try."""
        draft = plan.drafts[file]
        plan.errors.setdefault(file, tuple(errors))
        running = self._running.get(file)
        good = running.draft if running else self._last_good.find(draft) if self._last_good else None
        if good is None or file in plan.stale:
            return False
        if good.flag != draft.flag:
            good = dataclasses.replace(good, flag=draft.flag)
        plan.drafts[file] = good
        plan.stale.add(file)
        return True

    def _up_to_date(self, plan: _Plan, site: Site) -> bool:
        for running in (plan.built.get(site.file), self._running.get(site.file)):
            # The draft tells of the file; the site also of what other files make of it, such as the names left to it.
            if running is not None and running.draft is plan.drafts[site.file] and running.site == site:
                plan.built[site.file] = running
                return True
        return False

    def _build(self, plan: _Plan, site: Site) -> list[BrokenSite]:
        """Build a site; one that cannot be built is returned broken if there is another version to try."""
        draft = plan.drafts[site.file]
        try:
            plan.built[site.file] = _Running(draft, site, self._compiler.build(site))
        except (OSError, ValueError) as error:
            problem = ConfigError(f"cannot be served: {error}", file=site.file, kind="file")
            broken = BrokenSite(
                name=site.name,
                file=site.file,
                hosts=site.hosts,
                wildcards=site.wildcards,
                default=site.default,
                errors=(problem,),
            )
            if self._fall_back(plan, site.file, broken.errors):
                return [broken]
            plan.failed[site.file] = broken
            return []
        return []

    def _commit(self, plan: _Plan, sites: Iterable[Site], broken: Iterable[BrokenSite]) -> None:
        running: dict[str, _Running] = {}
        refused: list[BrokenSite] = []
        for each in (*(plan.failed.get(site.file, site) for site in sites), *broken):
            before = self._running.get(each.file)
            if isinstance(each, Site):
                running[each.file] = plan.built[each.file]
            elif before is None:
                refused.append(each)
            else:
                # Even its last version lost a name that it needs: it goes on under those that are left.
                running[each.file] = before.under(each)
        old, self._running = self._running, running
        tree = virtual_hosts(
            [each.built for each in running.values()] + [self._compiler.build(each) for each in refused], self._unknown
        )
        self.refused = tuple(refused)
        self._swap(tree)
        self._upstreams.retain({key for each in running.values() for key in each.built.upstreams})
        self._remember(old, plan)
        names = {each.site.name for each in running.values()}
        self.changes = Changes(
            served=tuple(each.site for file, each in running.items() if each is not old.get(file)),
            removed=tuple(each.site.name for file, each in old.items() if each.site.name not in names),
            stale=tuple(sorted(plan.stale & running.keys())),
            refused=tuple(sorted(each.file for each in refused)),
            errors=_distinct(plan.errors.values()),
        )

    def _remember(self, old: Mapping[str, _Running], plan: _Plan) -> None:
        if self._last_good is None:
            return
        for file in old.keys() - plan.drafts.keys():
            self._last_good.drop(file)
        for file, running in self._running.items():
            if file not in plan.stale and (file not in old or old[file].draft is not running.draft):
                self._last_good.keep(running.draft)


@dataclass(frozen=True, slots=True)
class _Running:
    """A site as it is served."""

    draft: Draft
    site: Site
    built: BuiltSite

    @property
    def names(self) -> list[str]:
        return [*self.site.hosts, *(f"*.{name}" for name in self.site.wildcards)]

    def under(self, names: BrokenSite) -> _Running:
        """The same under fewer names."""
        if _same_names(self.site, names):
            return self
        site = dataclasses.replace(self.site, hosts=names.hosts, wildcards=names.wildcards)
        hosts = {host.encode("ascii") for host in names.hosts}
        wildcards = {name.encode("ascii") for name in names.wildcards}
        built = dataclasses.replace(
            self.built,
            hosts={host: resource for host, resource in self.built.hosts.items() if host in hosts},
            wildcards={name: resource for name, resource in self.built.wildcards.items() if name in wildcards},
        )
        return _Running(self.draft, site, built)


@dataclass(slots=True)
class _Plan:
    """An update under way: the version of each file to serve, what was built of it, and what is wrong."""

    drafts: dict[str, Draft]
    errors: dict[str, tuple[ConfigError, ...]]
    stale: set[str] = field(default_factory=set)
    built: dict[str, _Running] = field(default_factory=dict)
    failed: dict[str, BrokenSite] = field(default_factory=dict)


def _same_names(one: Site | BrokenSite, other: Site | BrokenSite) -> bool:
    return one.hosts == other.hosts and one.wildcards == other.wildcards


def _distinct(errors: Iterable[Iterable[ConfigError]]) -> tuple[ConfigError, ...]:
    """Each error once, by file and line: one in the defaults is every site's."""
    found = {(error.place, error.message): error for some in errors for error in some}
    return tuple(sorted(found.values(), key=lambda error: (error.file, error.line, error.column)))
