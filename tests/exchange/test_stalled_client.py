"""A client that stops reading just when an answer is complete."""

from __future__ import annotations

from tests.support.transports import World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


def answer(content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


def test_pooled_connection_is_not_left_paused() -> None:
    """The upstream connection whose last octets filled the client's buffer is read again in the next exchange."""
    world = World()
    client = world.client()
    client.receive(GET)
    upstream = world.endpoint.last
    upstream.receive(answer(b"x" * 10)[:-3])
    client.stall_at_next_write = True
    upstream.receive(b"xxx")
    client.drain()
    client.receive(GET)
    assert world.endpoint.accepted == [upstream]
    assert upstream.reading


def test_pipelined_request_waits_for_a_client_that_reads() -> None:
    """A further request is not begun while the last answer is unread, so that answers do not pile up."""
    world = World()
    client = world.client()
    client.receive(GET)
    upstream = world.endpoint.last
    client.stall_at_next_write = True
    client.receive(GET)
    upstream.receive(answer(b"first"))
    upstream.take()
    assert client.take().endswith(b"first")
    client.receive(b"GET /third HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert upstream.take() == b""
    client.drain()
    assert upstream.take().startswith(b"GET / ")
    upstream.receive(answer(b"second"))
    assert upstream.take().startswith(b"GET /third ")
