from __future__ import annotations

from gateway.config.model import GatewayConfig, Limits
from gateway.net.listeners import ListenAddress


def test_limits_are_those_of_the_reference() -> None:
    """The defaults are 16 KB and 100 lines of head in 15 s, 60 s of idleness, 100 octets a second after 30 s."""
    limits = Limits()
    assert (limits.header_size, limits.header_line, limits.header_count, limits.header_time) == (16384, 8192, 100, 15)
    assert (limits.body_idle, limits.body_rate, limits.body_grace, limits.write_idle) == (60, 100, 30, 60)
    assert (limits.connections, limits.connections_per_client, limits.buffer, limits.stop) == (None, 100, 1_000_000, 30)
    assert GatewayConfig(http=(ListenAddress("::1", 1),)).http == (ListenAddress("::1", 1),)
