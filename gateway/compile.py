"""Frozen configuration → resource tree."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict
from weakref import WeakValueDictionary

from twisted.logger import Logger

from gateway import site_parts
from gateway.config.model import BrokenSite, Location, Site
from gateway.context import BuildContext
from gateway.features import Leaf
from gateway.filters.canonical import CanonicalRedirect, SlashFilter, corrected_in
from gateway.filters.conditions import Conditions
from gateway.filters.headers import HeaderEdits, HeaderFilter, request_edits
from gateway.filters.https import Https, HttpsRedirect
from gateway.filters.prefix import PrefixFilter
from gateway.filters.security_headers import SecurityHeaders
from gateway.filters.sticky import StickyFilter
from gateway.filters.timing import TimingFilter
from gateway.net.endpoints import client_endpoint
from gateway.net.tls_client import UpstreamTLS
from gateway.resources.accel import HandOver
from gateway.resources.assets import AssetRoots, AssetsResource
from gateway.resources.page import ErrorPages, FixedReply, Reply
from gateway.resources.proxy import Proxy, ProxyResource
from gateway.resources.redirect import Redirect, RedirectResource, Target
from gateway.resources.refusal import Refusal
from gateway.resources.spool import SpoolResource
from gateway.resources.static import Static, StaticResource
from gateway.resources.static_answer import FileAnswers
from gateway.resources.static_cache import FileCache
from gateway.resources.websocket_registry import OpenSockets
from gateway.units import Seconds
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.balancer import Balancer
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.pool import Upstream
from gateway.upstream.probe import Check
from gateway.web.filter import Filter
from gateway.web.resource import Resource
from gateway.web.schemes import Schemes
from gateway.web.tree import AddedFields, LocationResource, SiteResource, VirtualHosts

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSite:
    """What one site file adds to the tree.

    Attributes:
        hosts: Who answers for each exact name.
        wildcards: Who answers for each wildcard, by the part behind `*.`.
        fallback: Who answers for unknown names, if this is the default site.
        upstreams: Keys of its upstreams in the registry.
    """

    hosts: Mapping[bytes, Resource]
    wildcards: Mapping[bytes, Resource]
    fallback: Resource | None
    upstreams: frozenset[Hashable]


def virtual_hosts(sites: Iterable[BuiltSite], unknown: Resource | None = None) -> VirtualHosts:
    """Put built sites together to a tree.

    Args:
        sites: All sites.
        unknown: Who answers for hosts of none of them, where none is the default site; None: they get 404.
    """
    hosts: dict[bytes, Resource] = {}
    wildcards: dict[bytes, Resource] = {}
    fallback = None
    for site in sites:
        hosts.update(site.hosts)
        wildcards.update(site.wildcards)
        fallback = site.fallback or fallback
    return VirtualHosts(hosts, wildcards, fallback or unknown)


class Compiler:
    """Builds the resource tree.

    Args:
        context: The process as features see it.
        pages: The built-in error pages.
        sockets: The process's open WebSockets.
        https: Where sites are served over HTTPS; None for nowhere.
    """

    def __init__(
        self, context: BuildContext, pages: ErrorPages, sockets: OpenSockets, https: Https | None = None
    ) -> None:
        self._https = https
        self._context = context
        self._pages = pages
        self._sockets = sockets
        self._roots: WeakValueDictionary[tuple[str, ...], AssetRoots] = WeakValueDictionary()
        cache = FileCache()
        context.sweeper.add(cache)
        self._files = FileAnswers(context.disk, context.wall_clock, cache)
        self._upstream_keys: set[Hashable] = set()

    def build(self, site: Site | BrokenSite) -> BuiltSite:
        """Build what the names of one site file answer.

        Raises:
            OSError: A file that the site needs cannot be read.
        """
        self._upstream_keys = set()
        if isinstance(site, BrokenSite):
            resource: Resource = self._broken(site)
            elsewhere = resource
        else:
            resource = own = self.site(site)
            elsewhere = self._canonical(site, own) if site.canonical else own
            resource, elsewhere = (self._by_scheme(site, own, each) for each in (own, elsewhere))
        canonical = site.canonical if isinstance(site, Site) else ""
        return BuiltSite(
            hosts={host.encode("ascii"): resource if host == canonical else elsewhere for host in site.hosts},
            wildcards={name.encode("ascii"): elsewhere for name in site.wildcards},
            fallback=resource if site.default else None,
            upstreams=frozenset(self._upstream_keys),
        )

    def site(self, site: Site) -> SiteResource:
        """Build one site."""
        if site.plain_subdomain:
            log.error(
                "{site}: hsts.subdomains has no effect: {name} is served without HTTPS",
                site=site.name,
                name=site.plain_subdomain,
            )
        pages = site_parts.error_pages(site)
        locations = [self._location(site, location, pages) for location in site.locations]
        locations += [self._text(site, path, leaf, pages) for path, leaf in site_parts.texts(site, self._context)]
        nothing = self._plain(site, Refusal(404, "no_route", ""), pages, switch=self._switch(site))
        return SiteResource(site.name, locations, nothing)

    def _location(self, site: Site, location: Location, pages: ErrorPages) -> LocationResource:
        filters: list[Filter] = []
        if location.slash != "keep":
            filters.append(SlashFilter(location.slash))
        filters += self._switch(site)
        if location.headers:
            filters.append(HeaderFilter(*location.headers))
        if isinstance(location.leaf, Proxy):
            filters += self._proxy_filters(site, location, location.leaf)
        return LocationResource(
            self._leaf(site, location, location.leaf, pages),
            pages,
            site=site.name,
            **self._added(site, location),
            prefix=location.prefix.encode("utf-8"),
            exact=location.exact,
            filters=tuple(filters),
            max_body=location.max_body,
            setting=location.max_body_setting,
            when=Conditions(location.when) if location.when is not None else None,
        )

    def _canonical(self, site: Site, own: SiteResource) -> SiteResource:
        """Build what the other hosts of a site answer: a redirect to the canonical one."""
        leaf = CanonicalRedirect(site.canonical.encode("ascii"), corrected_in(own))
        return SiteResource(site.name, [self._plain(site, leaf, self._pages)])

    def _by_scheme(self, site: Site, own: SiteResource, resource: Resource) -> Resource:
        """Let plain HTTP be redirected to HTTPS, where the site wants that and there is HTTPS."""
        https = self._https
        if https is None or site.https != "redirect":
            return resource
        name = site.canonical.encode("ascii")
        leaf = HttpsRedirect(resource, https.ready, name=name, correct=corrected_in(own), port=https.port)
        return Schemes(resource, SiteResource(site.name, [self._plain(site, leaf, self._pages)]))

    def _text(self, site: Site, path: str, leaf: Resource, pages: ErrorPages) -> LocationResource:
        return self._plain(site, leaf, pages, prefix=path.encode("utf-8"), exact=True, switch=self._switch(site))

    def _switch(self, site: Site) -> tuple[Filter, ...]:
        return tuple(site_parts.maintenance_switch(site, self._context))

    def _plain(
        self,
        site: Site,
        leaf: Resource,
        pages: ErrorPages,
        *,
        prefix: bytes = b"",
        exact: bool = False,
        switch: tuple[Filter, ...] = (),
    ) -> LocationResource:
        """Build a location that stands in no file; its responses are edited as the site says."""
        return LocationResource(
            leaf,
            pages,
            site=site.name,
            prefix=prefix,
            exact=exact,
            filters=(*switch, HeaderFilter(site.headers)) if site.headers != HeaderEdits() else switch,
            **self._added(site, None),
        )

    def _added(self, site: Site, location: Location | None) -> _Added:
        """Prepare the security fields of a location: on plain HTTP, on HTTPS, and once the certificate was renewed."""
        young, proven = (site_parts.security_of(site, location, renewed=renewed) for renewed in (False, True))
        added: _Added = {
            "added": young.constant_fields(secure=False),
            "added_secure": young.constant_fields(secure=True),
        }
        name = site.canonical or next(iter(site.hosts), "")
        if self._https is not None and name:
            added["added_renewed"] = proven.constant_fields(secure=True)
            added["renewed"] = partial(self._https.renewed, name)
        return added

    def _broken(self, site: BrokenSite) -> SiteResource:
        leaf = Refusal(503, "configuration", f"{site.file} has errors")
        added = SecurityHeaders().constant_fields(secure=False)
        return SiteResource(site.name, [LocationResource(leaf, self._pages, site=site.name, added=added)])

    def _leaf(self, site: Site, location: Location, leaf: Leaf, pages: ErrorPages) -> Resource:
        match leaf:
            case Proxy():
                app = self._proxy(site, location, leaf)
                if not site.assets or location.prefix:
                    return app
                return AssetsResource(self._asset_roots(site.assets), self._files, app)
            case Redirect():
                prefix = location.prefix.encode("utf-8")
                return RedirectResource(Target(leaf.to), leaf.status, prefix=prefix, whole_site=not prefix)
            case Reply():
                return FixedReply(leaf.status, pages)
            case Static():
                prefix = location.prefix.encode("utf-8")
                # A route to one path serves the file of that name.
                return StaticResource(leaf, self._files, prefix.rpartition(b"/")[0] if location.exact else prefix)

    def _asset_roots(self, patterns: tuple[str, ...]) -> AssetRoots:
        """Find or make the folders of assets: a reload must not forget those of the last release."""
        roots = self._roots.get(patterns)
        if roots is None:
            roots = self._roots[patterns] = AssetRoots(patterns, self._context.clock)
        return roots

    # Upstreams.

    def _proxy(self, site: Site, location: Location, proxy: Proxy) -> Resource:
        context = self._context
        check = site_parts.check_of(site, proxy)
        upstreams = [self._upstream(address, proxy, check) for address in proxy.to]
        edits = [request_edits(*location.request_headers)] if location.request_headers else []
        resource = ProxyResource(
            Balancer(upstreams),
            clock=context.clock,
            via=context.via,
            sockets=self._sockets,
            websocket=proxy.websocket,
            names=frozenset((*site.hosts, *(f"*.{name}" for name in site.wildcards))),
            retries=proxy.retries,
            prefix=location.prefix.encode("utf-8") if proxy.strip else b"",
            edits=[*site_parts.cookie_edits(site), *edits],
            forwarded=proxy.forwarded,
            request_start=partial(_request_start, context) if proxy.request_start else None,
            intercept=proxy.intercept,
            sticky=site_parts.sticky_cookie(site, proxy, context),
            hand_over=partial(HandOver, root=proxy.accel, files=self._files) if proxy.accel else None,
        )
        return SpoolResource(resource, proxy.buffer, context.reactor) if proxy.buffer else resource

    def _proxy_filters(self, site: Site, location: Location, proxy: Proxy) -> list[Filter]:
        """Make the filters nearest to an app, which are the first to see its responses."""
        filters: list[Filter] = []
        if proxy.server_timing:
            filters.append(TimingFilter())
        if proxy.strip and location.prefix:
            filters.append(PrefixFilter(location.prefix))
        cookie = site_parts.sticky_cookie(site, proxy, self._context)
        if cookie is not None:
            filters.append(StickyFilter(cookie))
        return filters

    def _upstream(self, address: UpstreamAddress, proxy: Proxy, check: Check | None) -> Upstream:
        limits = ExchangeLimits(
            response_timeout=proxy.response_timeout, idle_timeout=proxy.idle_timeout, keep_alive=proxy.keep_alive
        )
        tls = None
        if address.tls:
            ca = Path(proxy.ca).read_bytes() if proxy.ca else b""
            tls = UpstreamTLS(server_name=proxy.server_name, ca=ca, verify=proxy.verify)
        key = (address, limits, tls, proxy.connect_timeout, proxy.tls_timeout, proxy.max_idle, check)
        self._upstream_keys.add(key)
        return self._context.upstreams.obtain(key, partial(self._make_upstream, address, limits, tls, proxy, check))

    def _make_upstream(
        self,
        address: UpstreamAddress,
        limits: ExchangeLimits,
        tls: UpstreamTLS | None,
        proxy: Proxy,
        check: Check | None,
    ) -> Upstream:
        endpoint = client_endpoint(
            self._context.reactor,
            host=address.host,
            port=address.port,
            path=address.path,
            tls=tls,
            timeout=proxy.connect_timeout,
            tls_timeout=proxy.tls_timeout,
        )
        if tls is not None and not tls.verify:
            log.warn("{upstream}: its certificate is not verified (verify = false)", upstream=address.name)
        host = address.name.removeprefix("https://").removesuffix(":443").encode("ascii") if address.tls else b""
        context = self._context
        return Upstream(address.name, endpoint, limits, context.sweeper, proxy.max_idle, host, context.pipes, check)


class _Added(TypedDict, total=False):
    """Arguments of a location."""

    added: AddedFields
    added_secure: AddedFields
    added_renewed: AddedFields
    renewed: Callable[[], bool]


def _request_start(context: BuildContext) -> bytes:
    milliseconds = Seconds(context.wall_clock()) * 1000
    return b"X-Request-Start: t=%d\r\n" % milliseconds
