"""What the connections of the listeners share; limits in action are tested with whole exchanges."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from gateway.http.stream import PeerAddress
from gateway.server.http1 import HTTP1Connection
from gateway.server.listener import FrontFactory, client_key
from tests.support.transports import World


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_client_key(host: str, key: str) -> None:
    """An IPv4 address is a client, an IPv6 client is its /64, and UNIX sockets have none."""
    assert client_key(PeerAddress(host, 1)) == key


@pytest.mark.parametrize(
    ("address", "peer", "trusted"),
    [
        (IPv4Address("TCP", "203.0.113.9", 50000), PeerAddress("203.0.113.9", 50000), False),
        (IPv4Address("TCP", "10.0.0.1", 50000), PeerAddress("10.0.0.1", 50000), True),
        (IPv6Address("TCP", "2001:db8::1", 50000), PeerAddress("2001:db8::1", 50000), False),
        (UNIXAddress(None), PeerAddress("", 0), False),
        (None, PeerAddress("", 0), False),
    ],
)
def test_connections_are_made(address, peer: PeerAddress, trusted: bool) -> None:
    """Each connection knows its peer, the port it came to, whether to trust it, and its forwarding lines."""
    world = World(trusted=("10.0.0.0/8",))
    factory = FrontFactory(world.front, 8080, lambda peer, secure, port: b"%b %d\r\n" % (peer.host.encode(), port))
    connection = factory.buildProtocol(address)
    assert isinstance(connection, HTTP1Connection)
    assert (connection.peer, connection.trusted) == (peer, trusted)
    assert (connection.local_port, connection.secure) == (8080, False)
    assert connection.forwarded == b"%b 8080\r\n" % peer.host.encode()


def test_emptied() -> None:
    """Whoever waits for the last connection to go is told."""
    world = World()
    told: list[int] = []
    world.front.emptied = lambda: told.append(len(world.front))
    first, second = world.client(), world.client()
    first.lose()
    assert told == []
    second.lose()
    assert told == [0]


def test_clients_of_several_processes() -> None:
    """Clients with the most connections are named, and what they have elsewhere counts for their limit."""
    world = World()
    world.front.per_client = 3
    for _ in range(2):
        world.client()
    assert world.front.busiest(3, 10) == {}
    assert list(world.front.busiest(2, 10).values()) == [2]
    assert world.front.busiest(1, 0) == {}
    world.front.elsewhere = dict.fromkeys(world.front.busiest(1, 1), 1)
    assert world.client().take().startswith(b"HTTP/1.1 503 ")
