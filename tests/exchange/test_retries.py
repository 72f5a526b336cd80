"""Trying again: another upstream after a failed connection, a fresh connection after a dead one."""

from __future__ import annotations

import pytest

from gateway.errors import ConnectionRefused
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEADLINE = b"%b / HTTP/1.1\r\nHost: example.com\r\n"


def warm(world: World) -> FakeTransport:
    """Leave one idle connection to the first upstream."""
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(OK)
    world.endpoint.last.take()
    world.log.finished.clear()
    return client


def body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PATCH", b"PROPFIND"])
@pytest.mark.parametrize("waiting", [False, True])
def test_other_upstream_after_a_failed_connection(method: bytes, waiting: bool) -> None:
    """Whatever the method, nothing was sent yet: the other upstream gets it whole."""
    world = World(upstreams=2)
    refusing, taking = world.endpoints[1], world.endpoints[0]  # the second has the first turn
    client = world.client()
    if waiting:
        refusing.waiting = True
    else:
        refusing.refuse()
    client.receive(HEADLINE % method + b"Content-Length: 5\r\n\r\nhe")
    if waiting:
        assert not client.reading
        client.receive(b"l")  # what was read already
        refusing.reject()
    client.receive(b"lo" if waiting else b"llo")
    assert refusing.accepted == []
    assert body(taking.last.take()) == b"hello"
    taking.last.receive(OK)
    assert client.take().endswith(b"ok")
    assert world.log.finished[0].retries == 1
    assert world.log.finished[0].error is None
    assert [upstream.in_flight for upstream in world.upstreams] == [0, 0]


def test_trailers_survive_a_failed_connection() -> None:
    """Trailers that came before the connection failed go to the other upstream."""
    world = World(upstreams=2)
    for endpoint in world.endpoints:
        endpoint.waiting = True
    world.client().receive(HEADLINE % b"POST" + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n")
    world.endpoints[1].reject()
    world.endpoints[0].accept()
    assert body(world.endpoints[0].last.take()) == b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"


def test_all_upstreams_refuse() -> None:
    """Each upstream is tried once, and then the error is answered."""
    world = World(upstreams=3, retries=10)
    for endpoint in world.endpoints:
        endpoint.refuse()
    client = world.client()
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert world.log.finished[0].retries == 2
    assert [upstream.in_flight for upstream in world.upstreams] == [0, 0, 0]


def test_number_of_tries() -> None:
    """No more than `retries` further tries are made."""
    world = World(upstreams=5, retries=1)
    for endpoint in world.endpoints:
        endpoint.refuse()
    client = world.client()
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert world.log.finished[0].retries == 1


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"DELETE"])
@pytest.mark.parametrize("clean", [False, True])
def test_dead_connection(method: bytes, clean: bool) -> None:
    """A reused connection that turns out to be dead is replaced by a fresh one, once."""
    world = World()
    client = warm(world)
    client.take()
    client.receive(HEADLINE % method + b"\r\n")
    dead = world.endpoint.last
    if clean:
        dead.finish()
    dead.lose(clean=clean)
    assert len(world.endpoint.accepted) == 2
    assert world.endpoint.last.take() == dead.take()
    world.endpoint.last.lose()
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert len(world.endpoint.accepted) == 2
    assert world.log.finished[0].retries == 1
    assert world.upstreams[0].in_flight == 0


def test_dead_connection_that_was_never_used() -> None:
    """The same holds for one whose first client left before it was there."""
    world = World()
    world.endpoint.waiting = True
    left = world.client()
    left.receive(GET)
    left.lose()
    world.endpoint.accept()
    world.endpoint.waiting = False
    client = world.client()
    client.receive(GET)
    world.endpoint.last.lose()
    assert len(world.endpoint.accepted) == 2
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")


def test_dead_connections_to_a_restarted_upstream() -> None:
    """However many idle connections are dead, one fresh connection answers."""
    world = World()
    clients = [world.client() for _ in range(3)]
    for client in clients:
        client.receive(GET)
    for upstream in world.endpoint.accepted:
        upstream.receive(OK)
    assert world.upstreams[0].idle == 3
    clients[0].take()
    clients[0].receive(GET)
    for upstream in world.endpoint.accepted[:3]:
        upstream.lose()
    world.endpoint.last.receive(OK)
    assert clients[0].take().endswith(b"ok")
    assert len(world.endpoint.accepted) == 4


def test_content_is_sent_again() -> None:
    """PUT is repeated with its content where all that was sent came with the head."""
    world = World()
    client = warm(world)
    client.receive(HEADLINE % b"PUT" + b"Content-Length: 5\r\n\r\nhello")
    world.endpoint.last.lose()
    assert body(world.endpoint.last.take()) == b"hello"
    assert len(world.endpoint.accepted) == 2


def test_content_goes_on_after_a_repetition() -> None:
    """PUT is repeated with the first of its content, and the rest follows."""
    world = World()
    client = warm(world)
    client.receive(HEADLINE % b"PUT" + b"Content-Length: 5\r\n\r\nhe")
    world.endpoint.last.lose()
    client.receive(b"llo")
    assert body(world.endpoint.last.take()) == b"hello"
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")
    assert not client.closing


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"Content-Length: 5\r\n\r\nhe", b"l"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", b"0\r\nX-Sum: 1\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\nX-Sum: 1\r\n\r\n", b""),
    ],
    ids=["content", "end", "trailers", "trailers at once"],
)
def test_content_that_is_not_kept(first: bytes, then: bytes) -> None:
    """What was sent and not kept cannot be repeated: 503 instead of half a request."""
    world = World()
    client = warm(world)
    client.take()
    client.receive(HEADLINE % b"PUT" + first)
    client.receive(then)
    world.endpoint.last.lose()
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert len(world.endpoint.accepted) == 1
    assert world.upstreams[0].in_flight == 0


@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"PROPFIND"])
@pytest.mark.parametrize(
    ("rest", "repeated"),
    [
        (b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", True),
        (b"Content-Length: 5\r\n\r\n", True),
        (b"Content-Length: 5\r\n\r\nh", False),
        (b"\r\n", False),
        (b"Content-Length: 0\r\n\r\n", False),
    ],
    ids=["expectation", "nothing sent", "something sent", "no content", "empty content"],
)
def test_methods_that_are_not_idempotent(method: bytes, rest: bytes, repeated: bool) -> None:
    """They are repeated only where no octet of their content was sent, so that nothing can have happened."""
    world = World()
    client = warm(world)
    client.take()
    client.receive(HEADLINE % method + rest)
    world.endpoint.last.lose()
    assert len(world.endpoint.accepted) == (2 if repeated else 1)
    if repeated:
        client.receive(b"hello")
        assert body(world.endpoint.last.take()) == b"hello"
    else:
        assert client.take().startswith(b"HTTP/1.1 503 ")


def test_fresh_connection_that_is_reset() -> None:
    """An upstream that closes a fresh connection without an answer is not asked again."""
    world = World()
    client = world.client()
    client.receive(GET)
    world.endpoint.last.lose()
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert len(world.endpoint.accepted) == 1


@pytest.mark.parametrize("octets", [b"H", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_after_response_octets(octets: bytes) -> None:
    """Once the upstream has answered anything, nothing is repeated."""
    world = World()
    client = warm(world)
    client.take()
    client.receive(GET)
    world.endpoint.last.receive(octets)
    world.endpoint.last.lose()
    assert b"HTTP/1.1 502 " in client.take()
    assert len(world.endpoint.accepted) == 1


def test_retries_switched_off() -> None:
    """With `retries = 0` nothing is repeated."""
    world = World(retries=0)
    client = warm(world)
    client.take()
    client.receive(GET)
    world.endpoint.last.lose()
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert len(world.endpoint.accepted) == 1


def test_dead_connection_and_a_refusing_upstream() -> None:
    """A fresh connection that is refused in its turn is answered, with each lease given back once."""
    world = World()
    client = warm(world)
    client.take()
    client.receive(GET)
    world.endpoint.failing = ConnectionRefused("refused")
    world.endpoint.last.lose()
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert world.log.finished[0].error.reason == "upstream_refused"  # type: ignore[union-attr]
    assert world.upstreams[0].in_flight == 0


def test_liveness_of_a_connection_for_post() -> None:
    """A connection with something unread is not used for a method that cannot be repeated."""
    world = World()
    client = warm(world)
    world.endpoint.last.unread = True
    client.receive(HEADLINE % b"POST" + b"Content-Length: 1\r\n\r\nx")
    assert len(world.endpoint.accepted) == 2
    assert world.endpoint.accepted[0].closing
