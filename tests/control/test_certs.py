"""`gateway certs` and `gateway trust`."""

from __future__ import annotations

import errno
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.control import certs, cli
from gateway.control.advice import Advice
from gateway.control.dns_look import read_caa
from gateway.tls.ledger import FAILURE, Entry, Ledger
from gateway.tls.local_ca import LocalAuthority
from gateway.tls.state import NameState
from gateway.tls.state_folder import StateLock
from gateway.tls.store import Account, DirectoryStore
from gateway.units import Seconds
from tests.support.fake_ca import self_signed

SITE = 'redirect = "https://elsewhere.example.org"\n'
ACME = '[acme]\nemail = "me@example.org"\n'


class Fake:
    """A world as a test wants it."""

    def __init__(self) -> None:
        self.found, self.own = ["203.0.113.9"], ["203.0.113.9"]
        self.open, self.records = True, []

    def addresses(self, name: str) -> list[str]:
        return self.found

    def own_addresses(self) -> list[str]:
        return self.own

    def connects(self, name: str, port: int) -> bool:
        return self.open

    def caa(self, name: str) -> list[tuple[str, str]] | None:
        return self.records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sites = tmp_path / "sites"
    sites.mkdir()
    (sites / "gateway.toml").write_text(f'state = "{tmp_path / "state"}"\n{ACME}')
    for name in ("a.example.org", "_wildcard.example.net", "app.localhost"):
        (sites / f"{name}.toml").write_text(SITE)
    (sites / "plain.example.org.toml").write_text(f"https = false\n{SITE}")
    return sites


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "state" / "acme" / "letsencrypt")


def explain(folder: Path, name: str, world: Fake | None = None) -> str:
    loaded = load(folder, {})
    assert loaded.config is not None
    return "\n".join(Advice(loaded, loaded.config, world or Fake(), Seconds(time.time())).sentences(name))


def test_list(folder: Path, store: DirectoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    """Every name has a line with issuer, days left and what happens next; names without a site are still there."""
    store.put("a.example.org", self_signed("a.example.org"))
    store.put("gone.example.org", self_signed("gone.example.org", timedelta(days=1), age=timedelta(days=2)))
    assert cli.main(["certs", "list", "-c", str(folder)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "90 days" in lines["a.example.org"]
    assert "a third of its lifetime is left" in lines["a.example.org"]
    assert "asks now: there is no certificate yet" in lines["*.example.net"]
    assert "EXPIRED" in lines["gone.example.org"]
    assert "no site" in lines["gone.example.org"]
    assert "app.localhost" not in lines
    assert "plain.example.org" not in lines


def test_renew_without_gateway(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a running gateway, or for another name, `renew` says so and leaves nothing."""
    assert cli.main(["certs", "renew", "a.example.org", "-c", str(folder)]) == 1
    assert "no gateway is running" in capsys.readouterr().out
    assert cli.main(["certs", "renew", "app.localhost", "-c", str(folder)]) == 1
    assert "no automatic certificate" in capsys.readouterr().out
    assert not (folder.parent / "state").exists()


@pytest.mark.parametrize(
    ("command", "place", "call"),
    [
        ("list", os, "scandir"),
        ("why a.example.org", Path, "read_bytes"),
        ("renew a.example.org", os, "open"),
    ],
    ids=["list", "why", "renew"],
)
def test_not_permitted(
    folder: Path,
    command: str,
    place: object,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who may not read the state folder is told whom to be, and nothing else."""
    permitted = getattr(place, call)

    def refuse(path: object, *others: object, **more: object) -> object:
        if "/state/" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return permitted(path, *others, **more)

    monkeypatch.setattr(place, call, refuse)
    assert cli.main(["certs", *command.split(), "-c", str(folder)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("no permission for ")
    assert said.endswith(": run this as the gateway's user or as root\n")
    assert said.count("\n") == 1


def test_why_state(folder: Path, store: DirectoryStore) -> None:
    """What holds a name up is said: failures, our own limits, the next try."""
    now = Seconds(time.time())
    failing = NameState(failures=3, first_failure=now, last_failure=now, next_try=Seconds(now + 600), error="refused")
    store.put_state("a.example.org", failing)
    ledger = Ledger(store.folder / "ledger", now)
    for _ in range(5):
        ledger.save(ledger.note(Entry(now, FAILURE, "a.example.org")))
    said = explain(folder, "a.example.org")
    assert "has no certificate" in said
    assert "3 failed in a row since " in said
    assert ": refused.\n" in said
    assert "5 failed validations" in said


def test_why_nothing_happens(folder: Path) -> None:
    """That no gateway is running is said, for then no next try comes."""
    assert "No gateway is running" in explain(folder, "a.example.org")
    lock = StateLock(folder.parent / "state" / "acme")
    assert lock.acquire()
    assert "No gateway is running" not in explain(folder, "a.example.org")
    lock.release()


def test_why_world(folder: Path) -> None:
    """Advice on addresses, port 80 and CAA."""
    world = Fake()
    said = explain(folder, "a.example.org", world)
    assert "is not this machine" not in said
    assert "No CAA record forbids" in said
    world.own, world.open, world.records = ["8.8.8.8"], False, [("issue", "pki.goog; x=y")]
    world.found = ["8.8.8.8", "2001:db8::9"]
    said = explain(folder, "a.example.org", world)
    assert "The AAAA record 2001:db8::9 is not this machine" in said
    assert "Port 80 of a.example.org does not accept" in said
    assert "CAA records allow pki.goog: add letsencrypt.org." in said
    world.found = []
    assert "DNS has no address" in explain(folder, "a.example.org", world)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown.example.org", "No site file has this name"),
        ("plain.example.org", "does without HTTPS"),
        ("app.localhost", "set `local_ca = true`"),
        ("*.example.net", "A wildcard needs a DNS challenge"),
        ("*.broken.org", "Its site file has errors"),
    ],
)
def test_why_not(folder: Path, name: str, reason: str) -> None:
    """A name that gets no certificate is told why."""
    (folder / "_wildcard.broken.org.toml").write_text("prox = 1\n")
    assert reason in explain(folder, name)


def test_names_as_people_write_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name may have capitals, other than ASCII letters and a final dot; what is no name is refused as such."""
    (folder / "bücher.example.org.toml").write_text(SITE)
    assert cli.main(["certs", "renew", "Bücher.example.org.", "-c", str(folder)]) == 1
    assert "no gateway is running" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["certs", "renew", "a b", "-c", str(folder)])
    assert "a b" in capsys.readouterr().err


def test_why_persistent_record(folder: Path, store: DirectoryStore) -> None:
    """The record that dns-persist-01 needs is printed, once the account is known."""
    config = folder / "gateway.toml"
    config.write_text(config.read_text() + 'challenges = ["dns-persist-01"]\n')
    assert "once the account is registered" in explain(folder, "*.example.net")
    store.put_account(Account("{}", "https://ca.test/acct/1"))
    text = '_validation-persist.example.net TXT "letsencrypt.org; accounturi=https://ca.test/acct/1; policy=wildcard"'
    assert text in explain(folder, "*.example.net")


def test_nobody_is_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without `email` or `agree` list and why say what to set."""
    config = folder / "gateway.toml"
    config.write_text(config.read_text().replace(ACME, ""))
    cli.main(["certs", "list", "-c", str(folder)])
    assert "set `email`, or `agree = true`" in capsys.readouterr().out
    assert "set `email`, or `agree = true`" in explain(folder, "a.example.org")


def test_trust(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`gateway trust` names the file to trust, or says what is missing before there is one."""
    assert cli.main(["trust", "-c", str(folder)]) == 1
    assert "local_ca = true" in capsys.readouterr().out
    config = folder / "gateway.toml"
    config.write_text(f"local_ca = true\n{config.read_text()}")
    assert cli.main(["trust", "-c", str(folder)]) == 1
    assert "start the gateway" in capsys.readouterr().out
    authority = LocalAuthority(folder.parent / "state" / "local_ca", lambda: Seconds(time.time()))
    authority.make()
    assert cli.main(["trust", "-c", str(folder)]) == 0
    assert str(authority.root) in capsys.readouterr().out


def test_days_left() -> None:
    """Days, then hours, then the truth."""
    key = self_signed("a.example.org")
    left = [certs.days_left(key, Seconds(key.not_after - hours * 3600)) for hours in (48, 5, -1)]
    assert left == ["2 days", "5 hours", "EXPIRED"]
    assert certs.days_left(None, Seconds(0)) == "none"


def test_caa_records() -> None:
    """A CAA record is a flag, a tag and a value (RFC 8659 §4.1); a damaged one is nobody's."""
    assert read_caa(b"\x00\x05issueletsencrypt.org") == ("issue", "letsencrypt.org")
    assert read_caa(b"") == ("", "")
