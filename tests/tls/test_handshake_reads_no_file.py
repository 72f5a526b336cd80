"""A handshake reads memory only."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress

from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from gateway.tls.sni import ServerNames
from tests.support.certificates import Authority

SITES = 200
opened: list[str] = []
watching = 0
"""The thread whose files are noted: those that earlier tests left may do what they like."""


def note(event: str, arguments: tuple[object, ...]) -> None:
    if watching == threading.get_ident() and event in ("open", "os.open", "os.listdir", "os.scandir"):
        opened.append(f"{event} {arguments[0]!r}")


def handshake(names: ServerNames, server_name: bytes) -> str:
    """Shake hands in memory, and give the common name in the certificate shown."""
    server, client = SSL.Connection(names.first), SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    server.set_accept_state()
    client.set_connect_state()
    client.set_tlsext_host_name(server_name)
    for _ in range(4):
        for here, there in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                here.do_handshake()
            with suppress(SSL.WantReadError):
                there.bio_write(here.bio_read(100_000))
    certificate = client.get_peer_certificate()
    assert certificate is not None
    (name,) = certificate.to_cryptography().subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def test_a_handshake_opens_no_file() -> None:
    """With 200 sites in memory, each name gets its certificate and nothing is opened meanwhile."""
    global watching
    authority = Authority("ca.example")
    names = ServerNames()
    for number in range(SITES):
        names.put(f"site{number}.example", authority.certified(f"site{number}.example"))
    handshake(names, b"site0.example")
    sys.addaudithook(note)
    watching = threading.get_ident()
    try:
        shown = [handshake(names, b"site%d.example" % number) for number in range(0, SITES, 20)]
    finally:
        watching = 0
    assert shown == [f"site{number}.example" for number in range(0, SITES, 20)]
    assert opened == []
