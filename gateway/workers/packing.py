"""Sites and settings on their way from the leader to its workers: Python's own pickles.

They are whole trees of settings, with the secrets that they refer to looked up once for all, and whoever could write
them is the leader already. Nothing that a worker says is ever read this way.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.units import ByteCount
from gateway.workers.messages import BadMessage, Sites

_TOGETHER: Final = ByteCount(1_000_000)
"""Octets of sites in one message, unless one site alone has more."""


def pack_config(config: GatewayConfig) -> bytes:
    """Pack settings."""
    return pickle.dumps(config)


def unpack_config(data: bytes) -> GatewayConfig:
    """Unpack settings that the leader packed."""
    found = pickle.loads(data)  # noqa: S301  (the leader's, see above)
    if not isinstance(found, GatewayConfig):
        raise BadMessage("no settings")
    return found


def pack_sites(sites: Iterable[Site | BrokenSite]) -> Iterator[Sites]:
    """Pack sites into messages of bounded size."""
    packed: list[bytes] = []
    size = 0
    for site in sites:
        packed.append(pickle.dumps(site))
        size += len(packed[-1])
        if size > _TOGETHER:
            yield Sites(sites=pickle.dumps(packed))
            packed, size = [], 0
    if packed:
        yield Sites(sites=pickle.dumps(packed))


def unpack_sites(said: Sites) -> Iterator[Site | BrokenSite]:
    """Unpack sites that the leader packed."""
    for data in pickle.loads(said.sites):  # noqa: S301  (the leader's, see above)
        found = pickle.loads(data)  # noqa: S301
        if not isinstance(found, (Site, BrokenSite)):
            raise BadMessage("no site")
        yield found
