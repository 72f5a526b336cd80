"""WebSockets from the client's octets to the app's, through the front connection and the upstream connection."""

from __future__ import annotations

import pytest

from tests.support.transports import FakeTransport, World
from tests.support.websocket import BINARY, HANDSHAKE_KEY, PING, TEXT, accept, close, frame, handshake, read_frames

ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def opened() -> tuple[World, FakeTransport, FakeTransport]:
    world = World()
    world.sweeper.add(world.sockets)
    client = world.client()
    client.receive(handshake())
    app = world.endpoint.last
    app.receive(accept(app.take()))
    assert client.take().startswith(b"HTTP/1.1 101 ")
    return world, client, app


def test_the_handshake_goes_up_and_its_answer_comes_down() -> None:
    """One request head goes up with a fresh key, one 101 comes down with the answer to the client's own."""
    world = World()
    client = world.client()
    client.receive(handshake(b"Origin: https://example.com", b"Sec-WebSocket-Protocol: a, b"))
    app = world.endpoint.last
    request = app.take()
    assert request.startswith(b"GET /live?vsn=2.0.0 HTTP/1.1\r\nHost: example.com\r\n")
    for line in (b"Connection: Upgrade", b"Upgrade: websocket", b"Origin: https://example.com"):
        assert request.count(b"\r\n" + line + b"\r\n") == 1
    assert b"\r\nSec-WebSocket-Protocol: a, b\r\n" in request
    assert HANDSHAKE_KEY not in request
    app.receive(accept(request, b"Sec-WebSocket-Protocol: b", b"Set-Cookie: a=1", b"Set-Cookie: b=2"))
    answer = client.take()
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    lines = (b"Sec-WebSocket-Accept: " + ACCEPT, b"Sec-WebSocket-Protocol: b", b"Set-Cookie: a=1", b"Set-Cookie: b=2")
    for line in lines:
        assert answer.count(b"\r\n" + line + b"\r\n") == 1
    assert answer.count(b"Sec-WebSocket-Accept") == 1


@pytest.mark.parametrize("size", [0, 1, 7])
def test_frames_pass_in_any_split(size: int) -> None:
    """Both ways, byte for byte."""
    _, client, app = opened()
    up = frame(TEXT, b"hello", masked=True) + frame(BINARY, b"x" * 300, masked=True)
    down = frame(TEXT, b"world") + frame(BINARY, b"y" * 300)
    client.receive(up, size)
    app.receive(down, size)
    assert (app.take(), client.take()) == (up, down)


def test_frames_that_follow_the_handshake_at_once_are_relayed() -> None:
    """A client and an app that do not wait lose nothing."""
    world = World()
    client = world.client()
    early, first = frame(TEXT, b"early", masked=True), frame(TEXT, b"first")
    client.receive(handshake() + early)
    app = world.endpoint.last
    request = app.take()
    assert early not in request
    app.receive(accept(request) + first)
    assert app.take() == early
    assert client.take().endswith(b"\r\n\r\n" + first)


def test_a_whole_closing_handshake_ends_both_connections() -> None:
    """Codes pass, FIN goes to the client, and the app's own end closes its connection."""
    world, client, app = opened()
    client.receive(close(1000, masked=True))
    app.receive(close(1000))
    app.finish()
    assert client.take() == close(1000)
    assert client.half_closed
    assert app.closing
    assert len(world.sockets) == 0
    (request,) = world.log.finished
    assert (request.status, request.error) == (101, None)


def test_an_app_that_is_killed_is_a_service_restart() -> None:
    """The client gets 1012, and may answer."""
    world, client, app = opened()
    app.lose()
    assert client.take() == close(1012)
    client.receive(close(1012, masked=True))
    assert client.half_closed
    assert len(world.sockets) == 0


def test_a_client_that_is_lost_ends_the_apps_connection() -> None:
    """No close frame for the app: 1006 there; an app that stays is cut."""
    world, client, app = opened()
    client.lose()
    assert (app.take(), app.half_closed) == (b"", True)
    world.wait(7)
    assert app.aborted
    assert len(world.sockets) == 0


def test_an_app_that_left_and_reads_nothing_is_cut() -> None:
    """Our FIN would wait behind what the app does not read, so nothing would ever end that connection."""
    world, client, app = opened()
    client.receive(frame(BINARY, b"x" * 300, masked=True))
    app.stall()
    app.finish()
    assert app.aborted
    assert client.take() == close(1012)
    client.receive(close(1012, masked=True))
    assert len(world.sockets) == 0


def test_an_app_that_ends_inside_a_frame_is_an_end() -> None:
    """What came, then FIN."""
    world, client, app = opened()
    app.receive(frame(BINARY, b"x" * 300)[:100])
    app.finish()
    assert client.half_closed
    assert len(world.sockets) == 0
    assert app.closing


def test_a_silent_client_is_pinged_and_closed_by_the_sweep() -> None:
    """30 s, then 90 s."""
    world, client, app = opened()
    world.wait(40)
    assert [found.opcode for found in read_frames(client.take())] == [PING]
    world.wait(70)
    assert read_frames(client.take())[-1].code == 1001
    assert app.half_closed


def test_a_slow_client_stops_the_app_and_the_reverse() -> None:
    """Back-pressure reaches the transports."""
    _, client, app = opened()
    client.stall()
    assert not app.reading
    client.drain()
    assert app.reading
    app.stall()
    assert not client.reading
    app.drain()
    assert client.reading


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_refused_upgrade_arrives_whole_and_ends_the_connection(status: int) -> None:
    """The app's own answer, with content; a client that asked to switch sends nothing more on this connection."""
    world = World()
    client = world.client()
    client.receive(handshake())
    world.endpoint.last.receive(b"HTTP/1.1 %d No\r\nX-App: 1\r\nContent-Length: 4\r\n\r\nnope" % status)
    answer = client.take()
    assert answer.startswith(b"HTTP/1.1 %d No\r\nX-App: 1\r\n" % status)
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nnope")
    assert client.closing


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (handshake(request=b"POST /live HTTP/1.1"), 400),
        (handshake(request=b"GET /live HTTP/1.0"), 400),
        (handshake(b"Content-Length: 2") + b"ab", 400),
        (handshake(b"Sec-WebSocket-Version: 8"), 426),
        (handshake().replace(HANDSHAKE_KEY, b"short"), 400),
        (handshake().replace(b"Sec-WebSocket-Key: " + HANDSHAKE_KEY + b"\r\n", b""), 400),
    ],
)
def test_a_broken_upgrade_never_reaches_the_app(request_: bytes, status: int) -> None:
    """The client gets its 4xx, the app no connection."""
    world = World()
    client = world.client()
    client.receive(request_)
    answer = client.take()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert world.endpoint.accepted == []
    if status == 426:
        assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer
        assert b"\r\nUpgrade: websocket\r\n" in answer


def test_another_protocol_is_not_passed_up() -> None:
    """Upgrade: h2c is ignored, and the request is an ordinary one."""
    world = World()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert b"pgrade" not in world.endpoint.last.take()
    world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert b"Connection: close" not in client.take()


def test_a_second_upstream_is_tried_with_the_same_handshake() -> None:
    """A refused connection is tried elsewhere, as for any request."""
    world = World(upstreams=2)
    world.endpoints[0].refuse()
    client = world.client()
    client.receive(handshake())
    app = world.endpoints[1].last
    app.receive(accept(app.take()))
    assert client.take().startswith(b"HTTP/1.1 101 ")
