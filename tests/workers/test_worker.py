"""A worker in memory: real serving behind a link whose other end is the test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

import gateway.compile
import gateway.serving
from gateway.config.loader import load
from gateway.config.model import GatewayConfig, Limits, LogSettings, Site
from gateway.http.stream import PeerAddress
from gateway.server.http1 import HTTP1Connection
from gateway.tls.responders import challenge_certificate
from gateway.units import Seconds
from gateway.upstream.sticky import StickyCookie, StickyKey
from gateway.workers.link import Link
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
    FromLeader,
    FromWorker,
    Gone,
    Health,
    Leaving,
    NoToken,
    Reopen,
    Serve,
    Serves,
    Sticky,
    Stop,
    Token,
    read_workers,
    write,
)
from gateway.workers.packing import pack_config, pack_sites
from gateway.workers.worker import Worker
from tests.support.reloading import FakeReactor
from tests.support.transports import FakeEndpoint, FakeTransport

GET = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"


class FakeListener:
    """A listener that accepts nobody."""

    made: list[FakeListener]

    def __init__(self, *_: object, bound: list[socket.socket], **__: object) -> None:
        self.bound = bound
        self.started = False
        FakeListener.made.append(self)

    def startService(self) -> None:
        self.started = True

    def stopService(self) -> Deferred[None]:
        for sock in self.bound:
            sock.close()
        return Deferred.fromCoroutine(_nothing())


async def _nothing() -> None:
    return


class Working:
    """A worker, and the leader's end of its link."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reactor = FakeReactor()
        self.ended = 0
        self.worker = Worker(self.reactor, self._end)
        self.wire = FakeTransport(self.worker.link)
        self._heard: list[FromWorker] = []
        self._ear: Link[FromWorker] = Link(read_workers, self._heard.append, print)

    def _end(self) -> None:
        self.ended += 1

    def say(self, *messages: FromLeader) -> None:
        for each in messages:
            data = write(each)
            self.wire.receive(len(data).to_bytes(4, "big") + data)

    def listen(self) -> list[FromWorker]:
        """Take what the worker said."""
        self._heard.clear()
        self._ear.dataReceived(self.wire.take())
        return list(self._heard)

    def begin(self, config: GatewayConfig | None = None, of: str | None = None) -> None:
        one, two = (socket.socket(socket.AF_UNIX).detach() for _ in range(2))
        config = config or self.config()
        begin = Begin(
            version=of or version("gateway"),
            folder=str(self.folder),
            via="gateway-1",
            sockets=(((one,),), ((two,),)),
            config=pack_config(config),
        )
        site = Site(name="a", file="a.toml", hosts=("a",), security_txt="me@a")
        self.say(begin, *pack_sites([site]), Serve(generation=1, files=("a.toml",)))

    def config(self, **limits: object) -> GatewayConfig:
        log = LogSettings(folder=str(self.folder / "logs"))
        listen = GatewayConfig().http
        return GatewayConfig(http=listen, https=(), workers=2, log=log, limits=Limits(**limits))  # type: ignore[arg-type]

    def client(self) -> FakeTransport:
        assert self.worker.serving is not None
        peer = PeerAddress("203.0.113.9", 50123)
        front = self.worker.serving.front
        return FakeTransport(HTTP1Connection(front, peer, 80, secure=False, trusted=False, forwarded=b""))


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Working]:
    FakeListener.made = []
    monkeypatch.setattr(gateway.serving, "ListenerService", FakeListener)
    made = Working(tmp_path)
    yield made
    made.say(Stop())
    made.reactor.advance(60)


def test_it_serves_what_it_is_told(working: Working) -> None:
    """It says once the first generation is built, then it listens on the sockets that the leader names."""
    working.begin()
    assert working.listen() == [Figures(connections=0, lost=0)]
    working.reactor.work()
    assert working.listen() == [Serves(generation=1)]
    assert FakeListener.made == []
    working.say(Accept(places=(2,)))
    (listener,) = FakeListener.made
    assert listener.started
    working.say(Accept(places=(1, 2)))
    stand_in = FakeListener.made[1]
    working.say(Accept(places=(2,)))
    assert [each.fileno() >= 0 for each in (*listener.bound, *stand_in.bound)] == [True, False]
    client = working.client()
    client.receive(GET % b".well-known/security.txt")
    assert b"Contact: me@a" in client.take()
    client.receive(GET % b"none")
    assert client.take().startswith(b"HTTP/1.1 404 ")
    working.reactor.advance(1)
    assert working.listen() == [Figures(connections=1, lost=0)]


def test_it_answers_at_once(working: Working) -> None:
    """A question is answered behind what was said before, though sites are not built yet."""
    working.begin()
    working.listen()
    working.say(Token(token=b"t", answer=b"t.x"), Ask(number=5))
    assert working.listen() == [Answer(number=5)]
    working.reactor.work()
    client = working.client()
    client.receive(GET % b".well-known/acme-challenge/t")
    assert client.take().endswith(b"\r\n\r\nt.x")
    working.say(NoToken(token=b"t"))
    client.receive(GET % b".well-known/acme-challenge/t")
    assert b"t.x" not in client.take()


def test_certificates(working: Working) -> None:
    """A certificate of the leader is shown; one that cannot be used is reported, and nothing else suffers."""
    lines: list[str] = []

    def note(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    working.begin()
    key = challenge_certificate("a", "x")
    globalLogPublisher.addObserver(note)
    working.say(Certificate(name="b", chain=b"", key=b"", renewed=False))
    working.say(Certificate(name="a", chain=key.chain, key=key.key, renewed=True))
    globalLogPublisher.removeObserver(note)
    assert working.worker._secure is not None
    assert working.worker._secure.names.find("a") == key
    assert lines[0].startswith("a certificate that the leader has cannot be used here: ")


def test_limits_of_all_together(working: Working) -> None:
    """A limit that is set counts the connections of other workers; settings change at run time."""
    working.begin(working.config(connections=3))
    working.reactor.work()
    working.say(Elsewhere(connections=2))
    working.client()
    assert working.client().take().startswith(b"HTTP/1.1 503 ")
    working.say(Configure(config=pack_config(working.config(connections=10))))
    assert working.client().take() == b""
    working.say(Configure(config=pack_config(working.config())), Elsewhere(connections=10**9))
    assert working.client().take() == b""


def test_limits_of_one_client(working: Working) -> None:
    """A client that has many connections is told of, and what it has elsewhere counts."""
    working.begin(working.config(connections_per_client=5))
    working.reactor.work()
    working.listen()
    working.client()
    working.reactor.advance(1)
    assert working.listen() == [Figures(connections=1, lost=0, clients={"203.0.113.9": 1})]
    working.say(Elsewhere(connections=3, clients={"203.0.113.9": 3}))
    assert working.client().take() == b""
    assert working.client().take().startswith(b"HTTP/1.1 503 ")


def test_logs_and_sockets(working: Working) -> None:
    """Rotations reach the log; a site that is gone loses its WebSockets."""
    working.begin()
    working.reactor.work()
    client = working.client()
    client.receive(GET % b"one")
    working.reactor.advance(1)
    assert working.worker.serving is not None
    assert working.worker.serving.log_writer.drain(Seconds(10))
    log = working.folder / "logs" / "a.log"
    log.rename(working.folder / "old")
    working.say(Reopen(), Gone(site="a"))
    client.receive(GET % b"two")
    working.reactor.advance(1)
    assert working.worker.serving.log_writer.drain(Seconds(10))
    assert "/two" in log.read_text()
    assert "/two" not in (working.folder / "old").read_text()


def test_stop(working: Working) -> None:
    """Told to stop, it lets exchanges end, says its last words, and is over."""
    working.begin()
    working.reactor.work()
    busy = working.client()
    busy.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    client = working.client()
    working.say(Stop(), Stop())
    assert client.closing
    client.lose(clean=True)
    busy.lose(clean=True)
    assert working.wire.closing
    assert not working.ended
    working.wire.lose(clean=True)
    assert working.ended == 1


def test_cut(working: Working) -> None:
    """Told to cut, it does not wait for exchanges any more."""
    working.begin()
    working.reactor.work()
    busy = working.client()
    busy.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    working.say(Stop())
    assert not busy.aborted
    working.say(Cut())
    assert busy.aborted
    assert working.wire.closing


def test_a_leader_that_does_not_listen(working: Working) -> None:
    """Last words that nobody takes do not keep it."""
    working.begin()
    working.reactor.work()
    working.say(Stop())
    working.reactor.advance(2)
    assert working.ended


def test_without_a_leader(working: Working) -> None:
    """When the leader is gone it drains and ends."""
    working.begin()
    working.reactor.work()
    client = working.client()
    working.wire.lose()
    assert client.closing
    assert not working.ended
    client.lose(clean=True)
    assert working.ended == 1


def test_told_by_others(working: Working) -> None:
    """Told to end by a signal, it says so first, for another to take its place."""
    working.begin()
    working.reactor.work()
    working.listen()
    working.worker.leave()
    assert working.listen() == [Leaving()]
    assert working.wire.closing


def test_stopped_before_it_began(working: Working) -> None:
    """A stop before the first message, or before anything is built, ends it at once."""
    working.say(Stop())
    assert working.wire.closing


def test_another_version(working: Working, tmp_path: Path) -> None:
    """After an upgrade on disk a worker of the new version does not guess what the old leader means."""
    working.begin(of="0.0")
    assert working.worker.serving is None
    assert working.wire.closing


def test_what_comes_too_early(working: Working) -> None:
    """Before the first message nothing else has a meaning."""
    working.say(Reopen())
    assert working.listen() == []


STICKY = "proxy = [4000, 4001]\nhealth = '/up'\nsticky = true\n"


@pytest.fixture
def endpoints(monkeypatch: pytest.MonkeyPatch) -> dict[int, FakeEndpoint]:
    """The upstreams by their ports."""
    made = {4000: FakeEndpoint(), 4001: FakeEndpoint()}
    monkeypatch.setattr(gateway.compile, "client_endpoint", lambda _, port, **__: made[port])
    return made


@pytest.mark.usefixtures("endpoints")
def test_it_uses_no_upstream_that_is_down(working: Working, tmp_path: Path) -> None:
    """What the leader says of an upstream holds, also of one that is built later; nobody is asked from here."""
    working.begin()
    working.reactor.work()
    (tmp_path / "b.toml").write_text(STICKY)
    (site,) = load(tmp_path, {}).sites
    down = frozenset({f"b 127.0.0.1:{port}/up" for port in (4000, 4001)})
    working.say(Health(down=down), *pack_sites([site]), Serve(generation=2, files=(site.file,)))
    working.reactor.work()
    serving = working.worker.serving
    assert serving is not None
    assert [upstream.down for upstream in serving.upstreams] == [True, True]
    client = working.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 503 ")
    working.say(Health(down=frozenset()))
    assert [upstream.down for upstream in serving.upstreams] == [False, False]


def test_it_reads_cookies_by_the_leaders_key(
    working: Working, tmp_path: Path, endpoints: dict[int, FakeEndpoint]
) -> None:
    """A cookie that another worker has given names the same upstream here; nothing of it is on a worker's disk."""
    working.begin()
    (tmp_path / "b.toml").write_text(STICKY)
    (site,) = load(tmp_path, {}).sites
    working.say(Sticky(key=b"k" * 32), *pack_sites([site]), Serve(generation=2, files=(site.file,)))
    working.reactor.work()
    cookie = StickyCookie(StickyKey(b"k" * 32), "b", ("127.0.0.1:4000", "127.0.0.1:4001"))
    for _ in range(3):
        client = working.client()
        sent = cookie.field("127.0.0.1:4001", secure=False).partition(b";")[0]
        client.receive(b"GET / HTTP/1.1\r\nHost: b\r\nCookie: " + sent + b"\r\n\r\n")
    assert [len(endpoint.accepted) for endpoint in endpoints.values()] == [0, 3]
    assert [each.name for each in tmp_path.iterdir()] == ["b.toml"]
