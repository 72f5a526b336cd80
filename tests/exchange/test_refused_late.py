"""Requests that the proxy refuses only when it writes them for the upstream."""

from __future__ import annotations

from tests.support.transports import World

LOOP = b"GET / HTTP/1.1\r\nHost: example.com\r\nVia: 1.1 gw\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_loop_is_answered_before_connecting() -> None:
    """A request that came through this gateway before is answered 508 and opens no connection."""
    world = World()
    client = world.client()
    client.receive(LOOP)
    assert client.take().startswith(b"HTTP/1.1 508 ")
    assert world.endpoint.accepted == []
    assert [request.error and request.error.reason for request in world.log.finished] == ["loop"]


def test_a_loop_costs_no_idle_connection() -> None:
    """The idle connection stays for the next request, and no exchange is counted for the upstream."""
    world = World()
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(OK)
    client.receive(LOOP)
    assert world.upstreams[0].idle == 1
    assert world.upstreams[0].in_flight == 0
    client.take()
    client.receive(GET)
    assert len(world.endpoint.accepted) == 1
