"""Connections over TLS, above the handshake."""

from __future__ import annotations

from typing import Self

import pytest

from gateway.http.stream import PeerAddress
from gateway.server.secure import CHALLENGE, SecureConnection
from tests.support.transports import FakeTransport, World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Handshaken(FakeTransport):
    """A transport after a handshake for a name."""

    def __init__(self, connection: SecureConnection, name: bytes, protocol: bytes = b"http/1.1") -> None:
        self._name = name
        self._protocol = protocol
        super().__init__(connection)
        connection.handshakeCompleted()

    def getHandle(self) -> Self:
        return self

    def get_servername(self) -> bytes:
        return self._name

    def get_alpn_proto_negotiated(self) -> bytes:
        return self._protocol


class Pairs:
    """Certificates that are for pairs of names."""

    def serves(self, asked: bytes, host: bytes) -> bool:
        return {asked, host} == {b"example.com", b"www.example.com"}


def connection(world: World) -> SecureConnection:
    peer = PeerAddress("203.0.113.9", 50123)
    return SecureConnection(world.front, peer, 443, trusted=False, forwarded=b"", certificates=Pairs())


@pytest.mark.parametrize("asked", [b"example.com", b"Example.COM", b"www.example.com"])
def test_hosts_that_the_certificate_is_for(asked: bytes) -> None:
    """A request for the name asked for, or for another of the same certificate, is served."""
    world = World()
    client = Handshaken(connection(world), asked)
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    world.endpoints[0].last.receive(OK)
    assert client.take().endswith(b"\r\n\r\nok")


def test_hosts_that_it_is_not_for() -> None:
    """A request for another host is not this connection's business (RFC 9110 §15.5.20)."""
    client = Handshaken(connection(World()), b"other.com")
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 421 ")


def test_an_authority_that_has_seen_enough() -> None:
    """After a handshake for a challenge the connection is closed (RFC 8737 §3)."""
    assert Handshaken(connection(World()), b"example.com", CHALLENGE).closing
