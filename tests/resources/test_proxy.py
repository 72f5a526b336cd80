"""What the proxy sends upstream, by its settings; whole exchanges are tested in tests/exchange."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.http.forwarding import Via
from gateway.resources.proxy import ProxyResource
from gateway.upstream.balancer import Balancer
from tests.support.transports import World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Edits:
    def apply(self, block: bytes, known: int) -> bytes:
        return block + b"X-Edited: %d\r\n" % block.count(b"X-Edited")


class BrokenEdits:
    def apply(self, block: bytes, known: int) -> bytes:
        raise RuntimeError


def sent(target: bytes = b"/", fields: bytes = b"", upstream_host: bytes = b"", **settings: Any) -> bytes:
    """Send a request through a proxy with these settings, and give what reached the upstream."""
    world = World()
    world.upstreams[0].host = upstream_host
    world.location.leaf = ProxyResource(
        Balancer(world.upstreams), clock=world.now, via=Via("gw"), sockets=world.sockets, **settings
    )
    world.client().receive(b"GET " + target + b" HTTP/1.1\r\nHost: example.com\r\n" + fields + b"\r\n")
    return world.endpoint.last.take()


def test_plain() -> None:
    """Method, target, host and end-to-end fields go as they came; hop-by-hop fields do not."""
    head = sent(b"/a/../b?c=%20", b"Accept: */*\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n")
    assert head.startswith(b"GET /a/../b?c=%20 HTTP/1.1\r\nHost: example.com\r\n")
    assert b"Accept: */*\r\n" in head
    for name in (b"Connection", b"X-Hop", b"Keep-Alive", b"Forwarded: ", b"X-Request-Start", b"X-Forwarded-Prefix"):
        assert b"\r\n" + name not in head


def test_host() -> None:
    """An upstream may want a Host of its own; the client's goes into X-Forwarded-Host."""
    head = sent(upstream_host=b"app.internal")
    assert b"\r\nHost: app.internal\r\n" in head
    assert b"\r\nX-Forwarded-Host: example.com\r\n" in head
    assert head.count(b"\r\nHost:") == 1


@pytest.mark.parametrize(
    ("target", "expected"), [(b"/api/x?y", b"/x?y"), (b"/api", b"/"), (b"/api/", b"/"), (b"/api?y", b"/?y")]
)
def test_prefix(target: bytes, expected: bytes) -> None:
    """A stripped prefix is told to the app."""
    head = sent(target, prefix=b"/api")
    assert head.startswith(b"GET " + expected + b" HTTP/1.1\r\n")
    assert b"\r\nX-Forwarded-Prefix: /api\r\n" in head


def test_optional_fields() -> None:
    """Forwarded and X-Request-Start are sent where they are asked for."""
    head = sent(forwarded=True, request_start=lambda: b"X-Request-Start: t=1\r\n")
    assert b"\r\nForwarded: for=203.0.113.9" in head
    assert b"\r\nX-Request-Start: t=1\r\n" in head


def test_edits() -> None:
    """Edits are applied in order."""
    head = sent(edits=(Edits(), Edits()))
    assert b"X-Edited: 0\r\nX-Edited: 1\r\n" in head


def test_via() -> None:
    """Who passed the request on before stays in Via."""
    assert b"\r\nVia: 1.0 other, 1.1 gw\r\n" in sent(fields=b"Via: 1.0 other\r\n")


@pytest.mark.parametrize("reused", [False, True])
def test_a_bug_while_sending(reused: bool) -> None:
    """A bug in making the request is answered 500 and loses neither lease nor connection."""
    world = World()
    client = world.client()
    if reused:
        client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
        world.endpoint.last.receive(OK)
        client.take()
    world.location.leaf = ProxyResource(
        Balancer(world.upstreams), clock=world.now, via=Via("gw"), sockets=world.sockets, edits=(BrokenEdits(),)
    )
    client.receive(b"PUT / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\no")
    assert client.take().startswith(b"HTTP/1.1 500 ")
    assert world.upstreams[0].in_flight == 0
    assert world.upstreams[0].idle == len(world.endpoint.accepted)
    assert len(world.log.finished) == (2 if reused else 1)
