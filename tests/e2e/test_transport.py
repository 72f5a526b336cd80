"""What a peer sees on the wire when a uvloop connection is closed or cut, and what a look at its descriptor tells."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop
from twisted.internet.protocol import Factory, Protocol

from gateway.net.transport import LoopTransport
from gateway.upstream.exchange import UpstreamConnection
from gateway.upstream.pool import _readable
from tests.support.transports import World
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.e2e


def meet(make: Callable[[], Protocol], act: Callable[[Protocol, socket.socket], object]) -> bytes:
    """Connect a plain socket to a protocol on uvloop, let `act` do something, and read to the end."""
    made: list[Protocol] = []

    class Making(Factory):
        def buildProtocol(self, addr: object) -> Protocol:
            made.append(make())
            return made[-1]

    async def run(loop: asyncio.AbstractEventLoop) -> bytes:
        listener = socket.create_server(("127.0.0.1", 0))
        server = await loop.create_server(lambda: LoopTransport(loop, Making()), sock=listener)
        peer = socket.create_connection(listener.getsockname(), PATIENCE)
        try:
            while not made or made[-1].transport is None:
                await asyncio.sleep(0)
            act(made[-1], peer)
            got = b""
            while piece := await loop.run_in_executor(None, peer.recv, 1000):
                got += piece
            return got
        finally:
            peer.close()
            server.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(runner.get_loop()))


def test_close_is_an_orderly_end() -> None:
    """A closed connection delivers all and ends with FIN."""

    def act(protocol: Protocol, peer: socket.socket) -> None:
        protocol.transport.write(b"whole")
        protocol.transport.loseConnection()

    assert meet(Protocol, act) == b"whole"


def test_cut_is_a_reset() -> None:
    """A connection that is cut ends with RST, so that content framed by the close cannot pass for whole."""
    with pytest.raises(ConnectionResetError):
        meet(Protocol, lambda protocol, peer: protocol.transport.abortConnection())


def test_descriptor_tells_of_unread_octets() -> None:
    """The look before reuse sees an end or octets that the loop has not read yet."""
    world = World()
    seen: list[bool] = []

    def act(protocol: Protocol, peer: socket.socket) -> None:
        assert isinstance(protocol, UpstreamConnection)
        seen.append(_readable(protocol))
        peer.shutdown(socket.SHUT_WR)
        seen.append(eventually(lambda: _readable(protocol)))

    meet(lambda: UpstreamConnection(world.upstreams[0]), act)
    assert seen == [False, True]
