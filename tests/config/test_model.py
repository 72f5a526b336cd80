from __future__ import annotations

import pytest

from gateway.config.model import GatewayConfig, Limits, Listener, parse_listener


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::]:443", "unix:/run/g.sock", "systemd:http"])
def test_listeners_read_what_they_write(text: str) -> None:
    """A listener's text means the listener."""
    assert str(parse_listener(text)) == text


@pytest.mark.parametrize(
    "text", ["", "80", ":80", "::1:80", "unix:", "systemd:", "host:80", "1.2.3.4:65536", "[1.2.3]:1"]
)
def test_wrong_listeners(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="expected"):
        parse_listener(text)


def test_limits_are_those_of_the_reference() -> None:
    """The defaults are 16 KB and 100 lines of head in 15 s, 60 s of idleness, 100 octets a second after 30 s."""
    limits = Limits()
    assert (limits.header_size, limits.header_line, limits.header_count, limits.header_time) == (16384, 8192, 100, 15)
    assert (limits.body_idle, limits.body_rate, limits.body_grace, limits.write_idle) == (60, 100, 30, 60)
    assert (limits.connections, limits.connections_per_client, limits.buffer, limits.stop) == (None, 100, 1_000_000, 30)
    assert GatewayConfig(http=(Listener("::1", 1),)).http == (Listener("::1", 1),)
