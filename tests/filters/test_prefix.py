"""Responses of an app below a stripped prefix."""

from __future__ import annotations

import pytest

from gateway.filters.prefix import PrefixFilter
from gateway.web.request import Request
from tests.support.streams import FakeRuntime, RecordingStream, Reply, exchange, get, location, response_head


def rewritten(line: bytes, host: bytes = b"example.com", prefix: str = "/shop") -> bytes:
    """One field line of an app as the client sees it."""
    head = response_head(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nX-A: 1\r\n" + line + b"\r\nX-B: 2\r\n")
    request = Request(RecordingStream(), get(b"/shop/a", host=host), FakeRuntime(), location())
    PrefixFilter(prefix).on_response(request, head)
    assert head.fields.startswith(b"X-A: 1\r\n")
    assert head.fields.endswith(b"\r\nX-B: 2\r\n")
    return head.fields.removeprefix(b"X-A: 1\r\n").removesuffix(b"\r\nX-B: 2\r\n")


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (b"/login", b"/shop/login"),
        (b"/", b"/shop/"),
        (b"/a?b=/c#d", b"/shop/a?b=/c#d"),
        (b"http://example.com/a", b"http://example.com/shop/a"),
        (b"https://EXAMPLE.com:443/a?b", b"https://EXAMPLE.com:443/shop/a?b"),
        (b"http://example.com", b"http://example.com/shop/"),
        (b"http://example.com?a", b"http://example.com/shop/?a"),
        (b"//example.com/a", b"//example.com/shop/a"),
        (b"/shop", b"/shop"),
        (b"/shop/a", b"/shop/a"),
        (b"/shopping", b"/shop/shopping"),
        (b"a/b", b"a/b"),
        (b"../b", b"../b"),
        (b"?page=2", b"?page=2"),
        (b"", b""),
        (b"//evil.com/a", b"//evil.com/a"),
        (b"https://other.com/a", b"https://other.com/a"),
        (b"http://example.com:8080/a", b"http://example.com:8080/a"),
        (b"http://example.com@evil.com/", b"http://example.com@evil.com/"),
        (b"mailto:a@example.com", b"mailto:a@example.com"),
    ],
)
@pytest.mark.parametrize("name", [b"Location", b"content-location"])
def test_locations(name: bytes, sent: bytes, seen: bytes) -> None:
    """Paths and the site's own URLs get the prefix once; relative references and other hosts stay."""
    assert rewritten(name + b": " + sent) == name + b": " + seen


def test_a_host_with_a_port() -> None:
    """The authority that the client used is the site's own, port included."""
    assert rewritten(b"Location: http://example.com:81/a", b"example.com:81").endswith(b":81/shop/a")


def test_a_prefix_that_needs_escapes() -> None:
    """What is written into a field is percent-encoded."""
    assert rewritten(b"Location: /a", prefix="/münzen;x") == b"Location: /m%C3%BCnzen%3Bx/a"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (b"a=b; Path=/; HttpOnly", b"a=b; Path=/shop; HttpOnly"),
        (b"a=b;path=/x", b"a=b;path=/shop/x"),
        (b"a=b; Path=/shop/x; Secure", b"a=b; Path=/shop/x; Secure"),
        (b"a=b; HttpOnly", b"a=b; HttpOnly"),
        (b"a=/path=/x; Secure", b"a=/path=/x; Secure"),
        (b"__Host-a=b; Path=/; Secure", b"__Host-a=b; Path=/; Secure"),
    ],
)
def test_cookies(sent: bytes, seen: bytes) -> None:
    """The path of a cookie gets the prefix, but for a `__Host-` cookie, which browsers would then refuse."""
    assert rewritten(b"Set-Cookie: " + sent) == b"Set-Cookie: " + seen


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (b"5; url=/next", b"5; url=/shop/next"),
        (b"0;URL=http://example.com/", b"0;URL=http://example.com/shop/"),
        (b"5", b"5"),
        (b"5; url='/quoted'", b"5; url='/quoted'"),
    ],
)
def test_refresh(sent: bytes, seen: bytes) -> None:
    """The target of Refresh gets the prefix where it stands plainly."""
    assert rewritten(b"Refresh: " + sent) == b"Refresh: " + seen


def test_a_response_without_such_fields_is_untouched() -> None:
    """The octets of other heads are not even copied."""
    head = response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Location: /a\r\n")
    before = head.fields
    request = Request(RecordingStream(), get(b"/shop/a"), FakeRuntime(), location())
    PrefixFilter("/shop").on_response(request, head)
    assert head.fields is before


def test_the_gateways_own_answers_are_left_alone() -> None:
    """A redirect that the gateway itself made names the whole path already."""
    place = location(Reply(302, ((b"Location", b"/other"),)), PrefixFilter("/shop"))
    assert exchange(place, get(b"/shop/a")).get(b"location") == b"/other"
