"""A certificate with its chain and key, read and checked once, so that a handshake needs no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from gateway.errors import Blame, GatewayError
from gateway.units import Seconds

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class CertificateUnusable(GatewayError):
    """A certificate or its key cannot be used; the message says why."""

    status = None
    blame = Blame.OPERATOR
    reason = "certificate"


class KeyUnusable(CertificateUnusable):
    """It is the key that cannot be used."""


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A private key and the certificates that vouch for it.

    Attributes:
        chain: PEM certificates: the leaf, then each one's issuer.
        key: PEM private key.
        names: DNS names and addresses of the leaf, lower-case A-labels, wildcards as `*.example.com`.
        not_before: Seconds since 1970.
        not_after: Seconds since 1970.
        issuer: Who signed the leaf, for people.
        serial: Serial number of the leaf.
    """

    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    names: tuple[str, ...]
    not_before: Seconds
    not_after: Seconds
    issuer: str
    serial: int

    @classmethod
    def load(cls, chain: bytes, key: bytes) -> CertifiedKey:
        """Read a certificate and its key, and check that they belong together.

        Args:
            chain: PEM certificates: the leaf, then each one's issuer.
            key: PEM private key without a passphrase.

        Raises:
            CertificateUnusable: One cannot be read, they do not match, or the chain is out of order.
        """
        certificates = _read_chain(chain)
        leaf = certificates[0]
        private = _read_key(key)
        own = private.public_key().public_bytes(Encoding.DER, _SPKI)
        keys = [each.public_key().public_bytes(Encoding.DER, _SPKI) for each in certificates]
        if own != keys[0]:
            if own in keys:
                raise CertificateUnusable(
                    f"the key belongs to certificate {keys.index(own) + 1} of the chain: {_ORDER}"
                )
            raise CertificateUnusable("the key does not belong to the certificate")
        for number, (below, above) in enumerate(pairwise(certificates), 1):
            _check_issued(number, below, above)
        return cls(
            chain,
            key,
            _names(leaf),
            Seconds(leaf.not_valid_before_utc.timestamp()),
            Seconds(leaf.not_valid_after_utc.timestamp()),
            _person(leaf.issuer),
            leaf.serial_number,
        )

    def covers(self, name: str) -> bool:
        """Tell whether the leaf is for a name.

        Args:
            name: Lower-case A-label; a wildcard is covered by the same wildcard only.

        Source: RFC 9525 §6.3 (a wildcard stands for exactly one label).
        """
        return name in self.names or f"*.{name.partition('.')[2]}" in self.names

    @property
    def lacks_issuer(self) -> bool:
        """Whether the leaf comes alone, though it says where clients could look for its issuer (RFC 5280 §4.2.2.1)."""
        leaf, *issuers = x509.load_pem_x509_certificates(self.chain)
        if issuers:
            return False
        try:
            found = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        except (x509.ExtensionNotFound, ValueError):
            return False
        return any(each.access_method == AuthorityInformationAccessOID.CA_ISSUERS for each in found)


def _read_chain(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as problem:
        raise CertificateUnusable(f"no PEM certificate can be read: {problem}") from problem


def _read_key(pem: bytes) -> PrivateKey:
    try:
        private = load_pem_private_key(pem, None)
    except TypeError as problem:
        raise KeyUnusable("the key is locked by a passphrase") from problem
    except (ValueError, UnsupportedAlgorithm) as problem:  # its text may quote the file: not repeated
        raise KeyUnusable("no PEM private key can be read") from problem
    if not isinstance(private, PrivateKey):
        raise KeyUnusable("the key is neither ECDSA, RSA nor EdDSA")
    return private


def _check_issued(number: int, below: x509.Certificate, above: x509.Certificate) -> None:
    """Check that one certificate of a chain is signed by the next (RFC 8446 §4.4.2)."""
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature) as problem:
        raise CertificateUnusable(
            f"certificate {number} of the chain ({_person(below.subject)}) is not signed by the next one "
            f"({_person(above.subject)}): {_ORDER}"
        ) from problem


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    except ValueError as problem:
        raise CertificateUnusable(f"the names of the certificate cannot be read: {problem}") from problem
    hosts = [name.lower().removesuffix(".") for name in names.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return (*hosts, *addresses)


def _person(name: x509.Name) -> str:
    """Name a subject or issuer: organisation and common name."""
    organisation = [str(each.value) for each in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    common = [str(each.value) for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return " ".join((*organisation[:1], *common[:1])) or name.rfc4514_string()


_ORDER: Final = "the leaf comes first, then each one's issuer"
_SPKI: Final = PublicFormat.SubjectPublicKeyInfo
