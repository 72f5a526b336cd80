from __future__ import annotations

import pytest
from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress

from gateway.http.stream import PeerAddress
from gateway.net.addresses import is_address, peer_address, twisted_address


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (("192.0.2.7", 80), IPv4Address("TCP", "192.0.2.7", 80)),
        (("::1", 80, 0, 3), IPv6Address("TCP", "::1", 80, 0, 3)),
        ("/run/a.sock", UNIXAddress("/run/a.sock")),
        ("", UNIXAddress(None)),
        (b"\0abstract", UNIXAddress(b"\0abstract")),
        (None, UNIXAddress(None)),
    ],
)
def test_twisted_address(name: object, address: object) -> None:
    """Every form of socket address becomes the Twisted address of its kind."""
    assert twisted_address(name) == address


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        (IPv4Address("TCP", "192.0.2.7", 80), PeerAddress("192.0.2.7", 80)),
        (IPv6Address("TCP", "2001:db8::1", 80), PeerAddress("2001:db8::1", 80)),
        (IPv6Address("TCP", "::ffff:192.0.2.7", 80), PeerAddress("192.0.2.7", 80)),
        (UNIXAddress("/run/a.sock"), PeerAddress("", 0)),
        (HostnameAddress(b"a", 1), PeerAddress("", 0)),
    ],
)
def test_peer_address(address: object, peer: PeerAddress) -> None:
    """A client on IPv4 is shown by its IPv4 address, also where an IPv6 listener took it."""
    assert peer_address(address) == peer


def test_is_address() -> None:
    """Literal addresses are told from names."""
    assert is_address("127.0.0.1")
    assert is_address("::1")
    assert not is_address("localhost")
    assert not is_address("")
