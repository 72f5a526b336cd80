"""Stopping, and limits on connections."""

from __future__ import annotations

import pytest

from tests.support.transports import World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_stop_closes_idle_connections() -> None:
    """Idle connections are closed at once, with and without an earlier exchange."""
    world = World()
    fresh, used = world.client(), world.client()
    used.receive(GET)
    world.endpoint.last.receive(OK)
    world.front.stop()
    assert fresh.closing
    assert used.closing
    assert not fresh.aborted


@pytest.mark.parametrize("head_sent", [False, True])
def test_stop_lets_exchanges_end(head_sent: bool) -> None:
    """Busy connections close behind their answer, which says so where its head is not out yet."""
    world = World()
    client = world.client()
    client.receive(GET + GET)
    upstream = world.endpoint.last
    if head_sent:
        upstream.receive(OK[:-2])
    world.front.stop()
    assert not client.closing
    upstream.receive(OK[-2:] if head_sent else OK)
    got = client.take()
    assert got.endswith(b"ok")
    assert (b"Connection: close\r\n" in got) != head_sent
    assert client.half_closed or client.closing
    assert len(world.log.finished) == 1


def test_stop_refuses_new_connections() -> None:
    """Who still gets through is answered 503 and closed."""
    world = World()
    world.front.stop()
    client = world.client()
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert client.half_closed


def test_abort_cuts_the_rest() -> None:
    """After the time for stopping everything is cut, and nothing stays leased."""
    world = World()
    emptied: list[bool] = []
    world.front.emptied = lambda: emptied.append(True)
    clients = [world.client() for _ in range(3)]
    for client in clients[:2]:
        client.receive(GET)
    world.front.stop()
    clients[2].lose(clean=True)
    world.front.abort()
    assert all(client.aborted for client in clients[:2])
    assert emptied == [True]
    assert len(world.front) == 0
    assert world.upstreams[0].in_flight == 0
    assert all(upstream.aborted for upstream in world.endpoint.accepted)


def test_stop_with_an_answer_unread() -> None:
    """A connection whose complete answer waits to be read is closed when it was read, and not before."""
    world = World()
    client = world.client(high_water=10)
    client.receive(GET)
    world.endpoint.last.receive(OK)
    world.front.stop()
    assert not client.aborted
    assert client.take().endswith(b"ok")
    assert client.closing


def test_limit_on_connections() -> None:
    """One connection too many gets a page with 503 at once and is closed; the others are left alone."""
    world = World(max_connections=2)
    clients = [world.client(f"203.0.113.{index}") for index in range(3)]
    got = clients[2].take()
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 10\r\n" in got
    assert b"Connection: close\r\n" in got
    assert clients[2].half_closed
    clients[2].receive(GET)
    assert world.endpoint.accepted == []
    assert world.log.finished[0].error.reason == "too_many_connections"  # type: ignore[union-attr]
    clients[0].receive(GET)
    assert len(world.endpoint.accepted) == 1
    clients[2].lose()
    clients[1].lose()
    again = world.client()
    assert again.take() == b""


def test_limit_on_a_clients_connections() -> None:
    """One client cannot take all: an IPv6 client is its /64, and a trusted proxy is no client."""
    world = World(trusted=("10.0.0.0/8",))
    world.front.per_client = 2
    refused = {
        host: world.client(host).take().startswith(b"HTTP/1.1 503 ")
        for _ in range(3)
        for host in ("2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1", "203.0.113.9", "10.0.0.1", "")
    }
    assert refused == {
        "2001:db8::1": True,
        "2001:db8:0:0:ffff::2": True,
        "2001:db8:0:1::1": True,
        "203.0.113.9": True,
        "10.0.0.1": False,
        "": False,
    }


def test_clients_are_counted_down() -> None:
    """A client that leaves makes room for itself."""
    world = World()
    world.front.per_client = 1
    for _ in range(5):
        client = world.client()
        assert client.take() == b""
        client.lose()
    assert not world.front._per_client
