"""Where redirects lead: each is followed through all sites, so that loops show before a browser meets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.config.model import Location, Site
from gateway.resources.redirect import Redirect, Target

MAX_HOPS = 10
"""Redirects followed; browsers give up after about twenty."""


@dataclass(frozen=True, slots=True)
class Journey:
    """The way that a client is sent from one URL on.

    Attributes:
        site: The site it starts at.
        location: The redirect it starts at.
        urls: All URLs, the first included.
        loops: Whether it never ends.
    """

    site: Site
    location: Location
    urls: tuple[str, ...]
    loops: bool


class Redirects:
    """All redirects of all sites.

    Args:
        sites: The sites.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self.sites = sites
        self._hosts = {host: site for site in sites for host in site.hosts}
        self._wildcards: Mapping[str, Site] = {host: site for site in sites for host in site.wildcards}

    def journeys(self) -> Iterator[Journey]:
        """Follow every redirect from its site's canonical host, where a client is after the first hop."""
        for site in self.sites:
            host = site.canonical or next(iter(site.hosts), "")
            if not host:
                continue
            scheme = "http" if site.https == "off" else "https"
            for location in site.locations:
                if not isinstance(location.leaf, Redirect):
                    continue
                for path in _probes(location):
                    urls, loops = self.follow(f"{scheme}://{host}{path}")
                    if len(urls) > 1:
                        yield Journey(site, location, urls, loops)

    def follow(self, url: str) -> tuple[tuple[str, ...], bool]:
        """Follow redirects from a URL.

        Returns:
            All URLs, and whether they go on for ever.
        """
        urls = [url]
        while len(urls) <= MAX_HOPS:
            after = self.next(urls[-1])
            if after is None:
                return tuple(urls), False
            if after in urls:
                return (*urls, after), True
            urls.append(after)
        return tuple(urls), True

    def next(self, url: str) -> str | None:
        """Tell where a URL is redirected to; None where it is answered, or is another server's."""
        parts = urlsplit(url)
        host, path = (parts.hostname or "").removesuffix("."), parts.path or "/"
        host = f"[{host}]" if ":" in host else host
        site = self._hosts.get(host) or self._wildcards.get(host.partition(".")[2])
        if site is None or parts.port not in (None, 80, 443):
            return None
        location = _find(site, path)
        scheme = "https" if site.https == "redirect" else parts.scheme
        corrected = f"{scheme}://{site.canonical or host}{_slashed(path, location)}"
        if corrected != f"{parts.scheme}://{host}{path}":
            return corrected
        if location is None or not isinstance(location.leaf, Redirect):
            return None
        target = Target(location.leaf.to)
        after = target.base.decode()
        if target.takes_rest:
            after += path[len(location.prefix) + 1 :]
        elif target.bare and not location.prefix:
            after += path
        return _with_path(f"{parts.scheme}://{host}{after}" if target.local else after)


def _with_path(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=parts.path or "/", query="", fragment="").geturl()


def _probes(location: Location) -> tuple[str, ...]:
    if location.exact:
        return (location.prefix,)
    return (location.prefix or "/", f"{location.prefix}/x")


def _find(site: Site, path: str) -> Location | None:
    for location in sorted(site.locations, key=lambda each: (-len(each.prefix), not each.exact)):
        prefix = location.prefix
        if path == prefix or (not location.exact and path.startswith(f"{prefix}/")):
            return location
    return None


def _slashed(path: str, location: Location | None) -> str:
    """Correct a trailing slash as the location wants it."""
    if location is None or path == "/" or path.startswith("/.well-known/"):
        return path
    if location.slash == "strip":
        return path.rstrip("/") or "/"
    last = path.rpartition("/")[2]
    return f"{path}/" if location.slash == "add" and last and "." not in last else path
