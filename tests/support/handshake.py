"""TLS clients in memory, against a server's contexts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from cryptography import x509
from OpenSSL import SSL

from gateway.net.tls_socket import TLSServer


@dataclass(frozen=True)
class Shaken:
    """What a client saw.

    Attributes:
        names: DNS names of the certificate that it was shown; empty for none.
        protocol: The application protocol chosen.
        error: Why the handshake failed, in OpenSSL's words; empty where it did not.
        version: The version of TLS.
        group: The group of the key exchange.
        resumed: Whether the session was resumed.
        session: For the next connection.
        noted: The data of the server's side of the connection.
    """

    names: list[str]
    protocol: bytes
    error: str
    version: str
    group: str
    resumed: bool
    session: SSL.Session | None
    noted: object


def client_context(version: int = 0, protocols: tuple[bytes, ...] = ()) -> SSL.Context:
    """Make a client's context that trusts everybody."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if version:
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
    if protocols:
        context.set_alpn_protos(list(protocols))
    return context


def shake_hands(
    server: TLSServer,
    name: str = "",
    *,
    version: int = 0,
    protocols: tuple[bytes, ...] = (),
    context: SSL.Context | None = None,
    session: SSL.Session | None = None,
) -> Shaken:
    """Connect to a server in memory."""
    client = SSL.Connection(context or client_context(version, protocols), None)
    if name:
        client.set_tlsext_host_name(name.encode())
    if session is not None:
        client.set_session(session)
    client.set_connect_state()
    verified: list[int] = []
    client.set_verify(SSL.VERIFY_PEER, lambda *_: verified.append(1) or True)  # a resumed session shows no certificate
    served = SSL.Connection(server.first, None)
    served.set_accept_state()
    error = ""
    for _ in range(6):
        for one, other in ((client, served), (served, client)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error as problem:
                if one is client and problem.args and problem.args[0]:
                    error = error or problem.args[0][-1][-1]
            _carry(one, other)
    if not error:
        with suppress(SSL.WantReadError):  # takes the tickets of TLS 1.3
            client.recv(1)
        client.shutdown()  # OpenSSL resumes no session whose connection was just dropped
    certificate = client.get_peer_certificate(as_cryptography=True)
    return Shaken(
        _names(certificate) if certificate else [],
        client.get_alpn_proto_negotiated(),
        error,
        client.get_protocol_version_name(),
        client.get_group_name() or "",
        not error and not verified,
        client.get_session(),
        served.get_app_data(),
    )


def _carry(source: SSL.Connection, target: SSL.Connection) -> None:
    with suppress(SSL.WantReadError):
        target.bio_write(source.bio_read(1 << 16))


def _names(certificate: x509.Certificate) -> list[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return list(extension.value.get_values_for_type(x509.DNSName))
