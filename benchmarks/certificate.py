"""The certificate that all contenders show: ECDSA P-256, for all sites and for the name that wrk can resolve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LOCAL = "localhost"
"""The name that clients ask for in the handshake where they cannot be told another."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a certificate and its key."""

    cert: Path
    key: Path
    both: Path
    """One after the other, as HAProxy wants them."""


def certificate(folder: Path, names: tuple[str, ...]) -> Certificate:
    """Make a self-signed certificate, unless the folder has it.

    Args:
        folder: Where its files are kept.
        names: Whom it is for, besides `LOCAL`.

    Returns:
        Its files.
    """
    made = Certificate(folder / "cert.pem", folder / "key.pem", folder / "both.pem")
    if made.both.exists():
        return made
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOCAL)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in (LOCAL, *names)])
    builder = builder.not_valid_after(now + timedelta(days=30)).add_extension(alternatives, critical=False)
    cert = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made.cert.write_bytes(cert)
    made.key.write_bytes(pem)
    made.both.write_bytes(cert + pem)
    return made
