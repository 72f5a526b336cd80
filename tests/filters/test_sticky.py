"""Set-Cookie of sticky sessions."""

from __future__ import annotations

import pytest

from gateway.filters.sticky import StickyFilter
from gateway.upstream.sticky import StickyCookie, StickyKey
from tests.support.transports import World

NAMES = ("127.0.0.1:4000", "127.0.0.1:4001")
COOKIE = StickyCookie(StickyKey(b"k" * 32), "example.com", NAMES)


def answer(app: bytes, cookie: bytes = b"") -> bytes:
    """Let the first upstream answer a request with this cookie."""
    world = World(filters=(StickyFilter(COOKIE),))
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n%b\r\n" % cookie)
    world.endpoint.last.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%b\r\n" % app)
    return client.take()


def cookie(name: str) -> bytes:
    return COOKIE.field(name, secure=False)


def test_a_new_client_learns_who_answered() -> None:
    """Beside the app's own cookies."""
    lines = answer(b"Set-Cookie: a=b\r\n").split(b"\r\n")
    assert b"Set-Cookie: a=b" in lines
    assert b"Set-Cookie: " + cookie(NAMES[0]) in lines


def test_only_who_does_not_know_it() -> None:
    """A client that was there is told nothing, one that was elsewhere is told anew."""
    assert b"Set-Cookie" not in answer(b"", b"Cookie: " + cookie(NAMES[0]) + b"\r\n")
    assert cookie(NAMES[0]) in answer(b"", b"Cookie: " + cookie(NAMES[1]) + b"\r\n")


@pytest.mark.parametrize(
    ("directives", "told"),
    [
        (b"private, max-age=60", True),
        (b"max-age=0, private, must-revalidate", True),
        (b"x=public", True),
        (b"Public, max-age=31536000, immutable", False),
        (b"max-age=5,s-maxage=60", False),
    ],
)
def test_answers_for_everybody_name_nobody(directives: bytes, told: bool) -> None:
    """What a shared cache may keep would bring all its clients to one upstream."""
    assert (b"Set-Cookie" in answer(b"Cache-Control: " + directives + b"\r\n")) is told


def test_errors_name_nobody() -> None:
    """An upstream that failed is not what a client should come back to."""
    world = World(filters=(StickyFilter(COOKIE),))
    world.endpoint.refuse()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    error = client.take()
    assert error.startswith(b"HTTP/1.1 503 ")
    assert b"Set-Cookie" not in error
