"""The local authority."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.tls.certificate import CertifiedKey
from gateway.tls.local_ca import LocalAuthority, LocalCertificates, is_local, trust_advice
from gateway.tls.sni import ServerNames
from gateway.units import Seconds

DAY = 86400


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> Seconds:
        return Seconds(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def verify(authority: LocalAuthority, key: CertifiedKey, name: str) -> None:
    roots = Store([x509.load_pem_x509_certificate(authority.root.read_bytes())])
    verifier = PolicyBuilder().store(roots).time(datetime.now(UTC)).build_server_verifier(x509.DNSName(name))
    verifier.verify(x509.load_pem_x509_certificate(key.chain), [])


def test_issues(tmp_path: Path, clock: Clock) -> None:
    """Certificates of the authority are good for names below localhost, and for no other, whatever it signs."""
    authority = LocalAuthority(tmp_path / "ca", clock)
    assert not authority.read()
    authority.make()
    verify(authority, authority.issue("app.localhost"), "app.localhost")
    with pytest.raises(VerificationError):
        verify(authority, authority.issue("bank.example.org"), "bank.example.org")


def test_stays(tmp_path: Path, clock: Clock) -> None:
    """The authority is made once; its key is nobody else's to read."""
    LocalAuthority(tmp_path, clock).make()
    root = (tmp_path / "root.pem").read_bytes()
    again = LocalAuthority(tmp_path, clock)
    assert again.read()
    again.issue("app.localhost")
    assert (tmp_path / "root.pem").read_bytes() == root
    assert (tmp_path / "root.key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in repr(again)


def test_damaged(tmp_path: Path, clock: Clock) -> None:
    """An authority that cannot be read, or ends soon, is made anew."""
    authority = LocalAuthority(tmp_path, clock)
    authority.make()
    clock.now += 3600 * DAY
    assert not LocalAuthority(tmp_path, clock).read()
    (tmp_path / "root.key").write_bytes(b"")
    assert not LocalAuthority(tmp_path, clock).read()


def test_names(tmp_path: Path, clock: Clock) -> None:
    """Names get certificates once the gateway runs, at the next start at once, and new ones in time."""
    names = ServerNames()
    local = LocalCertificates(LocalAuthority(tmp_path, clock), names, clock)
    local.set_names(["app.localhost", "*.app.localhost"])
    assert not names.has_certificate("app.localhost")
    local.look()
    assert names.has_certificate("app.localhost")
    assert names.has_certificate("x.app.localhost")
    first = names.find("app.localhost")
    local.look()
    assert names.find("app.localhost") is first
    clock.now += 61 * DAY
    local.look()
    assert names.find("app.localhost") is not first
    local.set_names(["other.localhost"])
    assert not names.has_certificate("app.localhost")
    assert names.has_certificate("other.localhost")


def test_not_needed(tmp_path: Path, clock: Clock) -> None:
    """Without a local name no authority is made."""
    local = LocalCertificates(LocalAuthority(tmp_path / "ca", clock), ServerNames(), clock)
    local.set_names([])
    local.look()
    assert not (tmp_path / "ca").exists()


def test_local_names() -> None:
    """Only localhost and what is below it."""
    assert is_local("localhost")
    assert is_local("a.b.localhost")
    assert not is_local("notlocalhost")
    assert not is_local("localhost.example.org")
    assert "/x/root.pem" in trust_advice(Path("/x/root.pem"))
