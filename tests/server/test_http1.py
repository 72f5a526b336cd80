"""The front connection by itself: tunnels and late calls; all else is tested with whole exchanges."""

from __future__ import annotations

import pytest

from gateway.errors import ClientDisconnected, GatewayError
from gateway.http.message import Framing, ResponseHead
from gateway.http.prepared import PreparedAnswer
from gateway.units import ByteCount
from gateway.web.request import Request
from gateway.web.resource import Resource
from tests.support.transports import FakeTransport, World

UPGRADE = b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


class Tunnel(Resource):
    """A leaf that opens a tunnel at once or later, and remembers what comes through it."""

    __slots__ = ("data", "ended", "error", "paused", "request")

    def __init__(self) -> None:
        self.request: Request | None = None
        self.data = b""
        self.ended = False
        self.paused = False
        self.error: GatewayError | None = None

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        self.request = request
        request.upstream = self

    def open(self, data: bytes = b"") -> Request:
        assert self.request is not None
        head = ResponseHead(101, b"", b"X-Some: thing\r\n", 0, Framing.NONE, None, True, b"websocket", 0)
        self.request.send_head(head, data, False)
        return self.request

    def send_data(self, data: bytes, end: bool) -> None:
        self.data += data
        self.ended = end

    def send_trailers(self, block: bytes) -> None:
        raise AssertionError

    def reset(self, error: GatewayError) -> None:
        self.error = error

    def pause_body(self) -> None:
        self.paused = True

    def resume_body(self) -> None:
        self.paused = False


def opened(early: bytes = b"") -> tuple[World, FakeTransport, Tunnel, Request]:
    leaf = Tunnel()
    world = World(leaf, max_body=3)
    client = world.client()
    client.receive(UPGRADE + early)
    request = leaf.open(b"first")
    got = client.take()
    assert got.startswith(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    assert b"X-Some: thing\r\n" in got
    assert got.endswith(b"\r\n\r\nfirst")
    return world, client, leaf, request


def test_tunnel() -> None:
    """Behind a 101 octets pass both ways, early ones too, and no limit on content holds."""
    _, client, leaf, request = opened(b"early")
    assert leaf.data == b"early"
    client.receive(b"GET / HTTP/1.1\r\n\r\n")
    assert leaf.data == b"earlyGET / HTTP/1.1\r\n\r\n"
    request.send_data(b"down", False)
    assert client.take() == b"down"


def test_tunnel_half_closed_by_the_client() -> None:
    """The client's end reaches the leaf, which may still speak, and ends the tunnel itself."""
    world, client, leaf, request = opened()
    client.finish()
    assert leaf.ended
    assert leaf.error is None
    request.send_data(b"bye", True)
    assert client.take() == b"bye"
    assert client.closing
    assert len(world.log.finished) == 1


def test_tunnel_ended_by_the_leaf() -> None:
    """The leaf's end half-closes, and a client that does not close in turn is closed after linger."""
    world, client, _, request = opened()
    request.send_data(b"bye", True)
    assert client.take() == b"bye"
    assert client.half_closed
    assert not client.closing
    world.wait(3)
    assert client.closing


def test_tunnel_lost() -> None:
    """A client that is lost ends the exchange."""
    world, client, leaf, _ = opened()
    client.lose()
    assert isinstance(leaf.error, ClientDisconnected)
    assert len(world.log.finished) == 1
    assert world.log.finished[0].status == 101


def test_tunnel_that_fails() -> None:
    """A tunnel that fails is cut."""
    world, client, _, request = opened()
    request.fail(GatewayError("broken"))
    assert client.aborted
    assert len(world.log.finished) == 1


def test_back_pressure_in_a_tunnel() -> None:
    """Both ends may stop the other."""
    _, client, leaf, request = opened()
    client.stall()
    assert leaf.paused
    client.drain()
    assert not leaf.paused
    request.pause_body()
    assert not client.reading
    request.resume_body()
    assert client.reading


def test_tunnel_that_is_not_read() -> None:
    """A client that reads nothing in a tunnel is cut like any other."""
    world, client, leaf, _ = opened()
    client.stall()
    world.wait(62)
    assert client.aborted
    assert leaf.error is not None


def test_tunnel_at_stop() -> None:
    """Tunnels are left to their leaf when the gateway stops, and cut with the rest."""
    world, client, _, _ = opened()
    world.front.stop()
    assert not client.closing
    world.front.abort()
    assert client.aborted


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_refused_upgrade(version: bytes) -> None:
    """What a client sent ahead to a tunnel that is refused is nobody's request."""
    leaf = Tunnel()
    world = World(leaf)
    client = world.client()
    client.receive(UPGRADE.replace(b"HTTP/1.1", b"HTTP/" + version) + GET)
    assert leaf.request is not None
    leaf.request.answer(ResponseHead.make(403, (), 0))
    assert client.take().count(b"HTTP/1.1 ") == 1
    assert client.half_closed or client.closing
    assert len(world.log.finished) == 1


class Beforehand(Resource):
    """A leaf that answers with a response made beforehand, or with the same made anew."""

    __slots__ = ("_answer", "_prepared")

    def __init__(self, answer: PreparedAnswer, *, prepared: bool) -> None:
        self._answer = answer
        self._prepared = prepared

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        if self._prepared:
            request.answer_prepared(self._answer)
        else:
            request.answer(self._answer.head(), self._answer.data)


@pytest.mark.parametrize("fields", [(), ((b"Date", b"today"),)])
@pytest.mark.parametrize(
    "octets",
    [
        GET,
        GET * 3,
        GET.replace(b"GET", b"HEAD"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"1.1\r\n", b"1.0\r\nConnection: keep-alive\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        UPGRADE,
        GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc") + GET,
        GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("status", [200, 304])
def test_responses_made_beforehand(octets: bytes, status: int, fields: tuple[tuple[bytes, bytes], ...]) -> None:
    """Whatever the request, they are written as others are, and the connection goes on or ends in the same way."""
    seen = []
    for prepared in (True, False):
        length, content = (ByteCount(7), b"content") if status == 200 else (None, b"")
        world = World(Beforehand(PreparedAnswer(status, fields, length, content), prepared=prepared))
        for stopping in (False, True):
            client = world.client()
            world.front.stopping = stopping
            for _ in range(2):
                client.receive(octets)
            seen.append((prepared, client.take(), client.closing, client.half_closed, client.aborted))
            world.front.stopping = False
    assert [each[1:] for each in seen[:2]] == [each[1:] for each in seen[2:]]
    assert seen[0][1].startswith(b"HTTP/1.1 %d " % status)
