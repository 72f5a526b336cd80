"""The servers that compete: one module each, and their table."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contenders.base import Contender
from benchmarks.contenders.caddy import caddy
from benchmarks.contenders.gateway import gateway
from benchmarks.contenders.haproxy import haproxy
from benchmarks.contenders.nginx import nginx

DEFAULT = ("nginx", "haproxy", "caddy", "gateway", "gateway-pure")

CONTENDERS = {
    contender.name: contender
    for contender in (
        nginx,
        haproxy,
        caddy,
        gateway("gateway"),
        gateway("gateway-pure", pure=True),
        gateway("gateway-epoll", "--reactor=epoll"),
        gateway("gateway-2-workers", workers=2),
    )
}


def find(name: str) -> Contender:
    """Find a contender by name; `gateway@FOLDER` is the gateway of another checkout.

    Args:
        name: A key of `CONTENDERS`, or `gateway@FOLDER`.

    Returns:
        The contender.

    Raises:
        KeyError: There is none of that name.
    """
    kind, at, folder = name.partition("@")
    if at and kind == "gateway":
        return gateway(name, checkout=Path(folder).resolve())
    return CONTENDERS[name]
