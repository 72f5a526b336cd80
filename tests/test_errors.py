from __future__ import annotations

from gateway.errors import Blame, ConfigError, ProtocolError


def test_a_configuration_error_shows_its_place() -> None:
    """The text starts as compilers' do; without a line the file alone is named."""
    assert str(ConfigError("x", file="a.toml", line=2, column=3)) == "a.toml:2:3: x"
    assert str(ConfigError("x", file="a.toml")) == "a.toml: x"
    assert ConfigError("x", file="a").blame is Blame.OPERATOR


def test_a_protocol_error_has_the_reason_of_its_status() -> None:
    """The log tells a large body from a bad request."""
    assert ProtocolError("x", 413).reason == "body_too_large"
    assert ProtocolError("x", 418).reason == "bad_request"
