"""Server names and their certificates, in memory only: a handshake looks here and nowhere else.

A name finds its own certificate, then that of its wildcard, else none: the client gets the alert `unrecognized_name`
and no certificate (RFC 6066 §3). A client that names nobody gets the certificate of the empty name, if there is one.
Certificates are swapped by replacing one reference; handshakes under way keep what they began with.
"""

from __future__ import annotations

import sys
from types import TracebackType

from OpenSSL import SSL

from gateway.tls.certificate import CertifiedKey
from gateway.tls.contexts import Profile, context

ACME_TLS = b"acme-tls/1"
"""Application protocol of the challenge tls-alpn-01 (RFC 8737 §6.2)."""

_REMEMBERED = 1024  # pairs of names on connections that are used for several hosts
_NAME = 256  # octets; no name is longer, and wildcards let clients make names up


class ServerNames:
    """All certificates of the process, by the name that a client asks for.

    Args:
        profile: Which versions of TLS to speak.
        protocols: Application protocols, the best first.
    """

    def __init__(self, profile: Profile = "intermediate", protocols: tuple[bytes, ...] = (b"http/1.1",)) -> None:
        self._profile: Profile = profile
        self._protocols = protocols
        self._keys: dict[str, CertifiedKey] = {}
        self._renewed: set[str] = set()
        self._contexts: dict[bytes, SSL.Context] = {}
        self._served: set[tuple[bytes, bytes]] = set()
        self._challenges: dict[bytes, SSL.Context] = {}
        self._nothing = context(profile, None, self._select)
        self.first = self._first_context()

    def put(self, name: str, key: CertifiedKey, *, renewed: bool = False) -> None:
        """Show a certificate to clients that ask for a name, from the next handshake on.

        Args:
            name: Lower-case A-label, `*.example.com`, or empty for clients that name nobody.
            key: The certificate.
            renewed: Whether it is known not to be the first one of this name, so that HTTPS has come to stay.
        """
        before = self._keys.get(name)
        if renewed or (before is not None and before.serial != key.serial):
            self._renewed.add(name)
        if before != key:
            self._contexts[name.encode("ascii")] = context(self._profile, key, self._select)
            self._keys[name] = key
            self._served.clear()

    def remove(self, name: str) -> None:
        """Show nothing to clients that ask for a name."""
        self._keys.pop(name, None)
        self._renewed.discard(name)
        self._contexts.pop(name.encode("ascii"), None)
        self._served.clear()

    def find(self, name: str) -> CertifiedKey | None:
        """Find what a client gets that asks for a name: the exact one, that of the wildcard, or None."""
        return self._keys.get(name) or (self._keys.get(_wildcard(name)) if name else None)

    def has_certificate(self, name: str) -> bool:
        """Tell whether a client that asks for a name gets a certificate."""
        return name in self._keys or (bool(name) and _wildcard(name) in self._keys)

    def has_renewed(self, name: str) -> bool:
        """Tell whether the certificate that a client gets for a name was renewed at least once."""
        return (name if name in self._keys else _wildcard(name)) in self._renewed

    def set_challenge(self, name: str, key: CertifiedKey) -> None:
        """Show a certificate to the CA that asks for a name with the protocol `acme-tls/1`, over TLS 1.3.

        Source: RFC 8737 §3.
        """
        self._challenges[name.encode("ascii")] = context(self._profile, key, self._select)

    def clear_challenge(self, name: str) -> None:
        """Forget the certificate of a challenge."""
        self._challenges.pop(name.encode("ascii"), None)

    def rotate(self) -> None:
        """Begin further connections with a new ticket key; tickets made so far lead to full handshakes."""
        self.first = self._first_context()

    def serves(self, asked: bytes, host: bytes) -> bool:
        """Tell whether a client that asked for one name in the handshake may request another.

        It may where the certificate that it was shown is for both, or where it named nobody and the other name has no
        certificate of its own.

        Args:
            asked: The name in the handshake, in lower case; empty for none.
            host: The host of the request, in lower case.

        Source: RFC 9110 §7.4, §15.5.20.
        """
        pair = (asked, host)
        if pair in self._served:
            return True
        serves = self._look_up(asked, host)
        if serves and len(host) < _NAME:
            if len(self._served) >= _REMEMBERED:
                self._served.clear()
            self._served.add(pair)
        return serves

    def _look_up(self, asked: bytes, host: bytes) -> bool:
        name = host.decode("latin-1")
        shown, own = self.find(asked.decode("latin-1")), self.find(name)
        if shown is own:
            return shown is not None
        return (shown is not None and shown.covers(name)) or (own is None and not asked)

    # Handshakes.

    def _first_context(self) -> SSL.Context:
        """Make the context that connections begin with: it shows nothing and encrypts the tickets."""
        first = context(self._profile, None, self._select)
        first.set_tlsext_servername_callback(self._choose)
        return first

    def _choose(self, connection: SSL.Connection) -> None:
        """Take the context of the name asked for."""
        name = (connection.get_servername() or b"").lower()
        found = self._contexts.get(name) or (self._contexts.get(b"*." + name.partition(b".")[2]) if name else None)
        if found is not None:
            connection.set_context(found)
        elif name in self._challenges:
            connection.set_context(self._nothing)
        else:
            _send_alert()

    def _select(self, connection: SSL.Connection, offered: list[bytes]) -> object:
        """Choose the application protocol, and the certificate of a challenge with it, noted as the connection's."""
        if ACME_TLS in offered:
            challenge = self._challenges.get((connection.get_servername() or b"").lower())
            if challenge is not None:
                connection.set_context(challenge)
                connection.set_app_data(ACME_TLS)
                return ACME_TLS
        for protocol in self._protocols:
            if protocol in offered:
                return protocol
        return SSL.NO_OVERLAPPING_PROTOCOLS


class UnrecognizedName(Exception):
    """Raised inside OpenSSL's callback, where it becomes the alert `unrecognized_name`."""


def _send_alert() -> None:
    """Refuse a name: pyOpenSSL turns an exception into the alert, but shows it to sys.excepthook first, once."""
    hook = sys.excepthook

    def quiet(_kind: type[BaseException], _problem: BaseException, _trace: TracebackType | None) -> None:
        sys.excepthook = hook

    sys.excepthook = quiet
    raise UnrecognizedName


def _wildcard(name: str) -> str:
    return f"*.{name.partition('.')[2]}"
