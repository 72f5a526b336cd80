"""Addresses and networks of clients and proxies, in the forms that people and fields write them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_address(text: str) -> Address | None:
    """Read an IP address; one of IPv4 in IPv6's clothes becomes plain. None where it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def parse_networks(items: Iterable[str | Network]) -> tuple[Network, ...]:
    """Read a list of networks: addresses, CIDR form, and the names `private` and `cloudflare`.

    Raises:
        ValueError: An item is none of these.
    """
    found: list[Network] = []
    for item in items:
        if isinstance(item, str) and item in NAMED_NETWORKS:
            found += NAMED_NETWORKS[item]
            continue
        try:
            found.append(ip_network(item, strict=False))
        except ValueError:
            raise ValueError(
                f'expected a network such as "10.0.0.0/8", "private" or "cloudflare", got {item!r}'
            ) from None
    return tuple(found)


def _networks(*items: str) -> tuple[Network, ...]:
    return tuple(ip_network(item) for item in items)


NAMED_NETWORKS: Final[dict[str, tuple[Network, ...]]] = {
    # Loopback, RFC 1918, link-local, and unique local addresses (RFC 4193).
    "private": _networks(
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    ),
    # https://www.cloudflare.com/ips/, unchanged since 2021.
    "cloudflare": _networks(
        "173.245.48.0/20",
        "103.21.244.0/22",
        "103.22.200.0/22",
        "103.31.4.0/22",
        "141.101.64.0/18",
        "108.162.192.0/18",
        "190.93.240.0/20",
        "188.114.96.0/20",
        "197.234.240.0/22",
        "198.41.128.0/17",
        "162.158.0.0/15",
        "104.16.0.0/13",
        "104.24.0.0/14",
        "172.64.0.0/13",
        "131.0.72.0/22",
        "2400:cb00::/32",
        "2606:4700::/32",
        "2803:f800::/32",
        "2405:b500::/32",
        "2405:8100::/32",
        "2a06:98c0::/29",
        "2c0f:f248::/32",
    ),
}
