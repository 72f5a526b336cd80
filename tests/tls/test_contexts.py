from __future__ import annotations

from contextlib import suppress

from OpenSSL import SSL

from gateway.tls.certificate import CertifiedKey
from gateway.tls.contexts import context
from tests.support.certificates import Authority
from tests.support.handshake import client_context

AUTHORITY = Authority("ca.example")


def test_ciphers() -> None:
    """TLS 1.2 has only ciphers with forward secrecy and authenticated encryption."""
    made = context("intermediate", AUTHORITY.certified("app.example"), lambda *_: b"")
    names = SSL.Connection(made, None).get_cipher_list()
    assert names
    assert all(name.startswith(("TLS_", "ECDHE-")) and ("GCM" in name or "POLY1305" in name) for name in names)


def test_whole_chain() -> None:
    """Clients are shown the leaf and all that it was signed by."""
    pem, key = AUTHORITY.pair("app.example")
    made = context("intermediate", CertifiedKey.load(pem + AUTHORITY.pem, key), lambda *_: b"")
    client, server = SSL.Connection(client_context(), None), SSL.Connection(made, None)
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(1 << 16))
    chain = client.get_peer_cert_chain(as_cryptography=True)
    assert chain is not None
    assert [each.subject.rfc4514_string() for each in chain] == ["CN=app.example", "CN=ca.example"]
