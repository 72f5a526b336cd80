"""When upstreams are checked, and what makes them up or down."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from twisted.internet.task import Clock

from gateway.net.sweeper import Sweeper
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.health import HealthChecks
from gateway.upstream.pool import Upstream, UpstreamRegistry
from gateway.upstream.probe import Check, Health
from tests.support.transports import FakeEndpoint

ANSWER = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"
MARKS = [f"a.test 127.0.0.1:{port}/health" for port in (4000, 4001)]


class Checking:
    """Checks of two upstreams whose answers are the test's.

    Attributes:
        status: What each answers; 0 for nothing.
        times: When each was asked.
        told: Which were said to be down, each time.
    """

    def __init__(self, random: Callable[[], float] = lambda: 0.5, *, alone: bool = False, **settings: object) -> None:
        self.clock = Clock()
        self.registry = UpstreamRegistry()
        self.endpoints = [FakeEndpoint(), FakeEndpoint()]
        self.status = [200, 200]
        self.times: list[list[float]] = [[], []]
        self.told: list[set[str]] = []
        self.checks = HealthChecks(self.registry, self.clock, random, lambda down: self.told.append(set(down)))
        self.check = Check(
            health=Health(path="/health", **settings),  # type: ignore[arg-type]
            host=b"a.test",
            alone=alone,
        )
        self.obtain()

    def obtain(self, *keys: str, check: Check | None = None) -> list[Upstream]:
        """Have these upstreams, and no others."""
        wanted = keys or ("0", "1")
        found = [self.registry.obtain((key, check), partial(self._make, key, check)) for key in wanted]
        self.registry.retain([(key, check) for key in wanted])
        return found

    def _make(self, key: str, check: Check | None) -> Upstream:
        number = int(key[0])
        endpoint = self.endpoints[number]
        return Upstream(
            f"127.0.0.1:{4000 + number}",
            endpoint,  # type: ignore[arg-type]  # structural
            ExchangeLimits(),
            Sweeper(),
            64,
            check=check or self.check,
        )

    def wait(self, seconds: float) -> None:
        """Let time pass, and upstreams answer."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            for number, endpoint in enumerate(self.endpoints):
                for transport in endpoint.accepted:
                    if transport.take():
                        self.times[number].append(round(self.clock.seconds(), 1))
                        if self.status[number]:
                            transport.receive(ANSWER % self.status[number])
                endpoint.accepted = [each for each in endpoint.accepted if not each.closing and each.connected]

    @property
    def down(self) -> list[bool]:
        return [upstream.down for upstream in self.registry]


def test_nothing_is_asked_before_the_start() -> None:
    """The rights to do so may not be there yet."""
    checking = Checking()
    checking.wait(10)
    assert checking.times == [[], []]
    assert not checking.clock.getDelayedCalls()


def test_when_they_are_asked() -> None:
    """Each some time within the first interval, then one interval after each answer, a little earlier or later."""
    order = iter([0.0, 0.95, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    checking = Checking(lambda: next(order))
    checking.checks.start()
    checking.wait(7)
    first, second = checking.times
    assert first[0] <= 0.2
    assert 1.8 <= second[0] <= 2.1
    gaps = [after - before for times in (first, second) for before, after in pairwise(times)]
    assert all(1.65 <= gap <= 2.35 for gap in gaps)
    assert len(first) >= 3


def test_two_failures_are_down_and_one_success_is_up(said: list[str]) -> None:
    """The other one stays as it was; a sentence says why, another when it is over."""
    checking = Checking()
    checking.checks.start()
    checking.wait(4)
    assert checking.down == [False, False]
    checking.status[0] = 500
    checking.wait(2)
    assert checking.down == [False, False], "one may be chance"
    checking.wait(2)
    assert checking.down == [True, False]
    assert checking.told == [{MARKS[0]}]
    checking.wait(60)
    checking.status[0] = 200
    checking.wait(2)
    assert checking.down == [False, False]
    assert checking.told == [{MARKS[0]}, set()]
    down, up = said
    assert down == ("a.test: 127.0.0.1:4000 is down and gets no requests: it answered GET /health with 500")
    assert up.startswith("a.test: 127.0.0.1:4000 is up again after 6")


def test_failures_in_between_do_not_add_up() -> None:
    """Only checks that fail one after the other count."""
    checking = Checking()
    checking.checks.start()
    for status in (500, 200) * 5:
        checking.status[0] = status
        checking.wait(2)
    assert not checking.told


def test_other_numbers() -> None:
    """How many checks must fail or pass is a setting."""
    checking = Checking(failures=1, successes=3, interval="1s")
    checking.checks.start()
    checking.status[0] = 500
    checking.wait(1.5)
    assert checking.down == [True, False]
    checking.status[0] = 200
    checking.wait(2)
    assert checking.down == [True, False]
    checking.wait(2)
    assert checking.down == [False, False]


def test_an_upstream_that_hangs() -> None:
    """One that never answers is down after two timeouts, and is never asked twice at a time."""
    checking = Checking()
    checking.checks.start()
    checking.status[1] = 0
    checking.wait(20)
    assert checking.down == [False, True]
    assert all(after - before >= 6.9 for before, after in pairwise(checking.times[1]))
    assert len([each for each in checking.endpoints[1].accepted if each.connected]) <= 1


def test_a_single_upstream(said: list[str]) -> None:
    """The sentence says that it is used all the same; that it is, is the balancer's matter."""
    checking = Checking(alone=True)
    checking.checks.start()
    checking.endpoints[0].refuse()
    checking.wait(5)
    assert said == [
        "a.test: 127.0.0.1:4000 is down, but gets requests all the same, as it is the only one: "
        "it refused the connection"
    ]


def test_down_from_the_start(said: list[str]) -> None:
    """One that was never up says no more than that it is down; one that is well says nothing."""
    checking = Checking()
    checking.status[0] = 503
    checking.checks.start()
    checking.wait(10)
    assert checking.down == [True, False]
    assert len(said) == 1


def test_state_survives_a_reload() -> None:
    """An upstream that stays stays down, also in a pool with other settings; a new one is not yet known, so up."""
    checking = Checking()
    checking.checks.start()
    checking.status[0] = 500
    checking.wait(5)
    (same, other) = checking.obtain("0", "0 with other settings")
    assert same.down
    assert other.down
    asked = len(checking.times[0])
    checking.wait(4)
    assert len(checking.times[0]) - asked == 2, "both pools are of one upstream"
    (second,) = checking.obtain("1")
    assert not second.down
    assert checking.told == [{MARKS[0]}, set()]
    (first,) = checking.obtain("0")
    assert not first.down, "nothing is known of it any more"


def test_a_reload_changes_how_to_ask() -> None:
    """What is asked next is asked as the new settings say."""
    checking = Checking()
    checking.checks.start()
    checking.wait(3)
    before = len(checking.times[0])
    checking.obtain("0", check=Check(health=Health(path="/health", interval="10s"), host=b"a.test", alone=False))
    checking.wait(12.5)
    assert len(checking.times[0]) - before == 2


def test_retired_upstreams_are_not_asked() -> None:
    """Whoever is gone is left alone, in the middle of a question too."""
    checking = Checking()
    checking.checks.start()
    checking.status = [0, 0]
    checking.wait(1.5)
    (question,) = checking.endpoints[1].accepted
    checking.obtain("0")
    assert question.aborted
    asked = len(checking.times[1])
    checking.wait(30)
    assert len(checking.times[1]) == asked


def test_stop() -> None:
    """Nothing is left of it, and a reload under way begins nothing again."""
    checking = Checking()
    checking.checks.start()
    checking.wait(1)
    checking.checks.stop()
    checking.obtain("0", "1 anew")
    assert not checking.clock.getDelayedCalls()


def test_upstreams_without_checks() -> None:
    """Nobody asks those that no site wants to be asked."""
    registry = UpstreamRegistry()
    clock = Clock()
    endpoint = FakeEndpoint()
    registry.obtain(
        "a",
        lambda: Upstream("127.0.0.1:1", endpoint, ExchangeLimits(), Sweeper(), 1),  # type: ignore[arg-type]
    )
    HealthChecks(registry, clock, lambda: 0.5).start()
    assert not clock.getDelayedCalls()


def test_what_peers_say_stays_in_its_line(said: list[str]) -> None:
    """What an upstream puts into its answer cannot forge lines of the log."""
    checking = Checking()
    checking.checks.start()
    for _ in range(40):
        checking.clock.advance(0.1)
        for transport in checking.endpoints[0].accepted:
            if transport.take():
                transport.receive(b"HTTP/1.1 302 X\r\nLocation: /\x85\x9b1m\r\nContent-Length: 0\r\n\r\n")
    (line,) = said
    assert line.isprintable()
