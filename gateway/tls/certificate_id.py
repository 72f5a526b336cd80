"""The identifier by which an authority knows a certificate (RFC 9773 §4.1)."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography import x509

from gateway.tls.certificate import CertifiedKey


def certificate_id(key: CertifiedKey) -> str:
    """Make the identifier of a certificate; empty if it does not say who signed it."""
    leaf = x509.load_pem_x509_certificate(key.chain)
    try:
        authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (x509.ExtensionNotFound, ValueError):
        return ""
    if authority is None:
        return ""
    # One bit more for the sign: the octets of a DER INTEGER.
    serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")
    return f"{_base64(authority)}.{_base64(serial)}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
