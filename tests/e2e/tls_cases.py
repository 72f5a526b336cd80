"""What TLS to upstreams must do, whichever transports carry it; run by `run_cases.py`."""

from __future__ import annotations

import hashlib

from endpoint_peers import PIECE, Echo, Pair, Peer, Pushing, at_rest, case, failure_of, until
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from gateway.net.endpoints import client_endpoint, write_buffer_size
from gateway.net.tls_client import UpstreamTLS
from tests.support.certificates import Authority, ServerContext
from tests.support.waiting import PATIENCE


class TLSPair(Pair):
    """A TLS listener with a certificate of `authority`."""

    def __init__(self, certificate: ServerContext, protocol: type[Peer] = Echo) -> None:
        super().__init__(protocol, lambda factory: TLSMemoryBIOFactory(certificate, False, factory))

    async def through(self, tls: UpstreamTLS) -> Peer:
        endpoint = client_endpoint(reactor, **self.target, tls=tls, timeout=PATIENCE)
        return await endpoint.connect(Factory.forProtocol(Peer))

    async def talk(self, tls: UpstreamTLS) -> list[str]:
        try:
            peer = await self.through(tls)
        except Exception as problem:
            host, port, path = (self.target.get(key) for key in ("host", "port", "path"))
            where = f"unix:{path}" if path else f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
            return [type(problem).__name__, str(problem).replace(where, "TARGET")]
        peer.transport.write(b"hello")
        answer = await peer.after(5)
        peer.transport.loseConnection()
        await peer.lost
        return [answer.decode()]


@case
async def tls_certificates() -> object:
    authority, stranger = Authority("ca.example"), Authority("stranger.example")
    seen: dict[str, object] = {}
    good = UpstreamTLS(server_name="app.example", ca=authority.pem)
    both = UpstreamTLS(server_name="app.example", ca=stranger.pem + authority.pem)
    for name, certificate, tls in [
        ("good", authority.issue("app.example"), good),
        ("two roots", authority.issue("app.example"), both),
        ("wildcard", authority.issue("*.apps.example"), UpstreamTLS(server_name="a.apps.example", ca=authority.pem)),
        ("wide wildcard", authority.issue("*.example"), good),
        ("wrong name", authority.issue("other.example"), good),
        ("no name", authority.issue(), good),
        ("address", authority.issue("127.0.0.1"), UpstreamTLS(server_name="127.0.0.1", ca=authority.pem)),
        ("wrong address", authority.issue("127.0.0.2"), UpstreamTLS(server_name="127.0.0.1", ca=authority.pem)),
        ("expired", authority.issue("app.example", days=(-9, -1)), good),
        ("not yet", authority.issue("app.example", days=(2, 9)), good),
        ("unknown authority", stranger.issue("app.example"), good),
        ("system roots", authority.issue("app.example"), UpstreamTLS(server_name="app.example")),
        ("self-signed", Authority("app.example").own, good),
        ("unchecked", stranger.issue("other.example"), UpstreamTLS(server_name="app.example", verify=False)),
    ]:
        pair = TLSPair(certificate)
        seen[name] = await pair.talk(tls)
        await pair.service.stopService()
    return seen


@case
async def tls_transfer() -> object:
    authority = Authority("ca.example")
    pair = TLSPair(authority.issue("app.example"), Peer)
    client = await pair.through(UpstreamTLS(server_name="app.example", ca=authority.pem))
    await until(lambda: pair.servers)
    server = pair.servers[0]
    client.transport.pauseProducing()
    producer = Pushing(server.transport, 320)
    await at_rest(lambda: (producer.left, write_buffer_size(server.transport)))
    stalled, size = producer.paused, write_buffer_size(server.transport) > 0
    client.transport.resumeProducing()
    await client.lost
    await pair.service.stopService()
    wanted = hashlib.sha256(PIECE * 320).hexdigest()
    return [stalled, size, producer.most < 500_000, client.count, client.hash.hexdigest() == wanted]


@case
async def tls_without_tls() -> object:
    """The upstream speaks plain text, says nothing, or goes away."""
    seen = []
    tls = UpstreamTLS(server_name="app.example")
    for protocol, timeout in ((Echo, PATIENCE), (Peer, 0.3), (Leaving, PATIENCE)):
        pair = Pair(protocol)
        endpoint = client_endpoint(reactor, **pair.target, tls=tls, timeout=timeout)
        seen.append((await failure_of(endpoint.connect(Factory.forProtocol(Peer))))[0])
        await pair.service.stopService()
        for server in pair.servers:
            await server.lost
    pair = Pair(Peer)
    connecting = client_endpoint(reactor, **pair.target, tls=tls, timeout=PATIENCE).connect(Factory.forProtocol(Peer))
    await until(lambda: pair.servers)
    connecting.cancel()
    seen.append((await failure_of(connecting))[0])
    await pair.service.stopService()
    return seen


class Leaving(Peer):
    def connectionMade(self) -> None:
        self.transport.loseConnection()
