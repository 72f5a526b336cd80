"""What a site's settings add around each of its leaves: fields of responses, pages, the maintenance switch, texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from gateway.config.model import Location, Site
from gateway.context import BuildContext
from gateway.filters.headers import edited_names
from gateway.filters.maintenance import MaintenanceFilter
from gateway.filters.security_headers import SecurityHeaders
from gateway.resources.maintenance_page import MaintenancePage
from gateway.resources.page import ErrorPages
from gateway.resources.proxy import FieldEdits, Proxy
from gateway.resources.static import Static
from gateway.resources.well_known import ROBOTS_TXT, TextFile, security_txt
from gateway.units import ByteCount
from gateway.upstream.probe import Check
from gateway.upstream.sticky import OwnCookies, StickyCookie
from gateway.web.resource import Resource

log = Logger()

MAX_PAGE: Final = ByteCount(1_000_000)
"""Octets of a page of the operator's own, which is kept in memory."""


def security_of(site: Site, location: Location | None, *, renewed: bool) -> SecurityHeaders:
    """Make the filter of a location's security headers.

    Args:
        site: The site.
        location: The location; None for what has no leaf of its own, such as the redirect to the canonical host.
        renewed: Whether the site's certificate has renewed once.
    """
    hsts = site.hsts.value(renewed=renewed, subdomains=not site.plain_subdomain) if site.https == "redirect" else b""
    return SecurityHeaders(
        site.security,
        static=location is not None and isinstance(location.leaf, Static),
        server=site.server,
        noindex=site.noindex,
        hsts=hsts,
        edited=edited_names(*(location.headers if location is not None else (site.headers,))),
    )


def error_pages(site: Site) -> ErrorPages:
    """Load the site's own pages, so that they are there when the disk is not."""
    own = {}
    for key, path in site.errors:
        html = _read_page(site, path)
        if html is not None:
            own[key] = html
    page = site.maintenance.page
    html = _read_page(site, page) if page else own.get("503", own.get("5xx"))
    return ErrorPages(own, MaintenancePage(html, site.maintenance.message))


def maintenance_switch(site: Site, context: BuildContext) -> list[MaintenanceFilter]:
    """Make the filter that keeps visitors away while maintenance is on; none while it is off."""
    switch = site.maintenance
    return [MaintenanceFilter(switch.allow, switch.until, context.wall_clock)] if switch.on else []


def texts(site: Site, context: BuildContext) -> Iterator[tuple[str, Resource]]:
    """Make the texts that the site's settings stand for, each with its path, unless a location of its own is there."""
    taken = {location.prefix for location in site.locations if location.exact}
    if site.noindex and "/robots.txt" not in taken:
        yield "/robots.txt", TextFile(lambda: ROBOTS_TXT)
    if site.security_txt and "/.well-known/security.txt" not in taken:
        yield "/.well-known/security.txt", TextFile(partial(_security_txt, site.security_txt, context))


def _security_txt(contact: str, context: BuildContext) -> bytes:
    return security_txt(contact, context.wall_clock())


def check_of(site: Site, proxy: Proxy) -> Check | None:
    """Find out how to ask the upstreams of a proxy whether they are well; None: nobody asks."""
    if proxy.health is None:
        return None
    host = site.canonical or next(iter(site.hosts), "") or proxy.to[0].host or "localhost"
    return Check(health=proxy.health, host=host.encode("ascii"), alone=len(set(proxy.to)) == 1)


def sticky_cookie(site: Site, proxy: Proxy, context: BuildContext) -> StickyCookie | None:
    """Make the cookie of a proxy; None where it is not sticky, or has nothing to choose.

    Locations with the same upstreams share one, so that what belongs together stays together.
    """
    if not _is_sticky(proxy):
        return None
    names = _names(proxy)
    alike = (
        each.prefix if each.exact or not each.prefix else f"{each.prefix}/"
        for each in site.locations
        if isinstance(each.leaf, Proxy) and _is_sticky(each.leaf) and _names(each.leaf) == names
    )
    return StickyCookie(context.sticky, site.name, sorted(names), next(alike, ""))


def cookie_edits(site: Site) -> list[FieldEdits]:
    """Make the edits that keep our cookies from the apps of a site, where it has such cookies."""
    return [OwnCookies()] if has_sticky(site) else []


def has_sticky(site: Site) -> bool:
    """Tell whether a site names upstreams in cookies."""
    return any(isinstance(each.leaf, Proxy) and _is_sticky(each.leaf) for each in site.locations)


def _names(proxy: Proxy) -> set[str]:
    return {address.name for address in proxy.to}


def _is_sticky(proxy: Proxy) -> bool:
    return proxy.sticky and len(set(proxy.to)) > 1


def _read_page(site: Site, path: str) -> str | None:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_PAGE + 1)
    except OSError as error:
        log.warn("{site}: {path} cannot be read ({reason}); a built-in page stands in", **_about(site, path, error))
        return None
    if len(content) > MAX_PAGE:
        log.warn("{site}: {path} is over 1 MB; a built-in page stands in", site=site.name, path=path)
        return None
    return content.decode("utf-8", "replace")


def _about(site: Site, path: str, error: OSError) -> dict[str, str]:
    return {"site": site.name, "path": path, "reason": error.strerror or str(error)}
