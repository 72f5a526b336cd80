"""What can be judged only over all sites together, once each has its hosts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gateway.config.model import Site


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
