"""Tunnels: opaque octets both ways after a 101, closed half by half."""

from __future__ import annotations

import pytest

from tests.support.transports import FakeTransport, World

UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def open_tunnel(world: World) -> tuple[FakeTransport, FakeTransport]:
    client = world.client()
    client.receive(UPGRADE)
    upstream = world.endpoint.last
    key = upstream.take().partition(b"Sec-WebSocket-Key: ")[2][:24]
    upstream.receive(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept(key)
    )
    assert b" 101 " in client.take()
    return client, upstream


def accept(key: bytes) -> bytes:
    from base64 import b64encode
    from hashlib import sha1

    return b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


@pytest.mark.parametrize("first", ["client", "upstream"])
def test_both_connections_are_closed_after_a_closing_handshake(first: str) -> None:
    """Whichever side begins, no connection is left open once both have said goodbye."""
    world = World()
    client, upstream = open_tunnel(world)
    goodbye, masked = b"\x88\x02\x03\xe8", b"\x88\x82\x00\x00\x00\x00\x03\xe8"
    if first == "client":
        client.receive(masked)
        upstream.receive(goodbye)
    else:
        upstream.receive(goodbye)
        client.receive(masked)
    for side in (upstream, client):
        if side.connected and not side.closing:
            side.finish()
    world.wait(10)
    assert upstream.closing or upstream.aborted
    assert client.closing or client.aborted
    assert len(world.sockets) == 0
