"""A leaf that refuses everything."""

from __future__ import annotations

from gateway.resources.refusal import Refusal, Silence
from gateway.web.tree import VirtualHosts
from tests.support.streams import exchange, get
from tests.support.transports import World


def test_any_request_is_refused() -> None:
    """The status and the reason are those given, whatever is asked."""
    stream = exchange(Refusal(503, "configuration", "a.toml has errors"), get(b"/x"))
    assert stream.status == 503


def test_silence_closes_the_connection() -> None:
    """A request for a host of no site gets no answer; one without a host is malformed all the same."""
    world = World()
    world.core.tree = VirtualHosts({}, {}, Silence())
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: elsewhere.com\r\n\r\n")
    assert client.take() == b""
    assert client.aborted
    (request,) = world.log.finished
    assert request.error is not None
    assert request.error.reason == "unknown_host"
    client = world.client()
    client.receive(b"GET / HTTP/1.0\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 400 ")
