from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.tls.certificate import CertificateUnusable, CertifiedKey
from tests.support.certificates import Authority

DAY = 86_400


def test_what_is_read() -> None:
    """Names, times, issuer and serial number of the leaf are known; the key never shows in its text."""
    authority = Authority("ca.example")
    pem, key = authority.pair("app.example", "*.App.example", "192.0.2.1")
    found = CertifiedKey.load(pem + authority.pem, key)
    assert found.names == ("app.example", "*.app.example", "192.0.2.1")
    assert abs(found.not_after - found.not_before - 2 * DAY) < 2
    assert found.issuer == "ca.example"
    assert found.serial > 0
    assert found.key == key
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("app.example", True),
        ("a.apps.example", True),
        ("a.b.apps.example", False),
        ("apps.example", False),
        ("*.apps.example", True),
        ("other.example", False),
        ("", False),
    ],
)
def test_coverage(name: str, covered: bool) -> None:
    """A wildcard stands for exactly one label (RFC 9525 §6.3)."""
    found = Authority("ca.example").certified("app.example", "*.apps.example")
    assert found.covers(name) is covered


def test_a_certificate_without_names_covers_nothing() -> None:
    """The common name is no name of a host (RFC 9525 §2)."""
    found = Authority("ca.example").certified()
    assert found.names == ()
    assert not found.covers("app.example")


def refused(chain: bytes, key: bytes) -> str:
    with pytest.raises(CertificateUnusable) as caught:
        CertifiedKey.load(chain, key)
    return str(caught.value)


def test_what_does_not_fit() -> None:
    """Another's key, a chain out of order, a locked or unreadable file: each is refused in words."""
    authority, stranger = Authority("ca.example"), Authority("stranger.example")
    pem, key = authority.pair("app.example")
    locked = load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    assert refused(pem, stranger.pair("app.example")[1]) == "the key does not belong to the certificate"
    assert "certificate 1 of the chain (app.example) is not signed by the next one (stranger.example)" in refused(
        pem + stranger.pem, key
    )
    assert refused(authority.pem + pem, key) == (
        "the key belongs to certificate 2 of the chain: the leaf comes first, then each one's issuer"
    )
    assert refused(pem, locked) == "the key is locked by a passphrase"
    assert refused(pem, b"nonsense") == "no PEM private key can be read"
    assert refused(b"nonsense", key).startswith("no PEM certificate can be read")


def test_a_key_that_cannot_sign() -> None:
    """A key of an agreement only is refused."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import NoEncryption

    agreement = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem, _ = Authority("ca.example").pair("app.example")
    assert refused(pem, agreement) == "the key is neither ECDSA, RSA nor EdDSA"


@pytest.mark.parametrize(("says", "chain", "lacks"), [(True, False, True), (True, True, False), (False, False, False)])
def test_without_its_issuer(says: bool, chain: bool, lacks: bool) -> None:
    """A certificate of an authority with intermediates lacks something where it comes alone; one of a root does not."""
    authority = Authority("ca.example", issuers="http://ca.example/ca.der" if says else "")
    pem, key = authority.pair("app.example")
    assert CertifiedKey.load(pem + authority.pem * chain, key).lacks_issuer is lacks
