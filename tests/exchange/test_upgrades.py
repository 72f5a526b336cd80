"""Upgrades that nobody asked for; WebSockets themselves have tests of their own."""

from __future__ import annotations

import pytest

from tests.support.transports import World

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\nopaque"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (b"", b"websocket"),
        (b"", b"h2c"),
        (b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"h2c"),
        (b"Upgrade: websocket\r\n", b"websocket"),
        (b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + KEY, b"h2c"),
        (b"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n" + KEY, b"h2c"),
    ],
)
def test_unasked_switch(asked: bytes, answered: bytes) -> None:
    """A 101 to what was not asked of the upstream is answered 502 and opens nothing."""
    world = World()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n" + asked + b"\r\n")
    if not world.endpoint.accepted:
        assert client.take().startswith(b"HTTP/1.1 4")
        return
    upstream = world.endpoint.last
    upstream.receive(SWITCH % answered)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"opaque" not in got
    assert upstream.aborted
    assert world.upstreams[0].in_flight == 0
    assert world.log.finished[0].error.reason == "upstream_invalid"  # type: ignore[union-attr]


def test_upgrade_that_is_not_passed_on() -> None:
    """Another protocol's Upgrade does not reach the upstream, and the request is an ordinary one."""
    world = World()
    client = world.client()
    client.receive(
        b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n"
    )
    sent = world.endpoint.last.take().lower()
    assert b"upgrade" not in sent
    assert b"http2-settings" not in sent
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")
