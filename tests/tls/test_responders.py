"""Responders: what each shows to an authority."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from contextlib import suppress

from cryptography import x509
from twisted.internet.defer import Deferred

from gateway.tls.responders import (
    ACME_IDENTIFIER,
    Challenge,
    DNS01Responder,
    DNSPersist01Responder,
    HTTP01Responder,
    TLSALPN01Responder,
    challenge_certificate,
    choose,
    is_token,
    persistent_record,
)
from gateway.tls.sni import ServerNames

ALL = [HTTP01Responder(), TLSALPN01Responder(ServerNames()), DNSPersist01Responder()]
TYPES = ("http-01", "tls-alpn-01", "dns-persist-01")


def test_challenge_certificate() -> None:
    """One name, self-signed, and the digest of the key authorization in a critical extension (RFC 8737 §3)."""
    key = challenge_certificate("a.example.org", "token.thumbprint")
    leaf = x509.load_pem_x509_certificate(key.chain)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("a.example.org")]
    assert leaf.issuer == leaf.subject
    extension = leaf.extensions.get_extension_for_oid(ACME_IDENTIFIER)
    assert extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == b"\x04\x20" + hashlib.sha256(b"token.thumbprint").digest()
    assert ACME_IDENTIFIER.dotted_string == "1.3.6.1.5.5.7.1.31"


def test_choice() -> None:
    """The one that succeeded last, else the first that has not failed, and only DNS for wildcards."""
    assert choose(ALL, "a.org", TYPES, "", ()) is ALL[0]
    assert choose(ALL, "a.org", TYPES, "tls-alpn-01", ()) is ALL[1]
    assert choose(ALL, "a.org", TYPES, "tls-alpn-01", ("tls-alpn-01",)) is ALL[0]
    assert choose(ALL, "a.org", ("dns-01",), "", ()) is None
    assert choose(ALL, "*.a.org", TYPES, "http-01", ()) is ALL[2]
    assert choose(ALL, "a.org", TYPES, "", TYPES) is None


def test_dns_record() -> None:
    """The hook gets the name and the digest that a TXT record shall have (RFC 8555 §8.4), and again to remove it."""
    calls = []

    class Recorder:
        async def call(self, arguments: tuple[str, ...], time: float) -> None:
            calls.append(arguments)

    responder = DNS01Responder(Recorder())  # type: ignore[arg-type]
    challenge = Challenge("dns-01", "token", "token.thumbprint")
    for step in (responder.start_responding, responder.stop_responding):
        coroutine = step("*.example.org", challenge)
        with suppress(StopIteration):
            coroutine.send(None)
    digest = urlsafe_b64encode(hashlib.sha256(b"token.thumbprint").digest()).rstrip(b"=").decode()
    assert calls == [
        ("add", "_acme-challenge.example.org", digest),
        ("remove", "_acme-challenge.example.org", digest),
    ]


def test_persistent_record() -> None:
    """The static record names issuer and account, and says so where it shall count for wildcards."""
    name, text = persistent_record("*.example.org", "letsencrypt.org", "https://ca.test/1")
    assert name == "_validation-persist.example.org"
    assert text == "letsencrypt.org; accounturi=https://ca.test/1; policy=wildcard"
    assert persistent_record("example.org", "a", "b")[1] == "a; accounturi=b"


def test_tokens() -> None:
    """Tokens are base64url; nothing else is ever answered or written."""
    assert is_token("abc-_123")
    assert not any(is_token(token) for token in ("", "../etc", "a b", "a/b", "x" * 300, "ä", "a\n"))


def test_secrets_are_not_shown() -> None:
    """A challenge does not show its token."""
    assert "secret" not in repr(Challenge("http-01", "secret", "secret.x"))


def test_ready_before_the_authority_looks() -> None:
    """Where several processes answer, a responder is done once all of them do."""
    ready: Deferred[None] = Deferred()
    names = ServerNames()
    tokens: dict[bytes, bytes] = {}

    async def wait() -> None:
        await ready

    for responder in (HTTP01Responder(tokens, wait), TLSALPN01Responder(names, wait)):
        ready = Deferred()
        done = Deferred.fromCoroutine(responder.start_responding("a.org", Challenge(responder.type, "t", "t.x")))
        assert not done.called
        ready.callback(None)
        assert done.called
    assert tokens == {b"t": b"t.x"}
