"""What stands where a transport is gone."""

from __future__ import annotations

import pytest

from gateway.net.stream_transport import UNCONNECTED, StreamTransport
from tests.support.transports import World


@pytest.mark.parametrize(
    "call",
    [
        lambda transport: transport.write(b"x"),
        lambda transport: transport.loseConnection(),
        lambda transport: transport.loseWriteConnection(),
        lambda transport: transport.abortConnection(),
        lambda transport: transport.registerProducer(None, True),
        lambda transport: transport.unregisterProducer(),
        lambda transport: transport.pauseProducing(),
        lambda transport: transport.resumeProducing(),
    ],
)
def test_unconnected(call) -> None:
    """Everything that may be asked of a transport is ignored."""
    transport: StreamTransport = UNCONNECTED
    assert call(transport) is None


def test_late_calls() -> None:
    """A connection that is gone takes every call and writes nothing."""
    world = World()
    client = world.client()
    connection = client.protocol
    client.lose()
    connection.pause_body()
    connection.resume_body()
    connection.send_data(b"late", False)
    connection.abort()
    assert client.take() == b""
