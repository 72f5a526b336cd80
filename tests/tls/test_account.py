"""The account: one whatever happens to the disk, the key or the authority."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gateway.tls.account import AccountKeeper, AccountSettings
from gateway.tls.disk import Disk
from gateway.tls.problems import NotStored, SettingsLacking
from gateway.tls.store import Account
from tests.support.issuing import HeldWorker, World


class Filling(Disk):
    """Full from a certain write on."""

    left = 1000

    def write(self, path: Path, data: bytes) -> None:
        if self.left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= 1
        super().write(path, data)


def keeper(world: World, worker: Any = None, **settings: Any) -> AccountKeeper:
    chosen = AccountSettings(email="me@example.org", **settings)
    return AccountKeeper(world.authority, world.store, worker or world.worker, chosen)


def use(world: World, account: AccountKeeper) -> str:
    world.finish(account.use())
    return account.url


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_one_for_many_orders(world: World) -> None:
    """Those who need it at the same moment have one account, made once."""
    worker = HeldWorker()
    account = keeper(world, worker)
    for _ in range(3):
        Deferred.fromCoroutine(account.use())
    while worker.release():
        pass
    assert account.url in world.ca.accounts
    assert world.ca.calls.count("account") == 1


@pytest.mark.parametrize(
    "damaged",
    [
        lambda _: {},
        lambda _: {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        lambda key: {**key, "crv": "P-0"},
        lambda key: {**key, "x": "AAAA"},
        lambda key: {**key, "d": 5},
        lambda key: {**key, "d": key["x"]},
        lambda key: {name: value for name, value in key.items() if name != "d"},
        lambda _: [],
        lambda _: 5,
        lambda _: None,
    ],
    ids=["empty", "RSA", "unknown curve", "short", "number", "of another", "public", "list", "5", "null"],
)
def test_a_key_that_cannot_sign(world: World, damaged: Callable[[dict[str, Any]], object]) -> None:
    """An account whose key is damaged is none: a new one is made, and orders succeed again."""
    url = use(world, keeper(world))
    stored = world.store.account()
    assert stored is not None
    world.store.put_account(Account(json.dumps(damaged(json.loads(stored.key))), url))
    world.restart()
    assert world.issue().key.names
    assert len(world.ca.accounts) == 2


def test_the_key_outlives_a_full_disk(tmp_path: Path) -> None:
    """Where the URL could not be written, the next start finds the same account by its key."""
    disk = Filling()
    world = World(tmp_path, disk)
    disk.left = 1
    with pytest.raises(OSError, match="No space left"):
        use(world, keeper(world))
    (url,) = world.ca.accounts
    disk.left = 1000
    world.restart()
    assert use(world, keeper(world)) == url
    assert list(world.ca.accounts) == [url]


def test_nothing_is_registered_that_cannot_be_kept(tmp_path: Path) -> None:
    """Without room for the key the authority is not asked for an account."""
    disk = Filling()
    world = World(tmp_path, disk)
    disk.left = 0
    with pytest.raises(OSError, match="No space left"):
        use(world, keeper(world))
    assert not world.ca.accounts


def test_a_full_disk_as_the_account_is_gone(tmp_path: Path) -> None:
    """The order fails with the reason, and succeeds once there is room."""
    disk = Filling()
    world = World(tmp_path, disk)
    world.issue()
    world.ca.accounts.clear()
    disk.left = 0
    with pytest.raises(NotStored, match="No space left"):
        world.issue()
    disk.left = 1000
    assert world.issue().key.names


def test_forget(world: World) -> None:
    """Only the account that the authority did not know is given up: another may have taken its place already."""
    account = keeper(world)
    url = use(world, account)
    first = account.thumbprint()
    world.finish(account.forget("https://ca.test/account/other"))
    assert (account.url, account.thumbprint()) == (url, first)
    world.finish(account.forget(url))
    assert account.url == ""
    assert account.thumbprint() != first
    world.ca.accounts.clear()
    assert use(world, account) in world.ca.accounts


def test_terms(world: World) -> None:
    """Where there are terms, the operator has agreed or left an address; neither is an error that names the setting."""
    world.ca.terms = "https://ca.test/terms"
    silent = AccountKeeper(world.authority, world.store, world.worker, AccountSettings())
    with pytest.raises(SettingsLacking, match=r"https://ca\.test/terms.*`agree = true`"):
        use(world, silent)
    assert world.store.account() is None
    agreed = AccountKeeper(world.authority, world.store, world.worker, AccountSettings(agree=True))
    assert use(world, agreed) in world.ca.accounts


def test_a_thumbprint_before_the_account(world: World) -> None:
    """There is none."""
    with pytest.raises(RuntimeError):
        keeper(world).thumbprint()
