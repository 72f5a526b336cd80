"""What endpoints must do, whichever transports they use; run by `run_cases.py`."""

from __future__ import annotations

import hashlib
import select
import socket
import struct
import sys

from endpoint_peers import *
from twisted.internet import reactor
from twisted.internet.protocol import Factory

from gateway.net.addresses import peer_address
from gateway.net.endpoints import client_endpoint, write_buffer_size
from tests.support.waiting import PATIENCE


@case
async def echo() -> object:
    pair = Pair(Echo)
    client, server = await pair.both()
    client.transport.writeSequence([b"hel", b"lo"])
    answer = await client.after(5)
    client.transport.loseConnection()
    reasons = [await client.lost, await server.lost]
    client.transport.write(b"late")
    client.transport.loseConnection()
    client.transport.abortConnection()
    client.transport.pauseProducing()
    await pair.service.stopService()
    return [answer.decode(), reasons, write_buffer_size(client.transport)]


@case
async def addresses() -> object:
    pair = Pair(Echo)
    client, server = await pair.both()
    peer, host = peer_address(server.transport.getPeer()), peer_address(client.transport.getHost())
    tcp = hasattr(server.transport, "getTcpNoDelay") and bool(host.port)
    delays = [side.transport.getTcpNoDelay() for side in (client, server)] if tcp else [True, True]
    client.transport.loseConnection()
    await pair.service.stopService()
    return [peer == host, peer.host, [bool(delay) for delay in delays]]


@case
async def back_pressure() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    client.transport.pauseProducing()
    producer = Pushing(server.transport, 320)
    await at_rest(lambda: producer.left)
    stalled, left = producer.paused, producer.left
    client.transport.resumeProducing()
    await client.lost
    await pair.service.stopService()
    wanted = hashlib.sha256(PIECE * 320).hexdigest()
    bounded = producer.most <= 65536 + 2 * len(PIECE)
    return [stalled, left > 0, bounded, producer.pauses > 0, client.count, client.hash.hexdigest() == wanted]


@case
async def pull_producer() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    producer = Pulled(server.transport, 50)
    await client.lost
    await pair.service.stopService()
    return [client.count, producer.most <= 65536 + 2 * len(PIECE)]


@case
async def producer_is_stopped() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    client.transport.pauseProducing()
    producer = Pushing(server.transport, 320)
    server.transport.abortConnection()
    await server.lost
    late = Pulled(server.transport, 3)
    await pair.service.stopService()
    client.transport.abortConnection()
    return [producer.stopped, late.left]


@case
async def flush_then_close() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    server.transport.write(PIECE * 100)
    server.transport.loseConnection()
    closing = bool(server.transport.disconnecting)
    reasons = [await client.lost, await server.lost]
    await pair.service.stopService()
    return [closing, client.count, client.hash.hexdigest() == hashlib.sha256(PIECE * 100).hexdigest(), reasons]


@case
async def half_close() -> object:
    pair = Pair(HalfCloseable)
    client, server = await pair.both()
    client.transport.write(b"question")
    client.transport.loseWriteConnection()
    reasons = [await client.lost, await server.lost]
    await pair.service.stopService()
    return [bytes(client.read).decode(), reasons]


@case
async def end_of_file() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    client.transport.write(b"question")
    client.transport.loseWriteConnection()
    reasons = [await server.lost, await client.lost]
    await pair.service.stopService()
    return [bytes(server.read).decode(), reasons]


@case
async def abort() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    client.transport.pauseProducing()
    server.transport.write(PIECE * 100)
    server.transport.abortConnection()
    reason = await server.lost
    client.transport.resumeProducing()
    await client.lost
    await pair.service.stopService()
    return [reason, client.count < len(PIECE) * 100]


@case
async def reset_by_peer() -> object:
    pair = Pair(Peer)
    raw = pair.raw()
    await until(lambda: pair.servers and pair.servers[0].made.called)
    if raw.family == socket.AF_UNIX:
        pair.servers[0].transport.write(b"unread")  # closing with unread octets resets a UNIX connection
        await until(lambda: select.select([raw], [], [], 0)[0])
    else:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()
    reason = await pair.servers[0].lost
    await pair.service.stopService()
    return reason


@case
async def broken_protocols() -> object:
    seen = []
    for problem in (ValueError, FileNotFoundError):
        protocol = type("Breaks", (Broken,), {"problem": problem})
        pair = Pair(protocol)
        client, server = await pair.both()
        before = len(logged)
        client.transport.write(b"x")
        seen.append([await server.lost, await client.lost, len(logged) > before])
        await pair.service.stopService()
    return seen


@case
async def broken_start() -> object:
    pair = Pair(BrokenStart)
    before = len(logged)
    client = await pair.connect()
    if sys.argv[1] == "uvloop":  # Twisted's own port leaves such a connection open
        await client.lost
    else:
        await until(lambda: len(logged) > before)
        client.transport.abortConnection()
    await pair.service.stopService()
    return len(logged) > before


@case
async def no_protocol() -> object:
    pair = Pair(Peer)
    pair.factory.buildProtocol = lambda address: None
    client = await pair.connect()
    reason = await client.lost
    await pair.service.stopService()
    return reason


@case
async def other_protocol() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    other = Peer()
    server.transport.protocol = other
    other.makeConnection(server.transport)
    client.transport.write(b"upgraded")
    read = await other.after(8)
    client.transport.loseConnection()
    await other.lost
    await pair.service.stopService()
    return [read.decode(), server.count]


@case
async def pause_reading() -> object:
    pair = Pair(Peer)
    client, server = await pair.both()
    server.transport.pauseProducing()
    client.transport.write(b"held")
    await at_rest(lambda: server.count)
    held = server.count
    server.transport.resumeProducing()
    await server.after(4)
    client.transport.loseConnection()
    await server.lost
    await pair.service.stopService()
    return [held, server.count]


class PausedAtStart(Peer):
    def connectionMade(self) -> None:
        self.transport.pauseProducing()
        super().connectionMade()


@case
async def paused_at_start() -> object:
    pair = Pair(PausedAtStart)
    seen = []
    for ending in ("resumed", "closed"):
        client, server = await pair.both()
        client.transport.write(b"held")
        await at_rest(lambda server=server: server.count)
        seen.append(server.count)
        if ending == "closed":
            client.transport.loseConnection()
            await at_rest(lambda server=server: server.count)
        server.transport.resumeProducing()
        await server.after(4)
        client.transport.loseConnection()
        seen.append([server.count, await server.lost])
        pair.servers.clear()
    await pair.service.stopService()
    return seen


@case
async def stopping() -> object:
    pair = Pair(Echo)
    target = pair.target
    client, server = await pair.both()
    await pair.service.stopService()
    refused = await failure_of(client_endpoint(reactor, **target, timeout=PATIENCE).connect(Factory.forProtocol(Peer)))
    client.transport.write(b"still here")
    answer = await client.after(10)
    client.transport.loseConnection()
    await server.lost
    return [refused[0], answer.decode()]


@case
async def lookup_fails() -> object:
    endpoint = client_endpoint(reactor, host="no-such-host.invalid", port=4000, timeout=PATIENCE)
    return (await failure_of(endpoint.connect(Factory.forProtocol(Peer))))[0]


@case
async def too_slow() -> object:
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fill = []
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(full.getsockname())
        fill.append(sock)
    await until(lambda: select.select([full], [], [], 0)[0])
    port = full.getsockname()[1]
    endpoint = client_endpoint(reactor, host="127.0.0.1", port=port, timeout=0.3)
    late = await failure_of(endpoint.connect(Factory.forProtocol(Peer)))
    patient = client_endpoint(reactor, host="127.0.0.1", port=port, timeout=PATIENCE)
    connecting = patient.connect(Factory.forProtocol(Peer))
    reactor.callLater(0.05, connecting.cancel)
    cancelled = await failure_of(connecting)
    for sock in [full, *fill]:
        sock.close()
    return [late[0], late[1].replace(str(port), "PORT"), cancelled[0]]
