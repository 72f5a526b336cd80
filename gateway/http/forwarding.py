"""What the gateway tells applications about the client: X-Forwarded-*, Forwarded, Via, X-Request-Id.

Owns whom to believe (`TrustedProxies`) and how the lines are written. Those of an untrusted connection are made once
(`connection_lines`), and the proxy adds X-Forwarded-Host for each request; those of a request from a trusted proxy come
whole from `TrustedProxies.read`.

Source: RFC 9110 §7.6, RFC 7239.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

from gateway.errors import HTTPError
from gateway.http.addresses import Address, Network, parse_networks, read_address
from gateway.http.fields import is_token, pairs, split_list, without
from gateway.http.known import FORWARDING, FORWARDING_NAMES, REQUEST_ID, VIA
from gateway.http.message import RequestHead


@lru_cache(maxsize=1000)  # clients come back, and their connections then share the octets
def connection_lines(peer: str, local_port: int, secure: bool) -> bytes:
    """Make the lines of a connection from an untrusted peer: X-Forwarded-For, -Proto and -Port.

    Args:
        peer: The peer's IP address; empty for a UNIX socket, which has no X-Forwarded-For.
        local_port: Port it connected to; 0 for a UNIX socket.
        secure: Whether it uses TLS.
    """
    address = read_address(peer)
    forwarded_for = b"X-Forwarded-For: %b\r\n" % _text(address) if address else b""
    return forwarded_for + _scheme_lines(secure, local_port)


def add_host(lines: bytes, host: bytes) -> bytes:
    """Add X-Forwarded-Host from a request's authority to field lines; nothing where there is none."""
    return b"".join((lines, b"X-Forwarded-Host: ", host, b"\r\n")) if host else lines


def add_forwarded(lines: bytes, peer: str, host: bytes, secure: bool) -> bytes:
    """Add what this connection knows as the last element of Forwarded.

    Args:
        lines: The X-Forwarded-* lines; a Forwarded line of a trusted proxy is the last one.
        peer: The peer's IP address; empty for a UNIX socket.
        host: The request's authority as it came.
        secure: Whether the connection uses TLS.

    Source: RFC 7239 §4 to §6.
    """
    address = read_address(peer)
    node = _text(address) if address else b"unknown"
    if isinstance(address, IPv6Address):
        node = b'"[%b]"' % node
    element = b"for=%b;proto=%b" % (node, b"https" if secure else b"http")
    if host:
        element += b";host=%b" % (host if is_token(host) else b'"%b"' % host)
    if lines.startswith(_FORWARDED) or b"\r\n" + _FORWARDED in lines:
        return lines.removesuffix(b"\r\n") + b", " + element + b"\r\n"
    return lines + _FORWARDED + element + b"\r\n"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What a trusted proxy said about a request.

    Attributes:
        client: The client's address.
        secure: Whether the client used HTTPS.
        lines: All X-Forwarded-* lines for upstream, X-Forwarded-Host included, and Forwarded where it was sent.
        id_line: `X-Request-Id: …` CRLF; empty where the proxy sent no acceptable one.
    """

    client: str
    secure: bool
    lines: bytes
    id_line: bytes


class TrustedProxies:
    """Who may say what came before the connection.

    Args:
        networks: Addresses and networks in text form, and the names `private` and `cloudflare`. UNIX sockets belong to
            `private`: only this machine can reach them.
        client_ip_header: A field in which trusted proxies put the client's address, such as `CF-Connecting-IP`.

    Raises:
        ValueError: A network or the field's name is malformed.

    Attributes:
        reads_client_ip: Whether there is such a field.
    """

    __slots__ = ("_client_ip_name", "_networks", "_sockets", "reads_client_ip")

    def __init__(self, networks: Iterable[str | Network] = (), client_ip_header: str = "") -> None:
        items = tuple(networks)
        self._networks = parse_networks(items)
        self._sockets = "private" in items
        self._client_ip_name = client_ip_header.encode("utf-8").lower()
        self.reads_client_ip = bool(client_ip_header)
        if client_ip_header and not is_token(self._client_ip_name):
            raise ValueError(f"expected a header name, got {client_ip_header!r}")

    def is_trusted(self, peer: str) -> bool:
        """Tell whether a connection's peer is a trusted proxy; asked once per connection.

        Args:
            peer: IP address in text form; empty for a UNIX socket.
        """
        if not self._networks:
            return False
        if not peer:
            return self._sockets
        address = read_address(peer)
        return address is not None and self._trusts(address)

    def read(self, head: RequestHead, peer: str, local_port: int, secure: bool) -> Forwarding:
        """Read the forwarding fields of a request whose peer is trusted.

        X-Forwarded-For is walked from the right: the first address that is not a trusted proxy's is the client, and
        nothing behind a malformed entry is believed. Malformed values are replaced by what the connection knows.

        Args:
            head: The request's head.
            peer: The peer's IP address; empty for a UNIX socket.
            local_port: Port it connected to; 0 for a UNIX socket.
            secure: Whether the connection uses TLS.
        """
        address = read_address(peer)
        sent = self._collect(head)
        chain = split_list(b",".join(sent.get(b"x-forwarded-for", ())))[-_MAX_HOPS:]
        client, sound = self._walk(address, chain)
        named = read_address(_single(sent, self._client_ip_name).decode("latin-1")) if self._client_ip_name else None
        if address is not None:
            sound.append(_text(address))
        scheme = _SCHEMES.get(_single(sent, b"x-forwarded-proto").lower())
        forwarded_secure = secure if scheme is None else scheme
        port = _single(sent, b"x-forwarded-port")
        if _PORT.fullmatch(port) and 0 < int(port) < 65536:
            local_port = int(port)
        elif scheme is not None:
            local_port = 0
        host = _single(sent, b"x-forwarded-host")
        lines = [
            b"X-Forwarded-For: %b\r\n" % b", ".join(sound) if sound else b"",
            _scheme_lines(forwarded_secure, local_port),
            add_host(b"", host if _AUTHORITY.fullmatch(host) else head.host),
        ]
        forwarded = b", ".join(sent.get(b"forwarded", ()))
        if _FORWARDED_VALUE.fullmatch(forwarded):
            lines.append(_FORWARDED + forwarded + b"\r\n")
        final = named or client
        return Forwarding(
            _text(final).decode("ascii") if final else "",
            forwarded_secure,
            b"".join(lines),
            _id_line(_single(sent, b"x-request-id")),
        )

    def disbelieve(self, head: RequestHead) -> None:
        """Drop from an untrusted peer's request the field that only trusted proxies may put the client's address in.

        Spelled with underscores it goes too, for some applications take these for hyphens.
        """
        name = self._client_ip_name.replace(b"_", b"-")
        if name and name in head.fields.lower().replace(b"_", b"-"):
            head.fields = without(
                head.fields,
                frozenset(
                    found.lower() for found, _ in pairs(head.fields) if found.lower().replace(b"_", b"-") == name
                ),
            )

    def _collect(self, head: RequestHead) -> dict[bytes, list[bytes]]:
        """Gather the fields that only a trusted proxy may send, in one pass."""
        sent: dict[bytes, list[bytes]] = {}
        if not head.known & (FORWARDING | REQUEST_ID) and not self._client_ip_name:
            return sent
        for name, value in pairs(head.raw.partition(b"\r\n")[2]):
            lower = name.lower()
            if lower in _BELIEVED or lower == self._client_ip_name:
                sent.setdefault(lower, []).append(value)
        return sent

    def _walk(self, peer: Address | None, chain: list[bytes]) -> tuple[Address | None, list[bytes]]:
        """Find the client, and the part of the chain behind the last malformed entry."""
        client, client_found = peer, False
        sound = len(chain)
        for entry in reversed(chain):
            found = _NODE.fullmatch(entry)
            address = read_address(found[found.lastindex or 0].decode("ascii")) if found else None
            if address is None:
                break
            sound -= 1
            if not client_found:
                client = address
                client_found = not self._trusts(address)
        return client, chain[sound:]

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


class Via:
    """Writes Via and recognises requests that came through here before.

    Args:
        pseudonym: The name this gateway goes by; unlike that of any other on the way, or requests through both look
            like a loop.

    Raises:
        ValueError: `pseudonym` is not a token.

    Source: RFC 9110 §7.6.3.
    """

    __slots__ = ("_alone", "_pseudonym")

    def __init__(self, pseudonym: str) -> None:
        name = pseudonym.encode("utf-8")
        if not is_token(name):
            raise ValueError(f"expected a word of letters, digits and hyphens, got {pseudonym!r}")
        self._pseudonym = name.lower()
        self._alone = {
            version: b"Via: %b %b\r\n" % (text, name)
            for version, text in ((0, b"1.0"), (1, b"1.1"), (20, b"2.0"), (30, b"3.0"))
        }

    def line(self, head: RequestHead) -> bytes:
        """Make the Via line of a request for upstream: what it carries already, and this gateway.

        Raises:
            HTTPError: 508: it came through here before.
        """
        alone = self._alone[head.version]
        if not head.known & VIA:
            return alone
        members = head.get_list(b"via")
        for member in members:
            words = member.split()
            if len(words) > 1 and words[1].lower() == self._pseudonym:
                raise HTTPError(508, "loop", message="the request came through this gateway before")
        return b"Via: %b, %b" % (b", ".join(members), alone.removeprefix(b"Via: ")) if members else alone


def _id_line(value: bytes) -> bytes:
    """Make the line of an acceptable X-Request-Id; applications want 20 to 200 octets."""
    return b"X-Request-Id: %b\r\n" % value if _REQUEST_ID.fullmatch(value) else b""


def _single(sent: dict[bytes, list[bytes]], name: bytes) -> bytes:
    """Find the value of a field that came once; empty where it came never or more than once."""
    values = sent.get(name, ())
    return values[0] if len(values) == 1 else b""


def _scheme_lines(secure: bool, port: int) -> bytes:
    scheme, default = (b"https", 443) if secure else (b"http", 80)
    return b"X-Forwarded-Proto: %b\r\nX-Forwarded-Port: %d\r\n" % (scheme, port or default)


def _text(address: Address) -> bytes:
    return str(address).encode("ascii")


_FORWARDED: Final = b"Forwarded: "
_BELIEVED: Final = FORWARDING_NAMES | {b"x-request-id"}
_MAX_HOPS: Final = 32  # so that a long chain costs little
_SCHEMES: Final = {b"https": True, b"http": False, b"wss": True, b"ws": False}
_PORT: Final = re.compile(rb"[0-9]{1,5}")
_NODE: Final = re.compile(rb"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")
_AUTHORITY: Final = re.compile(rb"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,254})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{20,200}")
_FORWARDED_PAIR: Final = rb"[A-Za-z]+=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|\"(?:[^\"\\]|\\.)*\")"
_FORWARDED_ELEMENT: Final = rb"%b(?:[ \t]*;[ \t]*%b)*" % (_FORWARDED_PAIR, _FORWARDED_PAIR)
_FORWARDED_VALUE: Final = re.compile(rb"%b(?:[ \t]*,[ \t]*%b)*" % (_FORWARDED_ELEMENT, _FORWARDED_ELEMENT))
