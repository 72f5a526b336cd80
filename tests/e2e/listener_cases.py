"""What TLS listeners must do, whichever transports carry them; run by `run_cases.py`."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
import sys

from endpoint_peers import (
    PIECE,
    Broken,
    BrokenStart,
    Echo,
    HalfCloseable,
    Pair,
    Peer,
    Pulled,
    Pushing,
    at_rest,
    case,
    until,
)
from twisted.internet import reactor
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread
from zope.interface import implementer

from gateway.net.endpoints import client_endpoint, write_buffer_size
from gateway.net.listeners import parse_listen
from gateway.net.listening import ListenerService
from gateway.net.tls_client import UpstreamTLS
from gateway.tls.sni import ServerNames
from tests.support.certificates import Authority
from tests.support.waiting import PATIENCE

_SHORT_HELLO = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"
AUTHORITY = Authority("ca.example")
WANTED = hashlib.sha256(PIECE * 320).hexdigest()


class Secure(Pair):
    """A TLS listener that knows `app.example`."""

    def __init__(self, protocol: type[Peer] = Peer) -> None:
        self.servers: list[Peer] = []

        def build() -> Peer:
            self.servers.append(protocol())
            return self.servers[-1]

        self.factory = Factory.forProtocol(build)
        self.factory.noisy = False
        names = ServerNames()
        names.put("app.example", AUTHORITY.certified("app.example"))
        self.service = ListenerService(reactor, parse_listen(sys.argv[2]), self.factory, "cases: https", names)
        self.service.privilegedStartService()
        self.service.startService()

    async def connect(self, protocol: type[Peer] = Peer) -> Peer:
        tls = UpstreamTLS(server_name="app.example", ca=AUTHORITY.pem)
        endpoint = client_endpoint(reactor, **self.target, tls=tls, timeout=PATIENCE)
        return await endpoint.connect(Factory.forProtocol(protocol))


@implementer(IHandshakeListener)
class Listening(Peer):
    """Writes before the handshake and after it."""

    def connectionMade(self) -> None:
        self.transport.write(b"before ")
        super().connectionMade()

    def handshakeCompleted(self) -> None:
        self.transport.write(self.transport.getHandle().get_servername())


@case
async def secure_echo() -> object:
    pair = Secure(Echo)
    client, server = await pair.both()
    client.transport.write(b"hello")
    answer = await client.after(5)
    client.transport.loseConnection()
    reason = await server.lost
    await client.lost
    for late in ("loseConnection", "abortConnection", "pauseProducing", "resumeProducing"):
        getattr(server.transport, late)()
    server.transport.write(b"late")
    await pair.service.stopService()
    return [answer.decode(), reason]


@case
async def secure_handshake() -> object:
    pair = Secure(Listening)
    client = await pair.connect()
    answer = await client.after(18)
    client.transport.abortConnection()
    await pair.servers[0].lost
    await pair.service.stopService()
    return answer.decode()


@case
async def secure_back_pressure() -> object:
    pair = Secure()
    client, server = await pair.both()
    client.transport.pauseProducing()
    producer = Pushing(server.transport, 320)
    await at_rest(lambda: (producer.left, write_buffer_size(server.transport)))
    stalled, size = producer.paused, write_buffer_size(server.transport) > 0
    client.transport.resumeProducing()
    await client.lost
    await pair.service.stopService()
    return [stalled, size, producer.most < 300_000, client.count, client.hash.hexdigest() == WANTED]


@case
async def secure_pause() -> object:
    """What a server does not read must stay with the client."""
    pair = Secure()
    client, server = await pair.both()
    server.transport.pauseProducing()
    producer = Pushing(client.transport, 320)
    await at_rest(lambda: (producer.left, server.count))
    before, stalled = server.count, producer.paused
    server.transport.resumeProducing()
    await server.after(len(PIECE) * 320)
    await server.lost
    await pair.service.stopService()
    return [before < 10_000_000, stalled, server.count, server.hash.hexdigest() == WANTED]


@case
async def secure_pull_producer() -> object:
    pair = Secure()
    client, server = await pair.both()
    producer = Pulled(server.transport, 50)
    await client.lost
    await pair.service.stopService()
    return [client.count, producer.most < 300_000]


@case
async def secure_end() -> object:
    """A server that closes is heard to do so by close_notify, after all that it wrote."""
    seen = []
    for half in (True, False):
        pair = Secure()
        reading = deferToThread(_read_all, pair)
        await until(lambda pair=pair: pair.servers and pair.servers[0].count)
        server = pair.servers[0]
        server.transport.write(b"x" * 3_000_000)
        if half:
            server.transport.loseWriteConnection()
        else:
            server.transport.loseConnection()
        seen.append(await reading)
        await server.lost
        await pair.service.stopService()
    return seen


def _read_all(pair: Secure) -> list[object]:
    with pair.raw() as plain:
        client = _context().wrap_socket(plain, server_hostname="app.example", suppress_ragged_eofs=False)
        client.sendall(b"question")
        count = 0
        while data := client.recv(65536):
            count += len(data)
        client.close()
    return [count, "close_notify"]


@case
async def secure_abort() -> object:
    """A connection that is cut, on either side, is no orderly end."""
    pair = Secure()  # which writes nothing: uvloop tells of a reset behind unread octets only once
    client, server = await pair.both()
    server.transport.abortConnection()
    reasons = [await client.lost != "ConnectionDone"]
    await server.lost
    await deferToThread(_reset, pair)
    await until(lambda: len(pair.servers) == 2)
    reasons.append(await pair.servers[1].lost != "ConnectionDone")
    await pair.service.stopService()
    return reasons


def _reset(pair: Secure) -> None:
    with pair.raw() as plain:
        client = _context().wrap_socket(plain, server_hostname="app.example")
        client.sendall(b"question")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


@case
async def secure_half_close() -> object:
    pair = Secure(HalfCloseable)
    client, server = await pair.both()
    client.transport.write(b"question")
    client.transport.loseConnection()
    await client.lost
    reason = await server.lost
    await pair.service.stopService()
    return reason


@case
async def secure_broken_protocols() -> object:
    seen = []
    for protocol in (Broken, BrokenStart):
        pair = Secure(protocol)
        try:
            client = await pair.connect()
        except Exception:
            seen.append(True)
        else:
            client.transport.write(b"hello")
            seen.append(await client.lost != "")
        await pair.service.stopService()
    return seen


@case
async def secure_strangers() -> object:
    """Plain HTTP is told so; anything else that is no TLS, and unknown names, leave without a word or by an alert."""
    pair = Secure()
    strange = (b"GET / HTTP/1.1\r\nHost: app.example\r\n\r\n", b"\x00\x01\x02", _SHORT_HELLO, b"")
    seen: list[object] = [(await deferToThread(_send, pair, octets))[:12].hex(" ", -4) for octets in strange]
    seen.append(await deferToThread(_refusal, pair, "other.example"))
    await until(lambda: all(server.lost.called for server in pair.servers))
    seen.append(len(pair.servers))
    await pair.service.stopService()
    return seen


def _send(pair: Secure, octets: bytes) -> bytes:
    got = b""
    with pair.raw() as plain:
        plain.sendall(octets)
        if not octets:
            plain.shutdown(socket.SHUT_WR)
        try:
            while data := plain.recv(65536):
                got += data
        except ConnectionResetError:
            pass
    return got


def _refusal(pair: Secure, name: str) -> str:
    with pair.raw() as plain:
        try:
            _context().wrap_socket(plain, server_hostname=name)
        except ssl.SSLError as problem:
            return str(problem.reason)
    return "none"


def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=AUTHORITY.pem.decode())
