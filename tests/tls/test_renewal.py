"""The issuing service against a fake authority, with time that only passes when a test says so."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.tls.alarm import Alarm
from gateway.tls.certificate_id import certificate_id
from gateway.tls.disk import Disk
from gateway.tls.problems import OrderRefused
from gateway.tls.renewal import IssuingService
from gateway.tls.sni import ServerNames
from gateway.tls.state import NameState
from gateway.tls.state_folder import Requests, StateLock
from gateway.tls.store import DirectoryStore
from gateway.units import Seconds
from tests.support.issuing import NOW, HeldWorker, World

NAME, OTHER = "a.example.org", "b.example.org"
DAY = 86400.0


class Service(World):
    """A world with an issuing service in it."""

    ahead = 0.0

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        super().__init__(folder, disk)
        self.alarms: list[dict[str, str]] = []
        self.lucky = 0.5
        self.rehearsing = False
        self.known = True
        self.service: IssuingService | None = None

    def start(self, *names: str, worker: HeldWorker | None = None, unasked: str = "") -> None:
        if self.service is not None:
            self.service.stop()
        if worker is not None:
            self.worker = worker  # type: ignore[assignment]
        self.names = ServerNames()
        self.restart()
        staging = World(self.folder / "staging") if self.rehearsing else None
        if staging is not None:
            staging.clock, staging.ca._now = self.clock, self.clock.seconds
            staging.http = self.http
            staging.responders = self.responders
            staging.restart()
            self.staging_ca = staging.ca
        self.service = IssuingService(
            store=self.store,
            lock=StateLock(self.folder, self.disk),
            requests=Requests(self.folder),
            issuer=self.issuer,
            staging=staging.issuer if staging is not None else None,
            names=self.names,
            alarm=Alarm(None, "https://hook.test", self.worker, lambda url, body: self.alarms.append(body)),
            worker=self.worker,
            clock=self.clock,
            now=self.now,
            random=lambda: self.lucky,
            check_known=self._check_known,
        )
        self.authority.on_date = self.service.note_date
        self.service.load(dict.fromkeys(names or (NAME,), ""), frozenset({unasked}))
        self.service.start()

    def now(self) -> Seconds:
        return Seconds(super().now() + self.ahead)

    def _check_known(self, name: str, now: Seconds) -> None:
        if not self.known:
            raise OrderRefused("DNS has no address", Seconds(now + 3600))

    def wait(self, seconds: float, step: float = 5.0) -> None:
        for _ in range(int(seconds / step)):
            self.clock.advance(step)

    def wait_days(self, days: float) -> None:
        self.wait(days * DAY, 1800)

    def serial(self, name: str = NAME) -> int:
        key = self.names.find(name)
        return key.serial if key is not None else 0

    @property
    def given(self) -> list[tuple[str, str]]:
        return [(each["alarm"], each["name"]) for each in self.alarms]


@pytest.fixture
def world(tmp_path: Path) -> Service:
    return Service(tmp_path)


def refuse(world: Service, *names: str) -> None:
    world.ca.validate = lambda name, kind, token, thumbprint: "refused" if name in names else ""


def test_first_certificate(world: Service) -> None:
    """A name without a certificate gets one, which handshakes find and the next start reads before anything else."""
    world.start()
    world.wait(30)
    serial = world.serial()
    assert serial
    world.service.stop()  # type: ignore[union-attr]
    world.names = ServerNames()
    world.restart()
    world.ca.faults["directory"] = [(0, "", {})] * 100
    world.start()
    assert world.serial() == serial
    assert len(world.ca.orders) == 1


@pytest.mark.parametrize(("lifetime", "due"), [(90, 60), (45, 30), (160 / 24, 80 / 24)])
def test_renews_by_fraction(world: Service, lifetime: float, due: float) -> None:
    """A certificate is renewed when a third of its lifetime is left, or a half of a short one, in any unit of days."""
    world.ca.lifetime = lifetime * DAY
    world.start()
    world.wait(30)
    serial = world.serial()
    world.wait_days(due - 0.05)
    assert world.serial() == serial
    world.wait_days(0.1)
    assert world.serial() != serial


def test_early_window(world: Service) -> None:
    """An early renewal window leads to a renewal inside it, which says what it replaces; then the window is another."""
    world.ca.window = (NOW + 50 * DAY, NOW + 60 * DAY)
    world.start()
    world.wait(60)
    first = world.names.find(NAME)
    assert first is not None
    window = world.store.state(NAME).window
    assert window is not None
    assert window.moment == NOW + 55 * DAY
    world.wait_days(1)
    world.ca.window = (NOW + 3 * DAY, NOW + 4 * DAY)
    world.wait_days(1)
    moved = world.store.state(NAME).window
    assert moved is not None
    assert moved.moment == NOW + 3.5 * DAY
    assert world.serial() == first.serial
    world.wait_days(2)
    assert world.serial() != first.serial
    assert world.ca.orders[1].replaces == certificate_id(first)
    assert len(world.ca.orders) <= 3, "a window that has passed is no reason to renew without end"


def test_window_survives(world: Service) -> None:
    """The moment chosen in a window is kept on disk: a restart does not draw another."""
    world.ca.window = (NOW + 50 * DAY, NOW + 60 * DAY)
    world.start()
    world.wait(60)
    world.lucky = 0.1
    world.start()
    world.wait_days(1)
    window = world.store.state(NAME).window
    assert window is not None
    assert window.moment == NOW + 55 * DAY


def test_window_is_polled_as_asked(world: Service) -> None:
    """Renewal information is asked for at Retry-After, yet never more often than hourly."""
    world.ca.window, world.ca.poll = (NOW + 50 * DAY, NOW + 60 * DAY), 1
    world.start()
    world.wait_days(1)
    assert 20 <= world.ca.calls.count("renewal") <= 25


def test_late_window(world: Service) -> None:
    """A window later than the last twentieth of the lifetime does not keep a certificate from being renewed."""
    world.ca.window = (NOW + 200 * DAY, NOW + 201 * DAY)
    world.start()
    world.wait(60)
    serial = world.serial()
    world.wait_days(85)
    assert world.serial() == serial
    world.wait_days(1)
    assert world.serial() != serial


def test_back_off(world: Service) -> None:
    """Failures are retried after 1, 2, 2, 5, 10 minutes and so on; success forgets them."""
    world.ca.faults["new-order"] = [(500, "serverInternal", {})] * 5
    world.start()
    times = [world.now()]
    for _ in range(60 * 25):
        before = world.ca.calls.count("new-order")
        world.wait(5)
        if world.ca.calls.count("new-order") > before:
            times.append(world.now())
    waits = [round((after - before) / 60) for before, after in pairwise(times)]
    assert waits == [1, 2, 2, 5, 10]
    assert world.serial()
    assert world.store.state(NAME).failures == 0


def test_back_off_survives(world: Service) -> None:
    """A crash loop does not ask more often: the next try is on disk."""
    world.ca.faults["new-order"] = [(500, "serverInternal", {})] * 100
    for _ in range(10):
        world.start()
        world.wait(15)
    assert world.ca.calls.count("new-order") <= 3


def test_rate_limit_is_obeyed(world: Service) -> None:
    """429 keeps a name waiting exactly as long as the authority says, and no other name."""
    world.ca.faults["new-order"] = [(429, "rateLimited", {"Retry-After": "7200"})]
    world.start(NAME, OTHER)
    world.wait(60)
    served = [name for name in (NAME, OTHER) if world.serial(name)]
    assert len(served) == 1
    world.wait(7200 - 90)
    assert len(world.ca.orders) == 1
    world.wait(60)
    assert world.serial(NAME)
    assert world.serial(OTHER)


def test_one_fails(world: Service) -> None:
    """A name that always fails keeps no other from its certificate, and is never given up."""
    refuse(world, OTHER)
    world.start(NAME, OTHER)
    world.wait_days(61)
    assert world.serial(NAME)
    assert not world.serial(OTHER)
    assert world.store.state(OTHER).failures > 100
    assert "connection: refused" in world.store.state(OTHER).error
    last = len([order for order in world.ca.orders if order.name == OTHER])
    world.wait_days(2)
    assert 1 <= len([order for order in world.ca.orders if order.name == OTHER]) - last <= 5


def test_staging_after_validation_failure(world: Service) -> None:
    """After a failed validation the staging directory is tried first; only its success leads to the real one."""
    world.rehearsing = True
    refuse(world, NAME)
    world.start()
    world.staging_ca.validate = lambda name, kind, token, thumbprint: "refused"
    world.wait(900)
    real, rehearsed = len(world.ca.orders), len(world.staging_ca.orders)
    assert real == 2  # http-01 and tls-alpn-01, once
    assert rehearsed >= 4
    refuse(world)
    world.staging_ca.validate = world.ca.validate
    world.wait(2 * 3600)
    assert len(world.ca.orders) == real + 1
    assert world.serial()


def test_no_staging_after_other_failures(world: Service) -> None:
    """Only failed validations lead to the staging directory."""
    world.rehearsing = True
    world.ca.faults["new-order"] = [(500, "serverInternal", {})]
    world.start()
    world.wait(600)
    assert world.serial()
    assert not world.staging_ca.orders


def test_slow_authority(world: Service) -> None:
    """An authority that takes its time holds up nothing: the start goes on, stored certificates are served."""
    world.start()
    world.wait(30)
    worker = HeldWorker()
    world.start(NAME, OTHER, worker=worker)
    assert world.serial(NAME)
    world.wait(600)
    assert not world.serial(OTHER)
    for _ in range(60):
        worker.release()
        world.wait(5)
    assert world.serial(OTHER)


def test_orders_survive_reloads(world: Service) -> None:
    """A reload does not disturb an order under way; only removing its name does."""
    world.ca.looks = 1_000_000
    world.start()
    world.wait(20)
    assert world.http.tokens
    world.service.set_names({NAME: "", OTHER: ""})  # type: ignore[union-attr]
    assert world.http.tokens
    world.wait(10)
    assert {order.name for order in world.ca.orders} == {NAME, OTHER}
    world.service.set_names({OTHER: ""})  # type: ignore[union-attr]
    assert len(world.http.tokens) == 1
    world.service.set_names({})  # type: ignore[union-attr]
    assert not world.http.tokens


def test_shown_only(world: Service) -> None:
    """A name whose site has errors keeps its certificate in sight, and none is asked for until it is mended."""
    world.start()
    world.wait(30)
    serial = world.serial()
    world.service.set_names({NAME: None, OTHER: None})  # type: ignore[union-attr]
    world.wait_days(70)
    assert world.serial() == serial
    assert len(world.ca.orders) == 1
    world.service.set_names({NAME: "", OTHER: ""})  # type: ignore[union-attr]
    world.wait(60)
    assert world.serial() != serial
    assert world.serial(OTHER)


def test_removed_and_put_back(world: Service) -> None:
    """A site that is removed keeps its certificate on disk: putting it back costs nothing."""
    world.start()
    world.wait(30)
    serial = world.serial()
    world.service.set_names({})  # type: ignore[union-attr]
    assert not world.serial()
    world.wait_days(30)
    world.service.set_names({NAME: ""})  # type: ignore[union-attr]
    assert world.serial() == serial
    world.wait_days(1)
    assert len(world.ca.orders) == 1


def test_expired_keeps_serving(world: Service) -> None:
    """A certificate that cannot be renewed is served beyond its end, with an alarm at each stage."""
    world.ca.lifetime = 5 * DAY
    world.start()
    world.wait(30)
    serial = world.serial()
    refuse(world, NAME)
    world.wait_days(6)
    assert world.serial() == serial
    kinds = [kind for kind, _ in world.given]
    assert kinds == ["failure", "quarter", "eighth", "expired"]
    assert "connection: refused" in world.alarms[-1]["message"]


def test_alarms_survive(world: Service) -> None:
    """An alarm is given once, restarts or not."""
    refuse(world, NAME)
    for _ in range(3):
        world.start()
        world.wait(30)
    assert world.given == [("failure", NAME)]


def test_wrong_clock(world: Service) -> None:
    """With a clock from before this version was built nothing is judged and nobody is asked."""
    world.clock.rightNow = 1_000_000_000.0
    world.start()
    world.wait(600)
    assert not world.ca.calls
    world.clock.rightNow = NOW
    world.wait(30)
    assert world.serial()


def test_clock_set_back(world: Service) -> None:
    """What was put off by a clock that was years ahead is not waited for once it is right, nor after a restart."""
    world.ca.faults["directory"] = [(0, "", {})] * 20
    world.ahead = 5 * 365 * DAY
    world.start()
    world.wait(60)
    assert world.store.state(NAME).next_try > NOW + 5 * 365 * DAY
    world.ahead = 0
    world.ca.faults.clear()
    world.start()
    world.wait(60)
    serial = world.serial()
    assert serial
    world.ahead = 5 * 365 * DAY
    world.ca.faults["new-order"] = [(500, "serverInternal", {})] * 1000
    world.wait(1200)
    world.ahead = 0
    world.ca.faults.clear()
    world.wait_days(59)
    assert world.serial() == serial
    world.wait_days(2)
    assert world.serial() != serial


def test_skew(world: Service) -> None:
    """An authority whose clock is elsewhere is noticed."""
    world.ca.skew = 900
    world.start()
    world.wait(30)
    assert world.service is not None
    assert world.service.skew == pytest.approx(900, abs=20)
    assert "skew" in world.service._said


def test_full_disk(tmp_path: Path) -> None:
    """A certificate that cannot be stored is served all the same, and stored once there is room, without an order."""

    class Full(Disk):
        full = False

        def write(self, path: Path, data: bytes) -> None:
            if self.full and path.name == "cert.tmp":
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(path, data)

    disk = Full()
    world = Service(tmp_path, disk)
    disk.full = True
    world.start()
    world.wait(30)
    serial = world.serial()
    assert serial
    assert world.store.get(NAME) is None
    assert "No space left" in world.store.state(NAME).error
    disk.full = False
    world.start()
    world.wait(300)
    assert world.serial() == serial
    assert len(world.ca.orders) == 1


def test_unusable_folder(tmp_path: Path, said: list[str]) -> None:
    """A state folder that cannot be used is said once, not each time; alarms come, and all goes on once it can be."""

    class Closed(Disk):
        closed = False

        def folder(self, path: Path) -> None:
            if self.closed:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            super().folder(path)

    disk = Closed()
    world = Service(tmp_path, disk)
    world.ca.lifetime = 90 * DAY
    world.start()
    world.wait(30)
    serial = world.serial()
    disk.closed = True
    world.start()
    world.wait_days(80)
    told = f"the state folder cannot be used, so none is asked for: [Errno 13] Permission denied: '{tmp_path}'"
    assert said.count(f"certificates: {told}") == 1
    assert "looking after certificates failed" not in said
    assert ("eighth", NAME) in world.given
    assert world.serial() == serial
    disk.closed = False
    world.wait(60)
    assert world.serial() != serial


def test_unreadable_name(world: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a name and cannot be read hurts no other name, nor the start."""
    world.start(NAME, OTHER)
    world.wait(30)
    serial, state = world.serial(OTHER), DirectoryStore.state

    def refuse(store: DirectoryStore, name: str) -> NameState:
        if name == NAME:
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return state(store, name)

    monkeypatch.setattr(DirectoryStore, "state", refuse)
    world.start(NAME, OTHER)
    assert world.serial()
    assert world.serial(OTHER) == serial


def test_restart_in_order(world: Service) -> None:
    """A restart in the middle of an order goes on with it."""
    world.ca.looks = 1_000_000
    world.start()
    world.wait(20)
    world.ca.looks = 1
    world.start()
    world.wait(30)
    assert world.serial()
    assert len(world.ca.orders) == 1


def test_wishes(world: Service) -> None:
    """`gateway certs renew` has a certificate renewed before its time."""
    world.start()
    world.wait(30)
    serial = world.serial()
    path = Requests(world.folder).ask(NAME)
    world.wait(30)
    assert not path.exists()
    assert world.serial() != serial


def test_name_that_nobody_asked_for(world: Service, said: list[str]) -> None:
    """The `www.` that a site has by itself gets a certificate once DNS knows it; until then it is no failure."""
    world.known = False
    world.start(NAME, OTHER, unasked=OTHER)
    world.wait(4 * 3600)
    assert world.serial(NAME)
    assert len(world.ca.orders) == 1
    assert not world.given
    assert "DNS has no address" in world.store.state(OTHER).error
    assert len([sentence for sentence in said if sentence.startswith(f"{OTHER}: ")]) == 1
    world.known = True
    world.wait(3700)
    assert world.serial(OTHER)


def test_second_gateway(world: Service, tmp_path: Path) -> None:
    """A second gateway with the same state folder orders nothing, until the first has gone."""
    first = StateLock(tmp_path)
    assert first.acquire()
    world.start()
    world.wait(60)
    assert not world.ca.calls
    first.release()
    world.wait(60)
    assert world.serial()


def test_many_names(world: Service) -> None:
    """A folder full of new names gets its certificates a few at a time, within our own limits."""
    names = [f"n{number}.d{number % 3}.org" for number in range(24)]
    most: list[int] = []
    world.ca.validate = lambda name, kind, token, thumbprint: str(most.append(len(world.http.tokens)) or "")
    world.start(*names)
    world.wait(600)
    assert all(world.serial(name) for name in names)
    assert max(most) <= 4


def test_replaces_is_left_out(world: Service) -> None:
    """The third attempt in a row does without `replaces`."""
    world.ca.window = (NOW + DAY, NOW + DAY)
    world.start()
    world.wait(60)
    world.ca.faults["finalize"] = [(500, "serverInternal", {})] * 2
    refuse(world, NAME)
    world.wait_days(2)
    replaces = [bool(order.replaces) for order in world.ca.orders[1:7]]
    assert replaces == [True, True, True, True, False, False]


@pytest.fixture(autouse=True)
def _quiet() -> Callable[[], None]:
    logging.getLogger("acme").setLevel(logging.ERROR)
    return lambda: None
