"""What can be judged only together: all sites, once each has its hosts; all listeners."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from gateway.config.model import GatewayConfig, Site
from gateway.config.positions import KeyPath
from gateway.net.listeners import ListenAddress


def find_lost_listeners(config: GatewayConfig) -> Iterator[tuple[KeyPath, str]]:
    """Find listeners that cannot be opened beside those before them.

    Returns:
        Key path and sentence of each.
    """
    before: list[ListenAddress] = []
    for key, addresses in (("http", config.http), ("https", config.https)):
        for index, address in enumerate(addresses):
            taken = next((other for other in before if _overlap(other, address)), None)
            if taken is not None:
                yield (key, index), f"{taken.name} listens there already"
            before.append(address)


def _overlap(one: ListenAddress, other: ListenAddress) -> bool:
    """Tell whether the second of two sockets could not listen (ip(7): INADDR_ANY; ipv6(7): IPV6_V6ONLY)."""
    if not one.host or not other.host:
        return one == other
    if one.port != other.port or not one.port:
        return False
    return one.host == other.host or any(
        each.host == "::" or (each.host == "0.0.0.0" and ":" not in beside.host)  # noqa: S104  (compared, not bound)
        for each, beside in ((one, other), (other, one))
    )


def find_plain_subdomains(sites: Sequence[Site]) -> tuple[Site, ...]:
    """Note at each site with `hsts.subdomains` a name below its own that is served without HTTPS.

    Browsers could not reach that name any more (RFC 6797 §8.2, §14.4); such a site is served without
    `includeSubDomains`.
    """
    plain = [(host, host.split(".")) for site in sites if site.https == "off" for host in _names(site)]
    if not plain:
        return tuple(sites)
    return tuple(
        dataclasses.replace(site, plain_subdomain=_first_below(site, plain)) if site.hsts.subdomains else site
        for site in sites
    )


def _first_below(site: Site, plain: Sequence[tuple[str, list[str]]]) -> str:
    """Find the first plain name that is below one of the site's."""
    parents = [host.removeprefix("*.").split(".") for host in _names(site)]
    for host, labels in plain:
        if any(len(labels) > len(parent) and labels[-len(parent) :] == parent for parent in parents):
            return host
    return ""


def _names(site: Site) -> tuple[str, ...]:
    return (*site.hosts, *(f"*.{name}" for name in site.wildcards))
