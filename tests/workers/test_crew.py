"""The leader and its workers, each process a fake."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, fail

from gateway.config.loader import load
from gateway.config.model import BrokenSite, GatewayConfig, Limits, Site
from gateway.errors import ConnectionRefused
from gateway.net.listeners import ListenAddress
from gateway.net.sweeper import Sweeper
from gateway.tls.responders import challenge_certificate
from gateway.units import Seconds
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.pool import Upstream
from gateway.upstream.probe import Check, Health
from gateway.web.tree import VirtualHosts
from gateway.workers import messages
from gateway.workers.crew import NoWorkerError
from gateway.workers.messages import (
    Accept,
    Answer,
    Ask,
    Begin,
    Certificate,
    Configure,
    Cut,
    Elsewhere,
    Figures,
    Gone,
    Leaving,
    Reopen,
    Said,
    Serve,
    Serves,
    Sites,
    Sticky,
    Stop,
    Token,
)
from gateway.workers.packing import unpack_config
from tests.support.crew import FakeCrew, FakeWorker

SITE = Site(name="a", file="a.toml", hosts=("a",))


@pytest.fixture
def crew(tmp_path: Path, said: list[str]) -> Iterator[FakeCrew]:
    listen = ListenAddress(path=str(tmp_path / "a.sock"))
    fake = FakeCrew(
        tmp_path,
        GatewayConfig(
            http=(listen,), https=(), workers=2, limits=Limits(stop=Seconds(3)), state=str(tmp_path / "state")
        ),
    )
    fake.crew.use(VirtualHosts({}), [SITE], [])
    fake.start()
    yield fake
    fake.crew.stop()
    for worker in fake.workers:
        if worker.child.status is None:
            worker.die(0)
    fake.reactor.advance(60)
    assert fake.reactor.getDelayedCalls() == []


def proven(crew: FakeCrew) -> None:
    """Let the workers live for so long that nobody is surprised by their end."""
    for _ in range(11):
        crew.reactor.advance(1)
        for worker in crew.workers:
            if worker.child.status is None:
                worker.say(Figures(connections=0, lost=0))


def test_what_a_worker_is_told_first(crew: FakeCrew, said: list[str]) -> None:
    """Who it is, which sockets it has, what it shows, then what it serves."""
    key = challenge_certificate("a", "x")
    crew.crew.secure.names.put("a", key)
    crew.crew.tokens[b"t"] = b"t.x"
    first, second = crew.workers
    assert first.descriptors == second.descriptors
    heard = first.listen()
    assert isinstance(heard[0], Begin)
    assert heard[0].sockets == ((first.descriptors,), (first.descriptors,)), "a UNIX socket is shared"
    assert unpack_config(heard[0].config).workers == 2
    assert [type(each).__name__ for each in heard[1:]] == ["Health", "Sites", "Serve", "Certificate", "Token"]
    first.say(Serves(generation=1))
    first.say(Serves(generation=2))
    assert said.count("worker 1 (pid 1000) serves") == 1
    proven(crew)
    first.die()
    crew.reactor.advance(0)
    heard = crew.workers[2].listen()
    assert isinstance(heard[0], Begin)
    assert heard[1] == Certificate(name="a", chain=key.chain, key=key.key, renewed=False)
    assert heard[2] == Token(token=b"t", answer=b"t.x")
    assert heard[-1] == Serve(generation=1, files=("a.toml",))


def test_connections_wait_for_workers(crew: FakeCrew, tmp_path: Path) -> None:
    """Before any worker accepts, and while none does, clients are not refused; after a stop they are."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "a.sock"))
    crew.crew.stop()
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(FileNotFoundError):
        client.connect(str(tmp_path / "a.sock"))


def test_queues_are_shared_out(crew: FakeCrew) -> None:
    """Each worker has its own queue, and those of workers that do not serve now."""
    one, two = crew.workers
    two.say(Serves(generation=1))
    assert two.told(Accept) == [Accept(places=(1, 2))]
    one.say(Serves(generation=1))
    assert one.told(Accept) == [Accept(places=(1,))]
    assert two.told(Accept) == [Accept(places=(2,))]
    one.say(Serves(generation=2))
    assert one.told(Accept) == []
    proven(crew)
    two.die()
    assert one.told(Accept) == [Accept(places=(1, 2))]
    crew.reactor.advance(0)
    three = crew.workers[2]
    three.say(Serves(generation=1))
    assert one.told(Accept) == [Accept(places=(1,))]
    assert three.told(Accept) == [Accept(places=(2,))]
    one.say(Leaving())
    assert three.told(Accept) == [Accept(places=(1, 2))]


def test_a_dead_worker_is_replaced_at_once(crew: FakeCrew, said: list[str]) -> None:
    """The end of its link is enough; how it ended is said once that is known."""
    proven(crew)
    crew.workers[0].transport.lose()
    crew.reactor.advance(0)
    assert len(crew.workers) == 3
    crew.workers[0].child.status = -9
    crew.reactor.advance(0.1)
    assert "worker 1 (pid 1000) was ended by SIGKILL after 11.0 s" in said


def test_who_dies_young_again_and_again(crew: FakeCrew, said: list[str]) -> None:
    """The first time at once, then after longer and longer pauses, until one lives."""
    pauses = []
    crew.workers[1].say(Figures(connections=0, lost=0))
    for _ in range(10):
        crew.workers[-1 if len(crew.workers) > 2 else 0].die(1)
        count, waited = len(crew.workers), 0.0
        crew.reactor.advance(0)
        while len(crew.workers) == count:
            crew.reactor.advance(0.5)
            crew.workers[1].say(Figures(connections=0, lost=0))
            waited += 0.5
        pauses.append(waited)
    assert pauses == [0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert "worker 1 (pid 1000) ended with status 1 after 0.0 s" in said
    assert "worker 1 (pid 1002) died young: another is tried in 0.5 s" in said
    proven(crew)
    crew.workers[-1].die(1)
    crew.reactor.advance(0)
    assert len(crew.workers) == 13


def test_no_process_to_have(crew: FakeCrew, said: list[str]) -> None:
    """Where the system refuses a process, it is asked again, and the operator told why."""
    proven(crew)
    crew.refuse = PermissionError(13, "Permission denied", "python")
    crew.workers[0].die()
    crew.reactor.advance(0)
    line = next(line for line in said if line.startswith("worker 1 cannot be started: [Errno 13]"))
    assert "; tried again in " in line
    assert "permitted" in line
    crew.refuse = None
    crew.reactor.advance(1)
    assert len(crew.workers) == 3


def test_a_worker_that_hangs(crew: FakeCrew, said: list[str]) -> None:
    """One that says nothing for half a minute is ended, and replaced."""
    for _ in range(31):
        crew.reactor.advance(1)
        crew.workers[1].say(Figures(connections=0, lost=0))
    assert crew.workers[0].child.killed
    assert not crew.workers[1].child.killed
    assert "worker 1 (pid 1000) hangs: it said nothing for 30 s" in said
    crew.workers[0].die()
    crew.reactor.advance(0)
    assert len(crew.workers) == 3


def test_a_worker_that_talks_nonsense(crew: FakeCrew) -> None:
    """It loses its link; if it goes on all the same, it is ended."""
    proven(crew)
    crew.workers[0].transport.receive(b"\0\0\0\2{}")
    crew.reactor.advance(0)
    assert len(crew.workers) == 3
    for _ in range(600):
        crew.reactor.advance(0.02)
    assert crew.workers[0].child.killed


def test_a_worker_that_leaves(crew: FakeCrew, said: list[str]) -> None:
    """It may end in its time; another takes its place before that, and nobody waits for its answers."""
    proven(crew)
    first, second = crew.workers
    first.say(Leaving())
    crew.reactor.advance(0)
    assert len(crew.workers) == 3
    ready = Deferred.fromCoroutine(crew.crew.ready())
    (asked,) = second.told(Ask)
    second.say(Answer(number=asked.number))
    answers(crew.workers[2])
    assert ready.called
    first.die(0)
    crew.reactor.advance(0.1)
    assert "worker 1 (pid 1000) was told to end: another takes its place" in said
    assert not any("ended with status" in line for line in said)


def answers(worker: FakeWorker) -> None:
    for asked in worker.told(Ask):
        worker.say(Answer(number=asked.number))


def test_ready(crew: FakeCrew) -> None:
    """An authority is told to look once every worker has the answer; one that dies meanwhile is not waited for."""
    one = Deferred.fromCoroutine(crew.crew.ready())
    answers(crew.workers[0])
    assert not one.called
    answers(crew.workers[1])
    assert one.called
    two = Deferred.fromCoroutine(crew.crew.ready())
    answers(crew.workers[0])
    crew.workers[1].die()
    assert two.called


def test_not_ready(crew: FakeCrew, said: list[str]) -> None:
    """A worker that does not answer holds nothing up for long."""
    ready = Deferred.fromCoroutine(crew.crew.ready())
    crew.reactor.advance(10)
    assert ready.called
    assert "not all workers know how to answer a challenge yet: it may fail" in said


def test_nobody_to_be_ready(tmp_path: Path) -> None:
    """Before there are workers nobody is asked."""
    fake = FakeCrew(tmp_path, GatewayConfig(http=(), https=(), workers=2, state=str(tmp_path / "state")))
    assert Deferred.fromCoroutine(fake.crew.ready()).called


def test_decisions_are_told(crew: FakeCrew) -> None:
    """Sites, settings, rotations: all workers hear of them, and a later worker too."""
    first, second = crew.workers
    for worker in (first, second):
        worker.listen()
    refused = BrokenSite(name="b", file="b.toml")
    crew.crew.use(VirtualHosts({}), [SITE], [refused])
    crew.crew.close_site("c")
    crew.crew.reopen_logs()
    crew.crew.configure(GatewayConfig(http=(), workers=9, limits=Limits(connections=5)))
    for worker in (first, second):
        heard = worker.listen()
        assert [type(each).__name__ for each in heard] == ["Sites", "Serve", "Gone", "Reopen", "Configure"]
        assert heard[1] == Serve(generation=2, files=("a.toml", "b.toml"))
        assert heard[2] == Gone(site="c")
        assert heard[3] == Reopen()
        assert isinstance(heard[4], Configure)
    proven(crew)
    first.die()
    crew.reactor.advance(0)
    (begin,) = crew.workers[2].told(Begin)
    config = unpack_config(begin.config)
    assert config.limits.connections == 5
    assert config.workers == 2, "what takes a restart has not changed"
    assert len(config.http) == 1


def test_connections_are_counted_together(crew: FakeCrew) -> None:
    """Each worker learns how many connections the others have, and whose; those of a dead one are gone."""
    first, second = crew.workers
    first.say(Figures(connections=3, lost=0, clients={"a": 3}))
    second.say(Figures(connections=4, lost=0, clients={"a": 1, "b": 2}))
    crew.reactor.advance(1)
    assert first.told(Elsewhere) == [Elsewhere(connections=4, clients={"a": 1, "b": 2})]
    assert second.told(Elsewhere) == [Elsewhere(connections=3, clients={"a": 3})]
    first.die()
    crew.reactor.advance(1)
    assert second.told(Elsewhere) == [Elsewhere(connections=0)]


def test_what_workers_say(crew: FakeCrew, said: list[str]) -> None:
    """Sentences of workers are in the log, once where all say the same."""
    for worker in crew.workers:
        worker.say(Said(level="warn", text="the app is away"))
    assert said.count("worker 1: the app is away") == 1
    assert "worker 2: the app is away" not in said


def test_nobody_to_serve(tmp_path: Path, said: list[str]) -> None:
    """Where not one worker can be started at all, the gateway says why and does not pretend to serve."""
    listen = ListenAddress(path=str(tmp_path / "a.sock"))
    crew = FakeCrew(tmp_path, GatewayConfig(http=(listen,), https=(), workers=2, state=str(tmp_path / "state")))
    crew.refuse = PermissionError(13, "Permission denied", "python")
    with pytest.raises(NoWorkerError):
        crew.start()
    assert any(line.startswith("worker 1 cannot be started: [Errno 13]") for line in said)
    assert not any("tried again" in line for line in said)
    crew.crew.stop()


def test_stop(crew: FakeCrew, said: list[str]) -> None:
    """All workers are told to drain; it is over once all are gone, and nobody takes their places."""
    first, second = crew.workers
    first.say(Figures(connections=3, lost=0))
    over = crew.crew.stop()
    for worker in (first, second):
        assert worker.listen()[-1] == Stop()
    first.die(0)
    assert not over.called
    crew.reactor.advance(1)
    second.die(0)
    crew.reactor.advance(0.1)
    assert over.called
    assert len(crew.workers) == 2
    assert "stopping: workers have 3 connections" in said


def test_cut(crew: FakeCrew) -> None:
    """Whoever cannot wait for a stop has all workers cut what they still do."""
    crew.crew.stop()
    crew.crew.cut()
    assert [worker.listen()[-2:] for worker in crew.workers] == [[Stop(), Cut()]] * 2


def test_stop_cuts_who_does_not_end(crew: FakeCrew) -> None:
    """A worker that does not end in the time that exchanges have, and a little more, is ended."""
    over = crew.crew.stop()
    crew.reactor.advance(7.9)
    assert not any(worker.child.killed for worker in crew.workers)
    crew.reactor.advance(0.2)
    assert all(worker.child.killed for worker in crew.workers)
    for worker in crew.workers:
        worker.die()
    assert over.called


def test_stop_while_nobody_is_there(crew: FakeCrew) -> None:
    """A stop between two tries ends the tries."""
    for _ in range(2):
        for worker in crew.workers:
            if worker.child.status is None:
                worker.die(1)
        crew.reactor.advance(0.1)
    count = len(crew.workers)
    assert crew.crew.stop().called
    crew.reactor.advance(60)
    assert len(crew.workers) == count


def test_health_is_told(crew: FakeCrew) -> None:
    """All workers learn which upstreams are down, a new one before it serves anything."""
    for worker in crew.workers:
        worker.listen()
    down = frozenset({"b 127.0.0.1:4000/up"})
    crew.crew.upstreams.set_down(frozenset())
    asked: list[str] = []
    upstream = Upstream(
        "127.0.0.1:4000",
        Refusing(asked),  # type: ignore[arg-type]  # structural
        ExchangeLimits(),
        Sweeper(),
        1,
        check=Check(health=Health(path="/up"), host=b"b", alone=False),
    )
    crew.crew.upstreams.obtain("b", lambda: upstream)
    crew.crew.upstreams.retain(["b"])
    for _ in range(50):
        crew.reactor.advance(0.1)
    assert len(asked) >= 2, "the leader asks"
    assert upstream.down
    for worker in crew.workers:
        assert worker.told(messages.Health) == [messages.Health(down=down)]
    proven(crew)
    crew.workers[0].die()
    crew.reactor.advance(0)
    heard = crew.workers[2].listen()
    assert messages.Health(down=down) in heard
    assert heard.index(messages.Health(down=down)) < len(heard) - 1
    crew.crew.upstreams.retain([])
    assert crew.workers[2].told(messages.Health) == [messages.Health(down=frozenset())]


def test_all_workers_have_one_key(crew: FakeCrew, tmp_path: Path) -> None:
    """Whichever worker is asked, a cookie names the same upstream; before a site needs it there is no key."""
    assert not (tmp_path / "state" / "sticky.key").exists()
    assert not [said for worker in crew.workers for said in worker.told(Sticky)]
    (tmp_path / "b.toml").write_text("proxy = [4000, 4001]\nsticky = true\n")
    sites = load(tmp_path, {}).sites
    crew.crew.use(VirtualHosts({}), sites, [])
    key = Sticky(key=(tmp_path / "state" / "sticky.key").read_bytes())
    for worker in crew.workers:
        assert [type(said) for said in worker.listen()] == [Sticky, Sites, Serve]
        assert worker.heard[0] == key
    crew.crew.use(VirtualHosts({}), sites, [])
    assert not crew.workers[0].told(Sticky)
    proven(crew)
    crew.workers[0].die()
    crew.reactor.advance(0)
    assert crew.workers[2].told(Sticky) == [key]


class Refusing:
    """An endpoint that nobody listens at."""

    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def connect(self, factory: object) -> Deferred[None]:
        self._asked.append("")
        return fail(ConnectionRefused("127.0.0.1:4000 refused the connection"))
