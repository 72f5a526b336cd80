"""Choosing an upstream."""

from __future__ import annotations

from collections import Counter

from gateway.upstream.balancer import Balancer
from gateway.upstream.pool import Upstream
from tests.support.transports import World


def upstreams(count: int) -> list[Upstream]:
    return World(upstreams=count).upstreams


def test_equals_take_turns() -> None:
    """Upstreams that are equally busy are used equally often, one after the other."""
    balancer = Balancer(upstreams(3))
    names = []
    for _ in range(9):
        lease = balancer.checkout()
        assert lease is not None
        names.append(lease.name)
        lease.release(None)
    assert set(Counter(names).values()) == {3}
    assert names[:3] == names[3:6] == names[6:]


def test_least_busy() -> None:
    """The upstream with the fewest exchanges under way is chosen, whoever's turn it is."""
    three = upstreams(3)
    three[0].in_flight, three[1].in_flight, three[2].in_flight = 3, 1, 2
    balancer = Balancer(three)
    chosen = []
    for _ in range(6):
        lease = balancer.checkout()
        assert lease is not None
        chosen.append(lease.upstream)
    assert [upstream.in_flight for upstream in three] == [4, 4, 4]
    assert chosen[0] is three[1]


def test_tried_upstreams_are_left_out() -> None:
    """An upstream that was tried is not chosen again for the same exchange, even if it is the least busy."""
    two = upstreams(2)
    two[0].in_flight = 5
    balancer = Balancer(two)
    lease = balancer.checkout((two[1],))
    assert lease is not None
    assert lease.upstream is two[0]
    assert balancer.checkout(two) is None
    assert [upstream.in_flight for upstream in two] == [6, 0]


def test_single_upstream() -> None:
    """A single upstream is chosen until it was tried."""
    (one,) = upstreams(1)
    balancer = Balancer([one])
    lease = balancer.checkout()
    assert lease is not None
    assert lease.upstream is one
    assert balancer.checkout((one,)) is None
    assert one.in_flight == 1
    lease.release(None)
    assert one.in_flight == 0


def test_those_that_are_down_are_left_out() -> None:
    """One that is down gets nothing, however idle it is; where all are down, there is none."""
    three = upstreams(3)
    three[0].down = True
    three[1].in_flight = three[2].in_flight = 5
    balancer = Balancer(three)
    leases = [balancer.checkout() for _ in range(4)]
    assert [upstream.in_flight for upstream in three] == [0, 7, 7]
    assert all(leases)
    lease = balancer.checkout((three[1],))
    assert lease is not None
    assert lease.upstream is three[2]
    assert balancer.checkout(three[1:]) is None
    three[1].down = three[2].down = True
    assert balancer.checkout() is None
    three[1].down = False
    assert balancer.checkout() is not None


def test_a_single_upstream_is_never_down() -> None:
    """Whatever its checks say: a slow answer is better than none."""
    (one,) = upstreams(1)
    one.down = True
    assert Balancer([one]).checkout() is not None


def test_the_one_wished_for() -> None:
    """It is chosen though it is busy, unless it is unknown, down, or was tried."""
    three = upstreams(3)
    three[2].in_flight = 9
    balancer = Balancer(three)

    def name(wished: str, *tried: Upstream) -> str:
        lease = balancer.checkout(tried, wished)
        assert lease is not None
        lease.release(None)
        return lease.name

    assert {name("127.0.0.1:4002") for _ in range(4)} == {"127.0.0.1:4002"}
    assert name("127.0.0.1:4002", three[2]) != "127.0.0.1:4002"
    assert {name("somebody else") for _ in range(4)} == {"127.0.0.1:4000", "127.0.0.1:4001"}
    three[2].down = True
    assert name("127.0.0.1:4002") != "127.0.0.1:4002"


def test_length() -> None:
    """A balancer knows how many upstreams it has."""
    assert len(Balancer(upstreams(4))) == 4
