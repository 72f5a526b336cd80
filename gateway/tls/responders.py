"""Responders: each makes one type of challenge succeed (RFC 8555 §8), in the role of txacme's `IResponder`."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.tls.certificate import CertifiedKey
from gateway.tls.hooks import Hook
from gateway.tls.names import is_wildcard
from gateway.tls.sni import ServerNames
from gateway.units import Seconds

ACME_IDENTIFIER: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""Extension that holds the digest of the key authorization (RFC 8737 §3)."""
HOOK_TIME: Final = Seconds(180)
"""How long a DNS hook may take, until the record is to be seen everywhere."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge to respond to.

    Attributes:
        type: Its type.
        token: Its token; empty where the type has none.
        key_authorization: What proves that it is us (RFC 8555 §8.1).
    """

    type: str
    token: str = field(repr=False)
    key_authorization: str = field(repr=False)


class Responder(Protocol):
    """Makes one type of challenge succeed.

    Attributes:
        type: The type of challenge.
        wildcards: Whether a wildcard can be validated by it.
    """

    type: ClassVar[str]
    wildcards: ClassVar[bool]

    async def start_responding(self, name: str, challenge: Challenge) -> None:
        """Get ready for the authority's look."""

    async def stop_responding(self, name: str, challenge: Challenge) -> None:
        """Take away what was made ready."""


Ready = Callable[[], Awaitable[None]]
"""Waits until what was changed here is so wherever an authority may look."""


async def at_once() -> None:
    """Wait for nobody: there is one process."""


class HTTP01Responder:
    """Shows the key authorization on plain HTTP; `gateway.resources.challenge` answers from `tokens`.

    Args:
        tokens: Key authorization by token; made here where there are none yet.
        ready: Waits until the answers are so everywhere.

    Attributes:
        tokens: Key authorization by token.
    """

    type: ClassVar[str] = "http-01"
    wildcards: ClassVar[bool] = False

    def __init__(self, tokens: dict[bytes, bytes] | None = None, ready: Ready = at_once) -> None:
        self.tokens = tokens if tokens is not None else {}
        self._ready = ready

    async def start_responding(self, name: str, challenge: Challenge) -> None:
        """Answer for the token."""
        self.tokens[challenge.token.encode("ascii")] = challenge.key_authorization.encode("ascii")
        await self._ready()

    async def stop_responding(self, name: str, challenge: Challenge) -> None:
        """Answer no more."""
        self.tokens.pop(challenge.token.encode("ascii"), None)


class TLSALPN01Responder:
    """Shows a certificate made for the challenge to who asks for the protocol acme-tls/1.

    Args:
        names: Where handshakes look.
        ready: Waits until the certificate is shown everywhere.
    """

    type: ClassVar[str] = "tls-alpn-01"
    wildcards: ClassVar[bool] = False

    def __init__(self, names: ServerNames, ready: Ready = at_once) -> None:
        self._names = names
        self._ready = ready

    async def start_responding(self, name: str, challenge: Challenge) -> None:
        """Show the certificate."""
        self._names.set_challenge(name, challenge_certificate(name, challenge.key_authorization))
        await self._ready()

    async def stop_responding(self, name: str, challenge: Challenge) -> None:
        """Show it no more."""
        self._names.clear_challenge(name)


class DNS01Responder:
    """Has a command of the operator's publish a record: `HOOK add NAME VALUE`, later `HOOK remove NAME VALUE`.

    NAME is `_acme-challenge.example.com`, VALUE the text of a TXT record. The command ends with status 0 once the
    record can be seen, or gives up with another.

    Args:
        hook: The command.
    """

    type: ClassVar[str] = "dns-01"
    wildcards: ClassVar[bool] = True

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    async def start_responding(self, name: str, challenge: Challenge) -> None:
        """Publish the record."""
        await self._hook.call(("add", *self._record(name, challenge)), HOOK_TIME)

    async def stop_responding(self, name: str, challenge: Challenge) -> None:
        """Take it away."""
        await self._hook.call(("remove", *self._record(name, challenge)), HOOK_TIME)

    @staticmethod
    def _record(name: str, challenge: Challenge) -> tuple[str, str]:
        digest = hashlib.sha256(challenge.key_authorization.encode("ascii")).digest()
        return f"_acme-challenge.{name.removeprefix('*.')}", urlsafe_b64encode(digest).rstrip(b"=").decode()


class DNSPersist01Responder:
    """Relies on a TXT record that the operator published once (draft-ietf-acme-dns-persist)."""

    type: ClassVar[str] = "dns-persist-01"
    wildcards: ClassVar[bool] = True

    async def start_responding(self, name: str, challenge: Challenge) -> None:
        """Nothing to do: the record is there."""

    async def stop_responding(self, name: str, challenge: Challenge) -> None:
        """Nothing to do: the record stays."""


def choose(
    responders: Sequence[Responder], name: str, offered: Sequence[str], remembered: str, failed: Sequence[str]
) -> Responder | None:
    """Choose how to have a name validated: what succeeded last, else the first that has not failed since.

    Args:
        responders: Those at hand, the best first.
        name: The name.
        offered: Types that the authority offers.
        remembered: Type that succeeded last.
        failed: Types that failed since.
    """
    fit = [each for each in responders if each.type in offered and (each.wildcards or not is_wildcard(name))]
    fresh = [each for each in fit if each.type not in failed]
    return next((each for each in fresh if each.type == remembered), next(iter(fresh), None))


def persistent_record(name: str, authority: str, account: str) -> tuple[str, str]:
    """Give the record that dns-persist-01 needs: its name and its text."""
    policy = "; policy=wildcard" if is_wildcard(name) else ""
    return f"_validation-persist.{name.removeprefix('*.')}", f"{authority}; accounturi={account}{policy}"


def is_token(token: str) -> bool:
    """Tell whether a token has the form of one (RFC 8555 §8.3): base64url, and not endless."""
    return _TOKEN.fullmatch(token) is not None


def challenge_certificate(name: str, key_authorization: str) -> CertifiedKey:
    """Make the certificate of tls-alpn-01: self-signed, one name, and the digest in a critical extension.

    Source: RFC 8737 §3.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(key_authorization.encode("ascii")).digest()
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ACME challenge")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        # An OCTET STRING of 32 octets (RFC 8737 §3).
        .add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, b"\x04\x20" + digest), critical=True)
        .sign(key, hashes.SHA256())
    )
    return CertifiedKey.load(certificate.public_bytes(Encoding.PEM), key_pem(key))


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Write a private key as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
