"""Large content between plain connections: it passes by, under the rules that hold for all content."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory

from gateway.errors import ClientDisconnected, ClientTimeout, ResponseIncomplete, ResponseStalled
from gateway.http.forwarding import Via, connection_lines
from gateway.http.stream import PeerAddress
from gateway.net.pipes import Pipes
from gateway.net.transport import LoopTransport
from gateway.resources.accel import HandOver
from gateway.resources.proxy import ProxyResource
from gateway.resources.spool import SpoolResource
from gateway.server.http1 import HTTP1Connection
from gateway.units import ByteCount
from gateway.upstream.balancer import Balancer
from tests.support.files import open_descriptors
from tests.support.loops import FakeLoop, FakeLoopTransport
from tests.support.transports import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="splice is Linux's")

SIZE = 2_000_000
BODY = bytes(n % 251 for n in range(SIZE))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE
GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


class SocketTransport(FakeLoopTransport):
    """uvloop's side of a connection on a real socket; writes go there at once."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self.names["socket"] = sock
        self.sock = sock

    def write(self, data: bytes) -> None:
        self.sock.setblocking(True)
        self.sock.sendall(data)
        self.sock.setblocking(False)

    def abort(self) -> None:
        if not self.closing:
            super().abort()
            self.sock.close()
            self.protocol.connection_lost(None)

    close = abort


class Peer:
    """The far end of a connection to the gateway."""

    def __init__(self, loop: FakeLoop, factory: Factory) -> None:
        here, self.socket = socket.socketpair()
        here.setblocking(False)
        self.socket.setblocking(False)
        self.below = SocketTransport(here)
        self.transport = LoopTransport(loop, factory)  # type: ignore[arg-type]  # structural
        self.below.attach(self.transport)

    def read(self) -> bytes:
        """Take what has come."""
        got = b""
        try:
            while piece := self.socket.recv(100_000):
                got += piece
        except BlockingIOError:
            return got
        return got


class Net:
    """A gateway in memory whose connections are sockets.

    Attributes:
        world: The gateway.
        app: The app's end of the connection made last.
        client: A client's end.
    """

    def __init__(self) -> None:
        self.world = World()
        self.loop = FakeLoop()
        self.pipes = Pipes()
        self.world.upstreams[0].pipes = self.pipes
        self.world.upstreams[0].endpoint = self  # type: ignore[assignment]  # a fake of it
        self.peers: list[Peer] = []
        self.client = self.connect_client()

    def connect(self, factory: Factory) -> Deferred[IProtocol | None]:
        self.app = Peer(self.loop, factory)
        self.peers.append(self.app)
        return succeed(self.app.transport.protocol)

    def connect_client(self) -> Peer:
        lines = connection_lines("203.0.113.9", 80, secure=False)
        front, peer = self.world.front, PeerAddress("203.0.113.9", 50123)
        connection = HTTP1Connection(front, peer, 80, secure=False, trusted=False, forwarded=lines)
        factory = Factory()
        factory.buildProtocol = lambda _address: connection
        self.peers.append(Peer(self.loop, factory))
        return self.peers[-1]

    def ask(self, request: bytes = GET, content: bytes = BODY[:1000]) -> None:
        """Send a request, and let the app answer with the head and some content."""
        self.client.below.receive(request)
        self.app.below.receive(HEAD + content)

    def flow(self, content: bytes) -> bytes:
        """Let the app send content, and the client read all that comes."""
        got = b""
        sent = 0
        while True:
            with contextlib.suppress(BlockingIOError):
                sent += self.app.socket.send(content[sent:]) if sent < len(content) else 0
            self.loop.poll()
            piece = self.client.read()
            got += piece
            if sent == len(content) and not piece:
                return got

    @property
    def logged(self) -> list[tuple[int, object]]:
        """Octets of content and error of each exchange that is over."""
        return [(request.bytes_out, request.error and type(request.error)) for request in self.world.log.finished]

    def close(self) -> None:
        for peer in self.peers:
            peer.below.abort()
            peer.socket.close()
        self.pipes.close()


@pytest.fixture
def net() -> Iterator[Net]:
    before = open_descriptors()
    net = Net()
    yield net
    net.close()
    assert len(net.pipes) == 0
    assert not net.loop.readers
    assert not net.loop.writers
    assert open_descriptors() <= before


def test_large_content_passes_by(net: Net) -> None:
    """It arrives whole behind its head, is counted, and leaves both connections to the next exchange."""
    for count in (1, 2):
        net.ask()
        assert len(net.pipes) == 1
        assert not net.app.below.reading
        got = net.flow(BODY[1000:])
        assert got.partition(b"\r\n\r\n")[2] == BODY
        assert net.logged == [(SIZE, None)] * count
        assert net.world.upstreams[0].idle == 1
        assert net.app.below.reading
    assert len(net.peers) == 2


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_other_content_does_not(net: Net, head: bytes) -> None:
    """Where it is small, or its length is not known, the connection itself reads it."""
    net.client.below.receive(GET)
    net.app.below.receive(head)
    assert len(net.pipes) == 0
    assert net.app.below.reading


def test_octets_behind_it(net: Net) -> None:
    """A connection with octets nobody asked for is not used again, and they reach nobody."""
    net.ask()
    got = net.flow(BODY[1000:] + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
    assert got.endswith(BODY)
    assert net.world.upstreams[0].idle == 0
    assert net.app.below.closing


def test_pipelined_requests(net: Net) -> None:
    """The next request, which came meanwhile, is answered behind it."""
    net.ask(GET + GET)
    assert net.flow(BODY[1000:]).endswith(BODY)
    net.app.below.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
    assert net.client.read().endswith(b"\r\n\r\nnext")


def test_a_client_that_leaves(net: Net) -> None:
    """The app's connection is given up, and the log says how far it came."""
    net.ask()
    net.app.socket.send(BODY[1000:50_000])
    net.loop.poll()
    net.client.below.abort()
    assert net.app.below.closing
    assert net.logged == [(50_000, ClientDisconnected)]


def test_a_client_that_stalls(net: Net) -> None:
    """It is cut in the end, and one that goes on reading before that is not; the app is not blamed."""
    net.ask()
    sent = 0
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            sent += net.app.socket.send(BODY[1000 + sent :])
        net.loop.poll()
    assert not net.loop.readers
    net.world.wait(55)
    assert net.client.socket.recv(200_000)
    net.loop.poll()
    net.world.wait(55)
    assert net.logged == []
    net.world.wait(10)
    assert [error for _, error in net.logged] == [ClientTimeout]
    assert net.app.below.closing


def test_an_app_that_stalls(net: Net) -> None:
    """It is cut in the end, and one that goes on sending before that is not."""
    net.ask()
    net.world.wait(55)
    net.app.socket.send(BODY[1000:2000])
    net.loop.poll()
    net.world.wait(55)
    assert net.logged == []
    net.world.wait(10)
    assert net.logged == [(2000, ResponseStalled)]
    assert net.client.below.closing


def test_an_app_that_dies(net: Net) -> None:
    """Its end is found by the connection itself, and the client cannot take the content for whole."""
    net.ask()
    net.app.socket.send(BODY[1000:2000])
    net.app.socket.shutdown(socket.SHUT_WR)
    net.loop.poll()
    net.loop.poll()
    assert net.app.below.reading
    net.app.transport.eof_received()
    assert net.logged == [(2000, ResponseIncomplete)]
    assert net.client.below.closing


def test_a_bug_at_the_end(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange that cannot be ended leaves no pipe in use, and the gateway goes on."""

    def broken(_request: object) -> None:
        raise ValueError("bug")

    net.ask()
    with monkeypatch.context() as patch:
        patch.setattr(net.world.log, "exchange_finished", broken)
        net.flow(BODY[1000:])
    assert len(net.pipes) == 0
    net.client = net.connect_client()
    net.ask()
    assert net.flow(BODY[1000:]).endswith(BODY)


def test_leaves_that_stand_between(net: Net) -> None:
    """What only looks at heads, and what collected the request, is no obstacle."""
    world = net.world
    proxy = ProxyResource(
        Balancer(world.upstreams),
        clock=world.now,
        via=Via("gw"),
        sockets=world.sockets,
        intercept=(503,),
        hand_over=lambda request, sink: HandOver(request, sink, "/nowhere", None),  # type: ignore[arg-type]  # unused
    )
    world.location.leaf = SpoolResource(proxy, ByteCount(1_000_000), world.clock)
    net.ask(b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\nup")
    assert len(net.pipes) == 1
    assert net.flow(BODY[1000:]).endswith(BODY)


def test_an_answer_that_is_replaced(net: Net) -> None:
    """Content that nobody gets is not moved anywhere."""
    world = net.world
    world.location.leaf = ProxyResource(
        Balancer(world.upstreams), clock=world.now, via=Via("gw"), sockets=world.sockets, intercept=(200,)
    )
    net.ask()
    assert len(net.pipes) == 0
    assert net.client.read().startswith(b"HTTP/1.1 503 ")


def test_a_refused_websocket(net: Net) -> None:
    """A large answer to a handshake passes by like any other."""
    net.ask(
        b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert len(net.pipes) == 1
    assert net.flow(BODY[1000:]).endswith(BODY)
