"""Answers of an app that the maintenance page stands in for."""

from __future__ import annotations

import pytest

from gateway.http.forwarding import Via
from gateway.resources.proxy import ProxyResource
from gateway.upstream.balancer import Balancer
from tests.support.transports import World


def world() -> World:
    made = World()
    made.location.leaf = ProxyResource(
        Balancer(made.upstreams), clock=made.now, via=Via("gw"), sockets=made.sockets, intercept=(502, 503)
    )
    return made


def ask(made: World, answer: bytes) -> bytes:
    client = made.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    made.endpoint.last.receive(answer)
    return client.take()


@pytest.mark.parametrize(
    "content",
    [
        b"Content-Length: 6\r\n\r\nbroken",
        b"Content-Length: 60\r\n\r\nbroken",
        b"Transfer-Encoding: chunked\r\n\r\n6\r\nbroken\r\n0\r\nX-Trailer: 1\r\n\r\n",
    ],
)
def test_a_status_is_replaced(content: bytes) -> None:
    """The app's own page never reaches the client, whole or not; the log tells which status it was."""
    made = world()
    got = ask(made, b"HTTP/1.1 502 Bad Gateway\r\n" + content)
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"X-Gateway-Reason: upstream_status_502\r\n" in got
    assert b"broken" not in got
    assert got.count(b"HTTP/1.1") == 1
    assert made.log.finished[0].error is not None
    assert made.log.finished[0].error.reason == "upstream_status_502"


def test_all_else_passes() -> None:
    """Other statuses, informational answers and trailers are the app's."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    got = ask(world(), early + b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX: y\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 103 Early Hints\r\n")
    assert b"HTTP/1.1 500 Oops" in got
    assert b"2\r\nno\r\n0\r\n" in got


def test_without_the_setting_the_apps_errors_are_its_own() -> None:
    """An app's 503 is passed on as it came."""
    got = ask(World(), b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")
    assert got.startswith(b"HTTP/1.1 503 Busy\r\n")
    assert got.endswith(b"busy")


def test_a_lost_answer_is_still_an_error() -> None:
    """What goes wrong before a status fails as ever, and content flows both ways."""
    made = world()
    client = made.client()
    client.receive(b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\nab")
    made.endpoint.last.stall()
    made.endpoint.last.drain()
    client.receive(b"cd")
    made.endpoint.last.lose()
    assert client.take().startswith(b"HTTP/1.1 503 ")
