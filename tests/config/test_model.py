from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.config.model import GatewayConfig, Limits, LogSettings
from gateway.net.listeners import ListenAddress


def test_limits_are_those_of_the_reference() -> None:
    """The defaults are 16 KB and 100 lines of head in 15 s, 60 s of idleness, 100 octets a second after 30 s."""
    limits = Limits()
    assert (limits.header_size, limits.header_line, limits.header_count, limits.header_time) == (16384, 8192, 100, 15)
    assert (limits.body_idle, limits.body_rate, limits.body_grace, limits.write_idle) == (60, 100, 30, 60)
    assert (limits.connections, limits.connections_per_client, limits.buffer, limits.stop) == (None, 100, 1_000_000, 30)
    assert GatewayConfig(http=(ListenAddress("::1", 1),)).http == (ListenAddress("::1", 1),)


@pytest.mark.parametrize("path", ["/", "/health", "/a/b.js", "/*", "/assets/*", "/\u00e4/*"])
def test_paths_that_are_not_logged(path: str) -> None:
    """One path, or all below one."""
    assert LogSettings(skip=(path,)).skip == (path,)


@pytest.mark.parametrize("path", ["", "health", "*", "/a*", "/*/a", "/a?b", "/a b", "/a%20b", "/a#b", "/a\\b"])
def test_what_is_no_path_to_skip(path: str) -> None:
    """What could never match, or is no whole path, is an error."""
    with pytest.raises(ValidationError, match="expected a path such as"):
        LogSettings(skip=(path,))
