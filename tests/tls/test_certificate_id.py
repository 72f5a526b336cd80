"""The identifier of a certificate, as RFC 9773 makes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.tls.certificate import CertifiedKey
from gateway.tls.certificate_id import certificate_id
from gateway.tls.responders import key_pem

AUTHORITY = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")


def certified(serial: int, authority: x509.ExtensionType | None) -> CertifiedKey:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    begun = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(begun).not_valid_after(begun + timedelta(days=1))
    if authority is not None:
        builder = builder.add_extension(authority, critical=False)
    return CertifiedKey.load(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), key_pem(key))


@pytest.mark.parametrize(
    ("serial", "text"),
    [(0x87654321, "AIdlQyE"), (0x7F, "fw"), (0x80, "AIA"), (0x7F00, "fwA"), (1 << 158, "QAAAAAAAAAAAAAAAAAAAAAAAAAA")],
)
def test_of_a_certificate(serial: int, text: str) -> None:
    """The first is the RFC's example (§4.1): the serial number has the octets of DER, with one for its sign."""
    made = certified(serial, x509.AuthorityKeyIdentifier(AUTHORITY, None, None))
    assert certificate_id(made) == f"aYhba4dGQEHhs3uEe6CuLN4ByNQ.{text}"


@pytest.mark.parametrize(
    "authority",
    [None, x509.AuthorityKeyIdentifier(None, [x509.DNSName("ca.test")], 5)],
    ids=["no extension", "no key identifier"],
)
def test_of_one_that_does_not_say_who_signed_it(authority: x509.ExtensionType | None) -> None:
    """It has none, and the authority is not asked."""
    assert certificate_id(certified(5, authority)) == ""
