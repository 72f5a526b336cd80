"""Addresses of connections, the same for both kinds of transports."""

from __future__ import annotations

from ipaddress import IPv6Address as IPv6
from ipaddress import ip_address
from socket import AF_INET, AF_INET6

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from gateway.http.stream import PeerAddress


def twisted_address(socket_name: object) -> IPv4Address | IPv6Address | UNIXAddress:
    """Make Twisted's address object of what the socket module calls an address.

    Args:
        socket_name: A pair (IPv4), a tuple of four (IPv6), or a path, perhaps empty (UNIX).
    """
    match socket_name:
        case (str() as host, int() as port):
            return IPv4Address("TCP", host, port)
        case (str() as host, int() as port, int() as flow, int() as scope):
            return IPv6Address("TCP", host, port, flow, scope)
        case str() as path:
            return UNIXAddress(path or None)
        case bytes() as name:
            return UNIXAddress(name or None)
        case _:
            return UNIXAddress(None)


def peer_address(address: IAddress) -> PeerAddress:
    """Give an address as plain data; IPv4 seen through an IPv6 listener becomes plain IPv4 again.

    Args:
        address: What `getPeer` or `getHost` of a transport answered.

    Source: RFC 4291 §2.5.5.2 (IPv4-mapped addresses).
    """
    if isinstance(address, IPv4Address):
        return PeerAddress(address.host, address.port)
    if isinstance(address, IPv6Address):
        if address.host.startswith("::ffff:"):
            mapped = IPv6(address.host).ipv4_mapped
            return PeerAddress(str(mapped) if mapped else address.host, address.port)
        return PeerAddress(address.host, address.port)
    return PeerAddress("", 0)


def is_address(host: str) -> bool:
    """Tell whether a host is a literal IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


INTERNET_FAMILIES = frozenset({AF_INET, AF_INET6})
