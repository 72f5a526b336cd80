"""Frozen configuration → resource tree."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from twisted.logger import Logger

from gateway.config.model import BrokenSite, Loaded, Location, Site
from gateway.context import BuildContext
from gateway.errors import HTTPError
from gateway.features import Leaf
from gateway.filters.canonical import CanonicalRedirect, Slash, SlashFilter
from gateway.filters.headers import HeaderFilter, request_edits
from gateway.filters.https import HttpsRedirect
from gateway.filters.prefix import PrefixFilter
from gateway.filters.timing import TimingFilter
from gateway.net.endpoints import client_endpoint
from gateway.net.tls_client import UpstreamTLS
from gateway.resources.page import ErrorPages, FixedReply, Reply
from gateway.resources.proxy import Proxy, ProxyResource
from gateway.resources.redirect import Redirect, RedirectResource, Target
from gateway.resources.spool import SpoolResource
from gateway.resources.websocket_registry import OpenSockets
from gateway.units import Seconds
from gateway.upstream.address import UpstreamAddress
from gateway.upstream.balancer import Balancer
from gateway.upstream.exchange import ExchangeLimits
from gateway.upstream.pool import Upstream
from gateway.web.filter import Filter
from gateway.web.request import Request
from gateway.web.resource import Resource
from gateway.web.schemes import Schemes
from gateway.web.tree import LocationResource, SiteResource, VirtualHosts

log = Logger()


class Compiler:
    """Builds the resource tree.

    Args:
        context: The process as features see it.
        pages: The built-in error pages.
        sockets: The process's open WebSockets.
        https: Where sites are served over HTTPS; None for nowhere.

    Attributes:
        upstreams: Keys of the upstreams that the tree built last uses.
    """

    def __init__(
        self, context: BuildContext, pages: ErrorPages, sockets: OpenSockets, https: Https | None = None
    ) -> None:
        self._https = https
        self._context = context
        self._pages = pages
        self._sockets = sockets
        self.upstreams: set[Hashable] = set()

    def tree(self, loaded: Loaded) -> Resource:
        """Build the tree of a whole folder."""
        self.upstreams = set()
        secure, plain = _Hosts(), _Hosts()
        for site in loaded.sites:
            resource = self.site(site)
            elsewhere = self._canonical(site) if site.canonical else resource
            secure.add(site, resource, elsewhere)
            if self._https is not None and site.https == "redirect":
                plain.add(site, *(self._to_https(self._https, site, each) for each in (resource, elsewhere)))
            else:
                plain.add(site, resource, elsewhere)
        for broken in loaded.broken:
            resource = self._broken(broken)
            for hosts in (secure, plain):
                hosts.add(broken, resource, resource)
        return secure.tree() if self._https is None else Schemes(secure.tree(), plain.tree())

    def site(self, site: Site) -> SiteResource:
        """Build one site."""
        return SiteResource(site.name, [self._location(site, location) for location in site.locations])

    def _location(self, site: Site, location: Location) -> LocationResource:
        filters: list[Filter] = []
        if location.slash != "keep":
            filters.append(SlashFilter(location.slash))
        if location.headers:
            filters.append(HeaderFilter(*location.headers))
        if isinstance(location.leaf, Proxy):
            filters += _proxy_filters(location, location.leaf)
        return LocationResource(
            self._leaf(site, location, location.leaf),
            self._pages,
            site=site.name,
            prefix=location.prefix.encode("utf-8"),
            exact=location.exact,
            filters=tuple(filters),
            max_body=location.max_body,
            setting=location.max_body_setting,
        )

    def _canonical(self, site: Site) -> SiteResource:
        """Build what the other hosts of a site answer: a redirect to the canonical one."""
        leaf = CanonicalRedirect(site.canonical.encode("ascii"), _main_slash(site))
        place = LocationResource(leaf, self._pages, site=site.name, filters=_main_headers(site))
        return SiteResource(site.name, [place])

    def _to_https(self, https: Https, site: Site, inner: SiteResource) -> SiteResource:
        """Build what plain HTTP gets of a site."""
        leaf = HttpsRedirect(
            inner, https.ready, name=site.canonical.encode("ascii"), slash=_main_slash(site), port=https.port
        )
        place = LocationResource(leaf, self._pages, site=site.name, filters=_main_headers(site))
        return SiteResource(site.name, [place])

    def _broken(self, site: BrokenSite) -> SiteResource:
        leaf = Refusal(503, "configuration", f"{site.file} has errors")
        return SiteResource(site.name, [LocationResource(leaf, self._pages, site=site.name)])

    def _leaf(self, site: Site, location: Location, leaf: Leaf) -> Resource:
        match leaf:
            case Proxy():
                return self._proxy(site, location, leaf)
            case Redirect():
                prefix = location.prefix.encode("utf-8")
                return RedirectResource(Target(leaf.to), leaf.status, prefix=prefix, whole_site=not prefix)
            case Reply():
                return FixedReply(leaf.status, self._pages)
            case _:
                return Refusal(503, "not_yet", f"{location.origin}: static files are not served yet")

    # Upstreams.

    def _proxy(self, site: Site, location: Location, proxy: Proxy) -> Resource:
        context = self._context
        upstreams = [self._upstream(address, proxy) for address in proxy.to]
        host = proxy.to[0].name.removeprefix("https://").removesuffix(":443") if proxy.to[0].tls else ""
        resource = ProxyResource(
            Balancer(upstreams),
            clock=context.clock,
            via=context.via,
            sockets=self._sockets,
            websocket=proxy.websocket,
            names=frozenset((*site.hosts, *(f"*.{name}" for name in site.wildcards))),
            retries=proxy.retries,
            host=host.encode("ascii"),
            prefix=location.prefix.encode("utf-8") if proxy.strip else b"",
            edits=[request_edits(*location.request_headers)] if location.request_headers else [],
            forwarded=proxy.forwarded,
            request_start=partial(_request_start, context) if proxy.request_start else None,
        )
        return SpoolResource(resource, proxy.buffer, context.reactor) if proxy.buffer else resource

    def _upstream(self, address: UpstreamAddress, proxy: Proxy) -> Upstream:
        limits = ExchangeLimits(
            response_timeout=proxy.response_timeout, idle_timeout=proxy.idle_timeout, keep_alive=proxy.keep_alive
        )
        tls = None
        if address.tls:
            ca = Path(proxy.ca).read_bytes() if proxy.ca else b""
            tls = UpstreamTLS(server_name=proxy.server_name, ca=ca, verify=proxy.verify)
        key = (address, limits, tls, proxy.connect_timeout, proxy.tls_timeout, proxy.max_idle)
        self.upstreams.add(key)
        return self._context.upstreams.obtain(key, partial(self._make_upstream, address, limits, tls, proxy))

    def _make_upstream(
        self, address: UpstreamAddress, limits: ExchangeLimits, tls: UpstreamTLS | None, proxy: Proxy
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
        return Upstream(address.name, endpoint, limits, self._context.sweeper, proxy.max_idle)


@dataclass(frozen=True, slots=True)
class Https:
    """HTTPS as the sites see it.

    Attributes:
        ready: Tells whether a name has a certificate.
        port: Port of the TLS listener.
    """

    ready: Callable[[str], bool]
    port: int = 443


class _Hosts:
    """Collects who answers for which host."""

    def __init__(self) -> None:
        self._hosts: dict[bytes, SiteResource] = {}
        self._wildcards: dict[bytes, SiteResource] = {}
        self._fallback: SiteResource | None = None

    def add(self, site: Site | BrokenSite, resource: SiteResource, elsewhere: SiteResource) -> None:
        """Add a site: what its canonical name answers, or all of them if it has none, and what the others do."""
        canonical = site.canonical if isinstance(site, Site) else ""
        for host in site.hosts:
            self._hosts[host.encode("ascii")] = resource if host == canonical else elsewhere
        self._wildcards.update((name.encode("ascii"), elsewhere) for name in site.wildcards)
        if site.default:
            self._fallback = resource

    def tree(self) -> VirtualHosts:
        return VirtualHosts(self._hosts, self._wildcards, self._fallback)


class Refusal(Resource):
    """Answers every request with one error."""

    __slots__ = ("_error",)

    def __init__(self, status: int, reason: str, message: str) -> None:
        self._error = (status, reason, message)

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Refuse.

        Raises:
            HTTPError: Always.
        """
        status, reason, message = self._error
        raise HTTPError(status, reason, message=message)


def _main_slash(site: Site) -> Slash:
    """Find the rule for slashes of the site as a whole."""
    return next((location.slash for location in site.locations if not location.prefix), "keep")


def _main_headers(site: Site) -> tuple[Filter, ...]:
    """Make the edits of responses of the site as a whole."""
    return tuple(
        HeaderFilter(*location.headers)
        for location in site.locations
        if location.headers and not location.prefix and not location.exact
    )


def _proxy_filters(location: Location, proxy: Proxy) -> list[Filter]:
    """Make the filters nearest to an app, which are the first to see its responses."""
    filters: list[Filter] = []
    if proxy.server_timing:
        filters.append(TimingFilter())
    if proxy.strip and location.prefix:
        filters.append(PrefixFilter(location.prefix))
    return filters


def _request_start(context: BuildContext) -> bytes:
    milliseconds = Seconds(context.wall_clock()) * 1000
    return b"X-Request-Start: t=%d\r\n" % milliseconds
