"""The opening handshake: what a client asks, what goes upstream, what may come back (RFC 6455 §4).

Whoever speaks the handshake (Autobahn) gets canonical heads, with nothing in them that could be read in two ways; the
client's and the app's own field lines pass beside it, byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import HTTPError, ProtocolError, ResponseInvalid
from gateway.http import fields as field_lines
from gateway.http.known import CONNECTION, UPGRADE
from gateway.http.message import Framing, RequestHead, ResponseHead


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client's opening handshake asks for.

    Attributes:
        key: Its Sec-WebSocket-Key.
        subprotocols: Names offered, in order; they may carry tokens, so never log them.
        extensions: Names of the extensions offered.
    """

    key: bytes
    subprotocols: tuple[bytes, ...] = ()
    extensions: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an app's 101 agrees to.

    Attributes:
        subprotocol: The one chosen; None where it chose none.
        extended: Whether an extension is in use, which gives the reserved bits a meaning.
    """

    subprotocol: bytes | None
    extended: bool


def asks_for_websocket(head: RequestHead) -> bool:
    """Tell whether a request wants to become a WebSocket, rightly or not.

    An Upgrade that is to be ignored, in HTTP/1.0 or beside content (RFC 9110 §7.8), counts only where the rest of a
    handshake is there.
    """
    if not head.known & UPGRADE or not head.known & CONNECTION:
        return False
    names = [name.lower() for name in head.get_list(b"upgrade")]
    options = [name.lower() for name in head.get_list(b"connection")]
    if b"websocket" not in names or b"upgrade" not in options:
        return False
    return bool(head.upgrade) or b"sec-websocket-" in head.fields.lower()


def read_offer(head: RequestHead) -> Offer:
    """Check an opening handshake.

    Args:
        head: A request that asks for a WebSocket.

    Raises:
        ProtocolError: 400: not GET, not HTTP/1.1, with content, or a key or subprotocol that is none.
        HTTPError: 426: another version of the protocol; says which one is spoken.

    Source: RFC 6455 §4.2.1, §4.2.2, §4.4; RFC 9110 §15.5.22.
    """
    if head.method != b"GET" or head.version < 1:
        raise ProtocolError("a WebSocket is opened by GET in HTTP/1.1 (RFC 6455 §4.2.1)")
    if head.framing is not Framing.NONE:
        raise ProtocolError("an opening handshake has no content (RFC 6455 §4.1)")
    if field_lines.get_all(head.fields, b"sec-websocket-version") != [b"13"]:
        raise HTTPError(426, "websocket_version", _VERSION_FIELDS, "Sec-WebSocket-Version is not 13 (RFC 6455 §4.4)")
    keys = field_lines.get_all(head.fields, b"sec-websocket-key")
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise ProtocolError("Sec-WebSocket-Key is missing, repeated or not 16 octets in base64 (RFC 6455 §4.2.1)")
    subprotocols = _names(head.fields, b"sec-websocket-protocol")
    if len(set(subprotocols)) != len(subprotocols) or not all(map(field_lines.is_token, subprotocols)):
        raise ProtocolError("Sec-WebSocket-Protocol is not a list of different tokens (RFC 6455 §4.1)")
    return Offer(keys[0], subprotocols, frozenset(_extension_names(head.fields)))


def upstream_fields(block: bytes, key: bytes) -> bytes:
    """Put a fresh key in the place of the client's; all other lines stay as and where they are."""
    return _KEY_LINE.sub(lambda found: found[1] + key, block, count=1)


def canonical_request(offer: Offer) -> bytes:
    """Write the request that the server side of the handshake is shown."""
    lines = [
        b"GET / HTTP/1.1",
        b"Host: localhost",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Key: " + offer.key,
        b"Sec-WebSocket-Version: 13",
    ]
    if offer.subprotocols:
        lines.append(b"Sec-WebSocket-Protocol: " + b", ".join(offer.subprotocols))
    return b"\r\n".join((*lines, b"", b""))


def read_answer(head: ResponseHead, offer: Offer) -> Agreement:
    """Check that a 101 agrees to nothing that was not offered; the key's answer is left to others.

    Raises:
        ResponseInvalid: It does not switch to WebSocket, or names a subprotocol or extension that was not offered.

    Source: RFC 6455 §4.1.
    """
    if head.upgrade != b"websocket":
        raise ResponseInvalid("101 without Upgrade: websocket and Connection: Upgrade (RFC 6455 §4.1)")
    chosen = head.get_all(b"sec-websocket-protocol")
    if len(chosen) > 1 or any(name not in offer.subprotocols for name in chosen):
        raise ResponseInvalid("101 with a subprotocol that was not offered (RFC 6455 §4.1)")
    extensions = _extension_names(head.fields)
    if not offer.extensions.issuperset(extensions):
        raise ResponseInvalid("101 with an extension that was not offered (RFC 6455 §4.1, §9.1)")
    return Agreement(chosen[0] if chosen else None, bool(extensions))


def canonical_response(head: ResponseHead) -> bytes:
    """Write the 101 that the client side of the handshake is shown: without what `read_answer` has checked.

    Raises:
        ResponseInvalid: Its Sec-WebSocket-Accept is missing, repeated or not 20 octets in base64.
    """
    accepts = head.get_all(b"sec-websocket-accept")
    if len(accepts) != 1 or not _ACCEPT.fullmatch(accepts[0]):
        raise ResponseInvalid("101 whose Sec-WebSocket-Accept is missing, repeated or malformed (RFC 6455 §4.1)")
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accepts[0]
    )


def foreign_origin(head: RequestHead, names: frozenset[str]) -> str | None:
    """Find the Origin of a handshake if its host is none of a site's names; None also where it is malformed.

    Args:
        head: The client's request.
        names: The site's host names in lower case; `*.example.com` stands for one label before the rest.
    """
    found = _ORIGIN.fullmatch(head.get(b"origin") or b"")
    if found is None:
        return None
    host = found[1].decode("ascii").lower()
    if host in names or f"*.{host.partition('.')[2]}" in names:
        return None
    return found[0].decode("ascii").lower()


def _names(block: bytes, name: bytes) -> tuple[bytes, ...]:
    return tuple(member for value in field_lines.get_all(block, name) for member in field_lines.split_list(value))


def _extension_names(block: bytes) -> list[bytes]:
    return [member.partition(b";")[0].strip(b" \t") for member in _names(block, b"sec-websocket-extensions")]


_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
_ACCEPT: Final = re.compile(rb"[A-Za-z0-9+/]{27}=")
_KEY_LINE: Final = re.compile(rb"(?im)(^sec-websocket-key:[ \t]*)[A-Za-z0-9+/]{22}==")
_ORIGIN: Final = re.compile(rb"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_VERSION_FIELDS: Final = (
    (b"Sec-WebSocket-Version", b"13"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
)
