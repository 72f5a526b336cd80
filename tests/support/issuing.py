"""What tests of issuing certificates share: a world with one clock, a fake authority and workers that do not wait."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gateway.tls.account import AccountKeeper, AccountSettings
from gateway.tls.acme import Issued, Issuer, Wish
from gateway.tls.authority import Authority
from gateway.tls.disk import Disk
from gateway.tls.ledger import Ledger
from gateway.tls.responders import HTTP01Responder, Responder, TLSALPN01Responder
from gateway.tls.sni import ServerNames
from gateway.tls.store import DirectoryStore
from gateway.units import Seconds
from tests.support.fake_ca import DIRECTORY, FakeCA

_Result = TypeVar("_Result")
NOW = 1_800_000_000.0


class InlineWorker:
    """A `Worker` that runs each call at once."""

    def run(self, call: Callable[[], _Result]) -> Deferred[_Result]:
        return maybeDeferred(call)


class HeldWorker:
    """A `Worker` whose calls wait until `release`: an authority that is slow."""

    def __init__(self) -> None:
        self.held: list[Callable[[], None]] = []

    def run(self, call: Callable[[], _Result]) -> Deferred[_Result]:
        result: Deferred[_Result] = Deferred()
        self.held.append(lambda: maybeDeferred(call).chainDeferred(result))
        return result

    def release(self) -> int:
        """Let everything through that waits now, and what follows from it."""
        count = 0
        while self.held:
            self.held.pop(0)()
            count += 1
        return count


class World:
    """A clock, a fake authority, and an issuer that asks it.

    Args:
        folder: Where files go.
    """

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.ca = FakeCA(self.clock.seconds)
        self.disk = disk or Disk()
        self.folder = folder
        self.names = ServerNames()
        self.http = HTTP01Responder()
        self.responders: list[Responder] = [self.http, TLSALPN01Responder(self.names)]
        self.account = AccountSettings(email="me@example.org")
        self.dates: list[float] = []
        self.chain = ""
        self.worker = InlineWorker()
        self.restart()

    def now(self) -> Seconds:
        return Seconds(self.clock.seconds())

    def restart(self) -> None:
        """Forget everything that is only in memory."""
        self.store = DirectoryStore(self.folder / "ca.test", self.disk)
        self.ledger = Ledger(self.folder / "ca.test" / "ledger", self.now(), self.disk)
        self.authority = Authority(DIRECTORY, "", self.ca)
        self.authority.on_date = self.dates.append
        keeper = AccountKeeper(self.authority, self.store, self.worker, self.account)
        self.issuer = Issuer(
            self.authority, self.store, self.ledger, self.worker, self.clock, self.now, self.responders, keeper,
            self.chain,
        )  # fmt: skip

    def issue(self, name: str = "a.example.org", **wish: Any) -> Issued:
        """Issue and store a certificate, letting as much time pass as it takes."""
        issued = self.finish(self.issuer.issue(Wish(name=name, **wish)))
        self.store.put(name, issued.key)
        return issued

    def finish(self, coroutine: Coroutine[Deferred[Any], Any, _Result], longest: float = 3600) -> _Result:
        """Let time pass until a coroutine has ended.

        Raises:
            Exception: What it ended with.
        """
        outcome: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
        end = self.clock.seconds() + longest
        while not outcome and self.clock.seconds() < end:
            self.clock.advance(1)
        assert outcome, "it did not end in time"
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]
