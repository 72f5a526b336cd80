"""Certificates on disk: whole after a crash at any step, private, locked, cleaned, and taken over from txacme."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.tls.certificate import CertifiedKey
from gateway.tls.disk import Disk
from gateway.tls.sni import ServerNames
from gateway.tls.state import NameState, Window
from gateway.tls.store import Account, DirectoryStore, PendingOrder
from gateway.units import Seconds
from tests.support.effort import calls
from tests.support.fake_ca import self_signed

NAME = "a.example.org"


class Crash(Exception):
    """The process is killed."""


class CrashingDisk(Disk):
    """Dies at a step, having written only half of what it should."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0

    def _step(self) -> bool:
        self.steps += 1
        return self.steps == self.at

    def folder(self, path: Path) -> None:
        if self._step():
            raise Crash
        super().folder(path)

    def write(self, path: Path, data: bytes) -> None:
        if self._step():
            super().write(path, data[: len(data) // 2])
            raise Crash
        super().write(path, data)

    def link(self, path: Path, new: Path) -> None:
        if self._step():
            raise Crash
        super().link(path, new)

    def rename(self, path: Path, new: Path) -> None:
        if self._step():
            raise Crash
        super().rename(path, new)

    def sync(self, folder: Path) -> None:
        if self._step():
            raise Crash
        super().sync(folder)


def test_keeps_the_one_before(tmp_path: Path) -> None:
    """A certificate is found again, and the one before stays as `.prev`."""
    store, first, second = DirectoryStore(tmp_path), self_signed(NAME), self_signed(NAME)
    assert store.get(NAME) is None
    store.put(NAME, first)
    store.put(NAME, second)
    found = DirectoryStore(tmp_path).get(NAME)
    assert found is not None
    assert found.serial == second.serial
    assert (tmp_path / NAME / "cert.prev").read_bytes() == first.chain
    assert (tmp_path / NAME / "key.prev").read_bytes() == first.key


def test_crash_at_each_step(tmp_path: Path) -> None:
    """Whenever the process is killed, the next start finds the old certificate or the new one, with its key."""
    first, second = self_signed(NAME), self_signed(NAME)
    found = []
    for at in range(1, 100):
        folder = tmp_path / str(at)
        DirectoryStore(folder).put(NAME, self_signed(NAME))
        DirectoryStore(folder).put(NAME, first)
        disk = CrashingDisk(at)
        try:
            DirectoryStore(folder, disk).put(NAME, second)
        except Crash:
            kept = DirectoryStore(folder).get(NAME)
            assert kept is not None, f"nothing left after step {at}"
            found.append(kept.serial)
            DirectoryStore(folder).put(NAME, second)
            again = DirectoryStore(folder).get(NAME)
            assert again is not None
            assert again.serial == second.serial
        else:
            break
    assert len(found) >= 12
    assert set(found) == {first.serial, second.serial}
    assert found == sorted(found, key=lambda serial: serial == second.serial), "first the old one, then the new one"


def test_truncated_at_each_byte(tmp_path: Path) -> None:
    """A certificate file that is damaged costs nothing: the one before is served."""
    store, first, second = DirectoryStore(tmp_path), self_signed(NAME), self_signed(NAME)
    store.put(NAME, first)
    store.put(NAME, second)
    for size in range(0, len(second.chain) - 40, 37):
        (tmp_path / NAME / "cert").write_bytes(second.chain[:size])
        found = store.get(NAME)
        assert found is not None
        assert found.serial == first.serial


def test_another_name(tmp_path: Path) -> None:
    """A certificate in the folder of another name is not served for it."""
    store = DirectoryStore(tmp_path)
    store.put(NAME, self_signed("other.example.org"))
    assert store.get(NAME) is None


def test_wildcards(tmp_path: Path) -> None:
    """A wildcard has a folder whose name is no pattern."""
    store = DirectoryStore(tmp_path)
    store.put("*.example.org", self_signed("*.example.org"))
    assert [each.name for each in tmp_path.iterdir()] == ["_wildcard.example.org"]
    assert store.names() == ["*.example.org"]
    assert store.get("*.example.org") is not None


def test_cleans(tmp_path: Path) -> None:
    """Certificates of names without a site go two weeks after they expired, others stay."""
    store, day = DirectoryStore(tmp_path), 86400
    for name in ("kept.example.org", "gone.example.org"):
        store.put(name, self_signed(name, timedelta(days=1)))
        store.put_state(name, NameState(failures=1))
    now = time.time()
    assert store.clean(["kept.example.org"], Seconds(now + 14 * day)) == []
    assert store.clean(["kept.example.org"], Seconds(now + 16 * day)) == ["gone.example.org"]
    assert store.names() == ["kept.example.org"]


def test_takes_over_txacme(tmp_path: Path) -> None:
    """A folder of txacme's DirectoryStore, the key before the chain in one file, is read and goes on."""
    old, store = tmp_path / "old", DirectoryStore(tmp_path / "new")
    old.mkdir()
    theirs, ours = self_signed(NAME), self_signed("b.example.org")
    (old / f"{NAME}.pem").write_bytes(theirs.key + theirs.chain)
    (old / "b.example.org.pem").write_bytes(theirs.key + theirs.chain)
    (old / "c.example.org.pem").write_bytes(b"nothing")
    (old / "client.key").write_bytes(theirs.key)
    store.put("b.example.org", ours)
    assert store.take_over(old) == [NAME]
    found = store.get(NAME)
    assert found is not None
    assert found.serial == theirs.serial
    assert store.take_over(old) == []


def test_remembers(tmp_path: Path) -> None:
    """What is remembered of a name is found again; what is damaged counts as nothing."""
    store = DirectoryStore(tmp_path)
    window = Window(certificate="a.b", start=Seconds(1), end=Seconds(2), moment=Seconds(1.5), poll=Seconds(3))
    state = NameState(failures=3, error="no", challenge="http-01", window=window, alarmed=("failure",))
    store.put_state(NAME, state)
    assert store.state(NAME) == state
    for damage in (b"", b"{", b"[]", b'{"failures": "x"}', b'{"window": {"start": 1}}', b'{"window": 5}', b"null"):
        (tmp_path / NAME / "meta").write_bytes(damage)
        assert store.state(NAME) == NameState()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"url": 1}', b"5"])
def test_damaged_account(tmp_path: Path, damage: bytes) -> None:
    """A damaged account or order counts as none."""
    store = DirectoryStore(tmp_path)
    store.put_account(Account('{"kty": "EC"}', "https://ca.test/1"))
    assert store.account() is not None
    store.put_order(NAME, PendingOrder("https://ca.test/o", "key", Seconds(1)))
    assert store.order(NAME) is not None
    (tmp_path / "account").write_bytes(damage)
    (tmp_path / NAME / "order").write_bytes(damage)
    assert store.account() is None
    assert store.order(NAME) is None


@pytest.mark.parametrize("created", ['"yesterday"', "null", "[]"])
def test_an_order_without_a_time(tmp_path: Path, created: str) -> None:
    """An order that does not say when it was made counts as none."""
    store = DirectoryStore(tmp_path)
    store.put_order(NAME, PendingOrder("https://ca.test/o", "key", Seconds(1)))
    path = tmp_path / NAME / "order"
    path.write_text(path.read_text().replace('"created": 1', f'"created": {created}'))
    assert store.order(NAME) is None


def test_two_hundred(tmp_path: Path) -> None:
    """Two hundred certificates are read at a start, each at as little cost as one of few."""
    store, names = DirectoryStore(tmp_path), ServerNames()
    found: dict[str, CertifiedKey | None] = {}

    def cost(certificates: int) -> float:
        for number in range(len(found), certificates):
            store.put(f"n{number}.example.org", self_signed(f"n{number}.example.org"))
        return calls(lambda: found.update((name, store.get(name)) for name in store.names())) / certificates

    cost(1)  # what is made once
    few, many = cost(20), cost(200)
    assert many < 1.1 * few
    for name, key in found.items():
        assert isinstance(key, CertifiedKey)
        names.put(name, key)
    assert all(names.has_certificate(f"n{number}.example.org") for number in range(200))
