"""Certificates for tests: an authority that issues what is asked for, wrong ones too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from gateway.net.addresses import is_address
from gateway.tls.certificate import CertifiedKey


class Authority:
    """A certificate authority.

    Args:
        name: Its name.
        issuers: URL of its own certificate, which its certificates shall name; empty for none.

    Attributes:
        pem: Its certificate.
        own: A server that shows this certificate as its own.
    """

    def __init__(self, name: str, issuers: str = "") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issuers = issuers
        self._name = _name(name)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = _builder(self._name, self._key).add_extension(constraints, critical=True)
        certificate = certificate.add_extension(_names(name), critical=False)
        signed = certificate.issuer_name(self._name).sign(self._key, hashes.SHA256())
        self.pem = signed.public_bytes(Encoding.PEM)
        self.own = ServerContext(self._key, signed)

    def issue(self, *names: str, days: tuple[int, int] = (-1, 1)) -> ServerContext:
        """Make a server's certificate, valid between two days from today."""
        return ServerContext(*self._sign(names, days))

    def pair(self, *names: str, days: tuple[int, int] = (-1, 1)) -> tuple[bytes, bytes]:
        """Make a server's certificate as PEM: the chain without this authority, and the key."""
        key, certificate = self._sign(names, days)
        return certificate.public_bytes(Encoding.PEM), key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )

    def certified(self, *names: str, days: tuple[int, int] = (-1, 1)) -> CertifiedKey:
        """Make a server's certificate as the gateway holds it."""
        return CertifiedKey.load(*self.pair(*names, days=days))

    def write(self, folder: Path, *names: str, days: tuple[int, int] = (-1, 1)) -> str:
        """Write a server's certificate to `folder/NAME.pem` and `.key`, and give the lines of a site file for it."""
        stem = names[0].replace("*", "_")
        pem, key = self.pair(*names, days=days)
        (folder / f"{stem}.pem").write_bytes(pem)
        (folder / f"{stem}.key").write_bytes(key)
        return f'cert = "{folder / stem}.pem"\nkey = "{folder / stem}.key"\n'

    def _sign(
        self, names: tuple[str, ...], days: tuple[int, int]
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0] if names else "app.example"), key, days).issuer_name(self._name)
        if names:
            builder = builder.add_extension(_names(*names), critical=False)
        if self._issuers:
            place = x509.UniformResourceIdentifier(self._issuers)
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return key, builder.sign(self._key, hashes.SHA256())


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: tuple[int, int] = (-1, 1)
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))


def _names(*names: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address(name)) if is_address(name) else x509.DNSName(name) for name in names]
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@implementer(IOpenSSLServerConnectionCreator)
class ServerContext:
    """A server's TLS context, in the form that Twisted takes."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._context.use_privatekey(key)
        self._context.use_certificate(certificate)

    def serverConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:
        return SSL.Connection(self._context, None)
