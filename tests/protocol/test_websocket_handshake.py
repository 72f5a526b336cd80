"""RFC 6455 §4: the opening handshake."""

from __future__ import annotations

import pytest

from gateway.errors import GatewayError, HTTPError, ResponseInvalid
from gateway.http import fields as field_lines
from gateway.protocol.websocket_handshake import (
    Offer,
    accept_value,
    asks_for_websocket,
    foreign_origin,
    fresh_key,
    read_answer,
    read_offer,
    upstream_fields,
)
from tests.support.streams import get, request_head, response_head

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
UPGRADE = (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket")
GOOD = (*UPGRADE, b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY)


def test_the_example_of_the_rfc_is_read() -> None:
    """Key, subprotocols in order and extension names are found (§1.2, §9.1)."""
    head = get(
        b"/chat",
        *GOOD,
        b"Sec-WebSocket-Protocol: chat, superchat",
        b"Sec-WebSocket-Protocol: base64url.bearer.phx.dG9rZW4",
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other",
    )
    assert asks_for_websocket(head)
    assert read_offer(head) == Offer(
        KEY,
        (b"chat", b"superchat", b"base64url.bearer.phx.dG9rZW4"),
        frozenset((b"permessage-deflate", b"x-other")),
    )


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Upgrade: websocket",),
        (b"Connection: Upgrade",),
        (b"Connection: Upgrade", b"Upgrade: h2c"),
        (b"Connection: close", b"Upgrade: websocket"),
    ],
)
def test_other_requests_do_not_ask_for_a_websocket(lines: tuple[bytes, ...]) -> None:
    """Only Upgrade together with its connection option asks (RFC 9110 §7.8)."""
    assert not asks_for_websocket(get(b"/", *lines))


def test_an_upgrade_that_is_to_be_ignored_is_ignored() -> None:
    """Beside content, or in HTTP/1.0, Upgrade alone means nothing (RFC 9110 §7.8)."""
    assert not asks_for_websocket(get(b"/", *UPGRADE, b"Content-Length: 3", method=b"POST"))
    head = request_head(b"\r\n".join((b"GET / HTTP/1.0", b"Host: a", *UPGRADE, b"")))
    assert not asks_for_websocket(head)


@pytest.mark.parametrize(
    ("section", "head", "status"),
    [
        ("§4.2.1 method", get(b"/", *GOOD, method=b"POST"), 400),
        ("§4.2.1 HTTP/1.0", request_head(b"\r\n".join((b"GET / HTTP/1.0", b"Host: a", *GOOD, b""))), 400),
        ("§4.1 content", get(b"/", *GOOD, b"Content-Length: 3"), 400),
        ("§4.4 version 8", get(b"/", *UPGRADE, b"Sec-WebSocket-Version: 8", b"Sec-WebSocket-Key: " + KEY), 426),
        ("§4.4 no version", get(b"/", *UPGRADE, b"Sec-WebSocket-Key: " + KEY), 426),
        ("§4.4 two versions", get(b"/", *GOOD, b"Sec-WebSocket-Version: 13"), 426),
        ("§4.2.1 no key", get(b"/", *UPGRADE, b"Sec-WebSocket-Version: 13"), 400),
        ("§4.2.1 two keys", get(b"/", *GOOD, b"Sec-WebSocket-Key: " + KEY), 400),
        ("§4.2.1 short key", get(b"/", *UPGRADE, b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: AAAA"), 400),
        ("§4.2.1 no base64", get(b"/", *GOOD[:3], b"Sec-WebSocket-Key: " + b"!" * 22 + b"=="), 400),
        ("§4.1 no token", get(b"/", *GOOD, b"Sec-WebSocket-Protocol: a b"), 400),
        ("§4.1 repeated", get(b"/", *GOOD, b"Sec-WebSocket-Protocol: a, b, a"), 400),
        ("key named by Connection", get(b"/", *GOOD, b"Connection: sec-websocket-key"), 400),
    ],
)
def test_broken_handshakes_are_refused(section: str, head, status: int) -> None:  # type: ignore[no-untyped-def]
    """What RFC 6455 §4 forbids gets its 4xx, and 426 says which version is spoken."""
    assert asks_for_websocket(head)
    with pytest.raises(GatewayError) as caught:
        read_offer(head)
    assert caught.value.status == status, section
    if status == 426:
        assert isinstance(caught.value, HTTPError)
        assert (b"Sec-WebSocket-Version", b"13") in caught.value.fields
        assert (b"Upgrade", b"websocket") in caught.value.fields


def test_only_the_key_is_replaced_upstream() -> None:
    """The client's lines keep order, case and octets; the key in its place is fresh (§4.1)."""
    block = (
        b"Cookie: a=1; b=\xff\r\nSEC-websocket-KEY:  " + KEY + b"\r\nX-Note: Sec-WebSocket-Key: " + KEY + b"\r\n"
        b"Sec-WebSocket-Protocol: b, a\r\nOrigin: https://example.com\r\n"
    )
    fresh = b"AAAAAAAAAAAAAAAAAAAAAA=="
    assert upstream_fields(block, fresh) == block.replace(KEY, fresh, 1)


def test_the_key_of_the_rfc_is_made_and_answered() -> None:
    """Octets and key of §1.3 and §4.1 give its accept value."""
    assert fresh_key(b"the sample nonce") == KEY
    assert accept_value(KEY) == ACCEPT


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
SWITCH = SWITCHING + b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n"
OFFER = Offer(KEY, (b"a", b"b"), frozenset((b"permessage-deflate",)))


@pytest.mark.parametrize(
    ("lines", "extended"),
    [
        (b"", False),
        (b"Sec-WebSocket-Protocol: b\r\n", False),
        (b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n", True),
        (b"Set-Cookie: a=\x85\r\n", False),
    ],
)
def test_what_was_offered_may_be_agreed(lines: bytes, extended: bool) -> None:
    """A 101 may choose among what the client offered (§4.1); an extension is noted."""
    assert read_answer(response_head(SWITCH + lines), OFFER, KEY) is extended


@pytest.mark.parametrize(
    "data",
    [
        SWITCH + b"Sec-WebSocket-Protocol: c\r\n",
        SWITCH + b"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
        SWITCH + b"Sec-WebSocket-Protocol: a, b\r\n",
        SWITCH + b"Sec-WebSocket-Protocol: \r\n",
        SWITCH + b"Sec-WebSocket-Extensions: x-unknown\r\n",
        SWITCH + b"Sec-WebSocket-Extensions: permessage-deflate, x-unknown\r\n",
        SWITCH.replace(b"WebSocket", b"h2c", 1),
        SWITCH.replace(b"Upgrade: WebSocket\r\n", b""),
        SWITCH.replace(b"Connection: upgrade\r\n", b""),
        SWITCH.replace(b"upgrade", b"keep-alive"),
    ],
)
def test_a_101_that_agrees_to_what_was_not_offered_is_invalid(data: bytes) -> None:
    """A client would have to fail such a connection, so the gateway does (§4.1)."""
    with pytest.raises(ResponseInvalid):
        read_answer(response_head(data), OFFER, KEY)


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Sec-WebSocket-Accept: \r\n",
        b"Sec-WebSocket-Accept: " + ACCEPT[:-2] + b"\x85=\r\n",
        b"Sec-WebSocket-Accept: " + ACCEPT.lower() + b"\r\n",
        b"Sec-WebSocket-Accept: " + accept_value(b"AAAAAAAAAAAAAAAAAAAAAA==") + b"\r\n",
        b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n",
    ],
)
def test_a_101_that_does_not_answer_the_key_once_is_invalid(lines: bytes) -> None:
    """Whoever answers another key, or twice, is no WebSocket server (§4.1)."""
    with pytest.raises(ResponseInvalid):
        read_answer(response_head(SWITCHING + lines), OFFER, KEY)


NAMES = frozenset(("example.com", "www.example.com", "*.example.org"))


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        (b"https://example.com", None),
        (b"http://WWW.example.com:8080", None),
        (b"https://a.example.org", None),
        (b"https://a.b.example.org", "https://a.b.example.org"),
        (b"https://other.example", "https://other.example"),
        (b"http://localhost:4000", "http://localhost:4000"),
        (b"null", None),
        (b"https://evil.example/path\xff", None),
    ],
)
def test_an_origin_that_is_none_of_the_sites_names_is_found(origin: bytes, found: str | None) -> None:
    """Ports do not matter, wildcards stand for one label, and malformed origins are not repeated."""
    assert foreign_origin(get(b"/", b"Origin: " + origin), NAMES) == found


def test_a_request_without_origin_has_no_foreign_one() -> None:
    """Clients other than browsers send none."""
    assert foreign_origin(get(b"/"), NAMES) is None


def test_fields_that_are_not_ascii_survive() -> None:
    """The block that goes upstream is bytes throughout."""
    block = b"X-Name: \xe9\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
    assert field_lines.get(upstream_fields(block, KEY), b"x-name") == b"\xe9"
