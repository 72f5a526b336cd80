"""The demo app behind the real gateway, asked by a raw client."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.raw_http import RawHTTP
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e


def test_app_is_told_who_asked(start_gateway: StartGateway, demo: Upstream) -> None:
    """The app sees the client's host and target unchanged, and the forwarded fields of the gateway."""
    gateway = start_gateway({"app.test": f"phoenix = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        answer = client.get("/headers?a=%20b&&c", f"app.test:{gateway.port}", "X-Forwarded-For: 192.0.2.1")
    assert answer.status == 200
    received = json.loads(answer.body)
    fields = {name.lower(): value for name, value in received["fields"]}
    assert received["target"] == "/headers?a=%20b&&c"
    assert fields["host"] == f"app.test:{gateway.port}"
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "http"
    assert len(fields["x-request-id"]) >= 20


def test_connection_serves_many_requests(start_gateway: StartGateway, demo: Upstream) -> None:
    """One connection carries requests of every kind, one after the other."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        for status in (200, 404, 503, 301):
            assert client.get(f"/status/{status}", "app.test").status == status
        assert client.post("/echo", "app.test", b"hello\x00world").body == b"hello\x00world"
        assert client.get("/bytes/70000", "app.test").body == (bytes(range(256)) * 274)[:70000]


def test_upload_arrives_whole(start_gateway: StartGateway, demo: Upstream) -> None:
    """A body in either framing reaches the app byte for byte."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    body = bytes(range(256)) * 4096
    expected = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    with RawHTTP(gateway.port) as client:
        assert json.loads(client.post("/size", "app.test", body).body) == expected
        client.send(b"POST /size HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 100_000):
            part = body[start : start + 100_000]
            client.send(b"%x\r\n%b\r\n" % (len(part), part))
        client.send(b"0\r\n\r\n")
        assert json.loads(client.answer().body) == expected


def test_fifty_megabytes_each_way(start_gateway: StartGateway, demo: Upstream) -> None:
    """50 MB go up and down byte for byte, and the gateway never holds more than a fraction of them."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    pattern = bytes(range(256)) * 200
    expected = hashlib.sha256()
    for _ in range(1000):
        expected.update(pattern)
    with RawHTTP(gateway.port) as client:
        before = gateway.process.peak_memory()
        client.send(b"POST /size HTTP/1.1\r\nHost: app.test\r\nContent-Length: 51200000\r\n\r\n")
        for _ in range(1000):
            client.send(pattern)
        assert json.loads(client.answer().body) == {"bytes": 51_200_000, "sha256": expected.hexdigest()}
        body = client.get("/bytes/51200000", "app.test").body
    assert hashlib.sha256(body).digest() == expected.digest()
    assert gateway.process.peak_memory() - before < 15_000_000


def test_events_are_not_held_back(start_gateway: StartGateway, demo: Upstream) -> None:
    """The first server-sent event arrives while the app still waits to send the second."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        client.send(b"GET /events?count=2&every=60000 HTTP/1.1\r\nHost: app.test\r\n\r\n")
        received = b""
        while b"event 1 of 2" not in received:
            data = client.socket.recv(65536)
            assert data, received
            received += data
    assert b"text/event-stream" in received


def test_unknown_host_is_not_served(start_gateway: StartGateway, demo: Upstream) -> None:
    """A name without a site file is answered 404, and never with some other site."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        answer = client.get("/", "other.test")
    assert answer.status == 404
    assert b"Demo app" not in answer.body


def test_request_without_host_is_refused(start_gateway: StartGateway, demo: Upstream) -> None:
    """HTTP/1.1 without Host is answered 400 and the connection ends."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.answer().status == 400
        assert client.closed()


def test_app_that_is_away(start_gateway: StartGateway) -> None:
    """A refused upstream is answered 503 with Retry-After, in the client's own language."""
    gateway = start_gateway({"app.test": "proxy = 1"})
    with RawHTTP(gateway.port) as client:
        page = client.get("/", "app.test", "Accept: text/html")
        plain = client.get("/", "app.test", "Accept: application/json")
    assert page.status == 503
    assert page.field(b"retry-after")
    assert (page.field(b"content-type") or b"").startswith(b"text/html")
    assert (plain.field(b"content-type") or b"").startswith(b"application/json")
