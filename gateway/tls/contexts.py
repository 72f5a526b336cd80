"""OpenSSL contexts of a server, after Mozilla's guidelines (version 5.7), through pyOpenSSL's public names only.

Key exchange is OpenSSL's own choice, for pyOpenSSL has no name for a list of groups: from OpenSSL 3.5 on it begins with
the hybrid X25519MLKEM768, then X25519 and P-256. Tickets are made by the context a connection begins with, so a new
one of these is a new ticket key. Renegotiation and compression are off; 0-RTT is off because nobody switches it on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

from gateway.tls.certificate import CertifiedKey, PrivateKey

Profile = Literal["intermediate", "modern"]
"""Mozilla's names: TLS 1.2 and 1.3, or TLS 1.3 only."""

SelectALPN = Callable[[SSL.Connection, list[bytes]], Any]
"""Chooses the application protocol: a name, or `SSL.NO_OVERLAPPING_PROTOCOLS`, whose type pyOpenSSL keeps to itself."""


def context(profile: Profile, key: CertifiedKey | None, select: SelectALPN) -> SSL.Context:
    """Make a server's context.

    Args:
        profile: Which versions and ciphers.
        key: What it shows; None for a context that shows nothing.
        select: Chooses the application protocol.
    """
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.set_min_proto_version(SSL.TLS1_3_VERSION if profile == "modern" else SSL.TLS1_2_VERSION)
    made.set_cipher_list(_CIPHERS)
    made.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    made.set_mode(SSL.MODE_RELEASE_BUFFERS)  # an idle connection holds no record buffers
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # tickets only: nothing per client is kept here
    made.set_session_id(b"gateway")
    made.set_timeout(TICKET_LIFETIME)
    made.set_alpn_select_callback(select)
    if key is not None:
        _certify(made, key)
    return made


def _certify(made: SSL.Context, key: CertifiedKey) -> None:
    leaf, *issuers = x509.load_pem_x509_certificates(key.chain)
    private = load_pem_private_key(key.key, None)
    if not isinstance(private, PrivateKey):
        raise TypeError("not checked by CertifiedKey.load")
    made.use_certificate(leaf)
    for issuer in issuers:
        made.add_extra_chain_cert(issuer)
    made.use_privatekey(private)


TICKET_LIFETIME: Final = 12 * 3600
"""Seconds for which a session may be resumed, and after which the ticket key is replaced."""

_CIPHERS: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""TLS 1.2; those of Mozilla's list that need no Diffie-Hellman parameters."""
