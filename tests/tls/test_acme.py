"""One order from account to certificate, against an authority that behaves well and badly."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest
from cryptography import x509

from gateway.tls.account import AccountSettings
from gateway.tls.acme import Wish
from gateway.tls.authority import ExternalAccount
from gateway.tls.disk import Disk
from gateway.tls.problems import (
    AuthorityRefused,
    AuthorityUnreachable,
    NotStored,
    OrderExpired,
    OrderRefused,
    SettingsLacking,
    ValidationFailed,
)
from gateway.tls.responders import DNSPersist01Responder
from tests.support.issuing import World

NAME = "a.example.org"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_issues(world: World) -> None:
    """A name gets a P-256 certificate, by http-01, with the token answered only while it is asked for."""
    seen = []

    def validate(name: str, kind: str, token: str, thumbprint: str) -> str:
        seen.append(kind)
        assert world.http.tokens == {token.encode(): f"{token}.{thumbprint}".encode()}
        return ""

    world.ca.validate = validate
    issued = world.issue()
    assert issued.key.names == (NAME,)
    assert b"BEGIN PRIVATE KEY" in issued.key.key
    assert issued.challenge == "http-01"
    assert seen == ["http-01"]
    assert world.http.tokens == {}
    assert world.ca.contacts == [["mailto:me@example.org"]]
    assert world.store.order(NAME) is None


def test_keys_are_new(world: World) -> None:
    """Each certificate has a new key, and the account is made once."""
    first, second = world.issue(), world.issue()
    assert first.key.key != second.key.key
    assert len(world.ca.accounts) == 1
    world.restart()
    world.issue()
    assert len(world.ca.accounts) == 1


def test_falls_to_other_challenge(world: World) -> None:
    """Where http-01 fails, tls-alpn-01 is tried at once with a certificate made for it."""

    def validate(name: str, kind: str, token: str, thumbprint: str) -> str:
        if kind == "http-01":
            return "connection refused"
        return "" if name.encode() in world.names._challenges else "no certificate"

    world.ca.validate = validate
    issued = world.issue()
    assert issued.challenge == "tls-alpn-01"
    assert [order.challenge for order in world.ca.orders] == ["http-01", "tls-alpn-01"]
    assert not world.names._challenges


def test_remembers_challenge(world: World) -> None:
    """What succeeded last is tried first."""
    assert world.issue(remembered="tls-alpn-01").challenge == "tls-alpn-01"


def test_validation_fails(world: World) -> None:
    """Where every challenge fails, the authority's own words are in the error, and the next time is a new order."""
    world.ca.validate = lambda name, kind, token, thumbprint: "203.0.113.9: Connection refused\x1b[1m"
    with pytest.raises(ValidationFailed, match=r"tls-alpn-01 failed: connection: 203.0.113.9: Connection refused \[1m"):
        world.issue()
    assert world.store.order(NAME) is None
    assert world.http.tokens == {}


@pytest.mark.parametrize("times", [1, 2, 3])
def test_bad_nonce(world: World, times: int) -> None:
    """A nonce that the authority refuses is replaced by a fresh one, three times."""
    world.ca.faults["new-order"] = [(400, "badNonce", {})] * times
    world.issue()
    assert world.ca.calls.count("new-order") == times + 1
    assert world.ca.calls.count("nonce") == times + 1


def test_bad_nonces_end(world: World) -> None:
    """A fourth bad nonce is an error."""
    world.ca.faults["new-order"] = [(400, "badNonce", {})] * 4
    with pytest.raises(AuthorityRefused, match="badNonce"):
        world.issue()


@pytest.mark.parametrize("value", ["120", "Fri, 15 Jan 2027 08:02:01 GMT"])
def test_rate_limited(world: World, value: str) -> None:
    """429 tells when to come back, in seconds or as a date."""
    world.ca.faults["new-order"] = [(429, "rateLimited", {"Retry-After": value})]
    with pytest.raises(AuthorityRefused) as caught:
        world.issue()
    assert caught.value.code == "rateLimited"
    assert caught.value.retry_after == pytest.approx(120, abs=2)


def test_processing_lasts(world: World) -> None:
    """An order that is processed for long is asked after as often as the authority wants, then fetched."""
    world.ca.processing, world.ca.retry_after = 3, "20"
    before = world.now()
    world.issue()
    assert 60 <= world.now() - before < 90


def test_processing_never_ends(world: World) -> None:
    """An order that is processed for ever is given up."""
    world.ca.processing = 1_000_000
    with pytest.raises(OrderExpired, match="not issued in time"):
        world.issue()


def test_validation_never_ends(world: World) -> None:
    """A validation that never ends is given up, and its token is answered no more."""
    world.ca.looks = 1_000_000
    with pytest.raises(OrderExpired, match="not validated"):
        world.issue()
    assert world.http.tokens == {}


def test_order_becomes_invalid(world: World) -> None:
    """An order that becomes invalid while it is finalized is an error with the authority's words."""

    def fail(order: object) -> None:
        world.ca.orders[0].status = "invalid"
        world.ca.orders[0].error = {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids"}

    world.ca.on_finalize = fail
    with pytest.raises(OrderExpired, match="caa: CAA forbids"):
        world.issue()
    assert world.store.order(NAME) is None


def test_account_gone(world: World) -> None:
    """Where the authority forgot the account, a new one with a new key is made and the order succeeds."""
    world.issue()
    old = dict(world.ca.accounts)
    world.ca.accounts.clear()
    world.issue()
    assert len(world.ca.accounts) == 1
    assert list(world.ca.accounts.values()) != list(old.values())


def test_alternate_chain(world: World) -> None:
    """The chain that ends below the preferred issuer is taken; without preference the authority's first."""
    assert _top(world.issue().key.chain) == "Fake Root"
    world.chain = "Other Root"
    world.restart()
    assert _top(world.issue().key.chain) == "Other Root"
    world.chain = "Unknown Root"
    world.restart()
    assert _top(world.issue().key.chain) == "Fake Root"


def test_replaces(world: World) -> None:
    """`replaces` is sent (RFC 9773 §5); where the certificate was replaced already, the order is made without it."""
    world.issue(replaces="aki.serial")
    world.issue(replaces="aki.serial")
    assert [order.replaces for order in world.ca.orders] == ["aki.serial", ""]


def test_profile(world: World) -> None:
    """A profile is sent if the authority offers it; else the error lists what it offers and nothing is ordered."""
    world.ca.profiles = {"tlsserver": "https://ca.test/a", "shortlived": "https://ca.test/b"}
    world.issue(profile="shortlived")
    assert world.ca.orders[0].profile == "shortlived"
    with pytest.raises(SettingsLacking, match="no profile 'classic'; it offers: shortlived, tlsserver"):
        world.issue(profile="classic")
    assert len(world.ca.orders) == 1


def test_terms(world: World) -> None:
    """Terms are agreed to by `email` or `agree`, never silently."""
    world.account = AccountSettings()
    world.restart()
    with pytest.raises(SettingsLacking, match="agree = true"):
        world.issue()
    assert not world.ca.accounts
    world.account = AccountSettings(agree=True)
    world.restart()
    world.issue()
    assert world.ca.contacts == [[]]


def test_external_account(world: World) -> None:
    """An authority that wants an external account gets its binding, and its key shows nowhere."""
    world.ca.external = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
    with pytest.raises(SettingsLacking, match="eab"):
        world.issue()
    external = ExternalAccount("kid-1", world.ca.external["kid-1"])
    world.account = AccountSettings(email="me@example.org", external=external)
    assert "zWND" not in repr(world.account)
    world.restart()
    world.issue()


def test_restart_in_order(world: World) -> None:
    """An order under way goes on after a restart: nothing is ordered again, the key is the same."""
    world.ca.looks = 1_000_000
    with pytest.raises(AssertionError, match="did not end"):
        world.finish(world.issuer.issue(Wish(name=NAME)), longest=20)
    pending = world.store.order(NAME)
    assert pending is not None
    world.ca.looks = 1
    world.restart()
    issued = world.issue()
    assert len(world.ca.orders) == 1
    assert issued.key.key.decode() == pending.key


def test_restart_before_download(world: World) -> None:
    """A certificate that was issued but not fetched is fetched after the restart."""
    world.ca.faults["cert"] = [(0, "", {})]
    with pytest.raises(AuthorityUnreachable, match="timed out"):
        world.issue()
    world.restart()
    world.issue()
    assert len(world.ca.orders) == 1


def test_old_order(world: World) -> None:
    """An order that was under way days ago is not gone on with."""
    world.ca.faults["cert"] = [(0, "", {})]
    with pytest.raises(AuthorityUnreachable):
        world.issue()
    world.clock.advance(2 * 86400)
    world.issue()
    assert len(world.ca.orders) == 2


def test_full_disk(tmp_path: Path) -> None:
    """A full disk is told before anything is ordered."""

    class Full(Disk):
        def write(self, path: Path, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    world = World(tmp_path, Full())
    with pytest.raises(NotStored, match="No space left on device"):
        world.issue()
    assert not world.ca.orders


def test_ledger(world: World) -> None:
    """Our own limits hold, also after a restart."""
    world.ca.validate = lambda name, kind, token, thumbprint: "no"
    for _ in range(2):
        with pytest.raises(ValidationFailed):
            world.issue()
    with pytest.raises(OrderRefused, match="5 failed validations"):
        world.issue()
    world.restart()
    orders = len(world.ca.orders)
    with pytest.raises(OrderRefused, match="5 failed validations") as caught:
        world.issue()
    assert len(world.ca.orders) == orders == 5
    assert world.now() < caught.value.until <= world.now() + 3600


def test_wildcard(world: World) -> None:
    """A wildcard is only validated by a DNS challenge."""
    with pytest.raises(SettingsLacking, match="needs a DNS challenge"):
        world.issue("*.example.org")
    world.responders.append(DNSPersist01Responder())
    issued = world.issue("*.example.org")
    assert issued.challenge == "dns-persist-01"
    assert issued.key.names == ("*.example.org",)


def test_unreachable(world: World) -> None:
    """A server that does not answer is an error that says so, and is asked anew the next time."""
    world.ca.faults["directory"] = [(0, "", {})]
    with pytest.raises(AuthorityUnreachable, match=r"ca\.test/directory cannot be reached"):
        world.issue()
    world.issue()


def test_private(world: World) -> None:
    """Keys and tokens stand in files that only we may read, and in no repr."""
    world.issue()
    for path in world.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    account = world.store.account()
    assert account is not None
    assert "PRIVATE" not in repr(account)
    assert '"d"' in account.key
    assert '"d"' not in repr(account)


def _top(chain: bytes) -> str:
    issuer = x509.load_pem_x509_certificates(chain)[-1].issuer
    return str(issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
