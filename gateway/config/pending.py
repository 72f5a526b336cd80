"""What a site file asks for and does not get yet, so that nothing in it is silently ignored."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.model import Site
from gateway.config.source import Origin
from gateway.features import WITHOUT_EFFECT
from gateway.resources.static import Static


def pending(site: Site) -> Iterator[tuple[Origin, str]]:
    """Tell what of a site waits for a later version: where it is set, and a sentence."""
    for key, instead in WITHOUT_EFFECT.items():
        if key in site.origins:
            yield site.origins[key], f"`{key}` has no effect yet: {instead}"
    for location in site.locations:
        if isinstance(location.leaf, Static):
            yield location.origin, "static files are not served yet: requests are answered 503"
