"""A leaf that refuses everything."""

from __future__ import annotations

from gateway.resources.refusal import Refusal
from tests.support.streams import exchange, get


def test_any_request_is_refused() -> None:
    """The status and the reason are those given, whatever is asked."""
    stream = exchange(Refusal(503, "configuration", "a.toml has errors"), get(b"/x"))
    assert stream.status == 503
