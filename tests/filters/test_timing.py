"""Server-Timing."""

from __future__ import annotations

from gateway.filters.timing import TimingFilter
from tests.support.streams import exchange, get, location
from tests.support.transports import World


def test_an_answer_of_the_gateway() -> None:
    """Without an upstream there is one figure."""
    assert exchange(location(None, TimingFilter()), get(b"/")).get(b"server-timing") == b"gateway;dur=0.0"


def test_an_answer_of_an_app() -> None:
    """The time that an upstream took is told apart, beside what the app itself says."""
    world = World(filters=(TimingFilter(),))
    world.clock.advance(1)
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    world.clock.advance(0.25)
    world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nServer-Timing: db;dur=3\r\nContent-Length: 0\r\n\r\n")
    answer = client.take()
    assert b"\r\nServer-Timing: db;dur=3\r\n" in answer
    assert b"\r\nServer-Timing: gateway;dur=250.0, upstream;dur=250.0\r\n" in answer
