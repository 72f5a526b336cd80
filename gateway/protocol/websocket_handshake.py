"""The opening handshake: what a client asks, what goes upstream, what may come back (RFC 6455 §4).

The client's and the app's own field lines pass byte for byte, but for the key and its answer: each side has its own.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
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


def asks_for_websocket(head: RequestHead) -> bool:
    """Tell whether a request wants to become a WebSocket, rightly or not.

    An Upgrade that is to be ignored, in HTTP/1.0 or beside content (RFC 9110 §7.8), counts only where the rest of a
    handshake is there.
    """
    if head.upgrade == b"websocket":  # as nearly all that ask
        return True
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
    sent = _sent(head.fields)
    if sent.get(b"version") != [b"13"]:
        raise HTTPError(426, "websocket_version", _VERSION_FIELDS, "Sec-WebSocket-Version is not 13 (RFC 6455 §4.4)")
    keys = sent.get(b"key", [])
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise ProtocolError("Sec-WebSocket-Key is missing, repeated or not 16 octets in base64 (RFC 6455 §4.2.1)")
    subprotocols = _members(sent, b"protocol")
    if len(set(subprotocols)) != len(subprotocols) or not all(map(field_lines.is_token, subprotocols)):
        raise ProtocolError("Sec-WebSocket-Protocol is not a list of different tokens (RFC 6455 §4.1)")
    return Offer(keys[0], subprotocols, frozenset(_extension_names(sent)))


def upstream_fields(block: bytes, key: bytes) -> bytes:
    """Put a fresh key in the place of the client's; all other lines stay as and where they are."""
    return _KEY_LINE.sub(lambda found: found[1] + key, block, count=1)


def fresh_key(entropy: bytes) -> bytes:
    """Make a Sec-WebSocket-Key from 16 random octets (RFC 6455 §4.1)."""
    return b64encode(entropy)


def accept_value(key: bytes) -> bytes:
    """Make the Sec-WebSocket-Accept that answers a key (RFC 6455 §4.2.2)."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def read_answer(head: ResponseHead, offer: Offer, key: bytes) -> bool:
    """Check that a 101 answers the key and agrees to nothing that was not offered.

    Args:
        head: The app's answer.
        offer: What the client asked for.
        key: The Sec-WebSocket-Key that the app was sent.

    Returns:
        Whether an extension is in use, which gives the reserved bits of frames a meaning.

    Raises:
        ResponseInvalid: It does not switch to WebSocket, answers another key, or names a subprotocol or extension that
            was not offered.

    Source: RFC 6455 §4.1.
    """
    if head.upgrade != b"websocket":
        raise ResponseInvalid("101 without Upgrade: websocket and Connection: Upgrade (RFC 6455 §4.1)")
    sent = _sent(head.fields)
    if sent.get(b"accept") != [accept_value(key)]:
        raise ResponseInvalid("101 whose Sec-WebSocket-Accept is missing, repeated or wrong (RFC 6455 §4.1)")
    chosen = sent.get(b"protocol", [])
    if len(chosen) > 1 or any(name not in offer.subprotocols for name in chosen):
        raise ResponseInvalid("101 with a subprotocol that was not offered (RFC 6455 §4.1)")
    extensions = _extension_names(sent)
    if not offer.extensions.issuperset(extensions):
        raise ResponseInvalid("101 with an extension that was not offered (RFC 6455 §4.1, §9.1)")
    return bool(extensions)


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


def _sent(block: bytes) -> dict[bytes, list[bytes]]:
    """Gather the Sec-WebSocket-* fields in one pass, by the rest of their names in lower case."""
    sent: dict[bytes, list[bytes]] = {}
    for line in block.split(b"\r\n"):
        if line[: len(_PREFIX)].lower() == _PREFIX:
            name, _, value = line.partition(b":")
            sent.setdefault(name[len(_PREFIX) :].lower(), []).append(value.strip(b" \t"))
    return sent


def _members(sent: dict[bytes, list[bytes]], name: bytes) -> tuple[bytes, ...]:
    return tuple(member for value in sent.get(name, ()) for member in field_lines.split_list(value))


def _extension_names(sent: dict[bytes, list[bytes]]) -> list[bytes]:
    return [member.partition(b";")[0].strip(b" \t") for member in _members(sent, b"extensions")]


_PREFIX: Final = b"sec-websocket-"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
_KEY_LINE: Final = re.compile(rb"(?im)(^sec-websocket-key:[ \t]*)[A-Za-z0-9+/]{22}==")
_ORIGIN: Final = re.compile(rb"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_VERSION_FIELDS: Final = (
    (b"Sec-WebSocket-Version", b"13"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
)
