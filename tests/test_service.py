"""The service: what gateway.toml says has its effect, and a stop lets exchanges end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

import gateway.compile
import gateway.service
from gateway.config.model import GatewayConfig
from gateway.http.stream import PeerAddress
from gateway.server.http1 import HTTP1Connection
from gateway.service import Gateway
from gateway.serving import Serving
from gateway.units import Seconds
from gateway.workers.crew import Crew
from gateway.workers.messages import Gone, Serve, Sites
from gateway.workers.packing import unpack_sites
from tests.support.crew import FakeCrew
from tests.support.reloading import FakeReactor, FakeWatch
from tests.support.transports import FakeEndpoint, FakeTransport
from tests.support.waiting import PATIENCE

GET = b"GET /%b HTTP/1.1\r\nHost: a.com\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Running:
    """A service without listeners, its one upstream being the test."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, config: str) -> None:
        self.folder = folder
        (folder / "gateway.toml").write_text(f"http = []\n{config}\n")
        (folder / "a.com.toml").write_text("phoenix = 4000\n")
        self.upstream = FakeEndpoint()
        patch.setattr(gateway.compile, "client_endpoint", lambda *_, **__: self.upstream)
        patch.setenv("LOGS_DIRECTORY", str(folder / "logs"))
        patch.setenv("STATE_DIRECTORY", str(folder / "state"))
        self.clock = FakeReactor()
        self.service = Gateway(folder, self.clock, self.watch)
        self.said: list[str] = []
        globalLogPublisher.addObserver(self.note)
        self.service.privilegedStartService()
        self.service.startService()
        if isinstance(self.service.servers, Serving):
            self.front = self.service.servers.front

    def watch(self, folder: Path, call: object, notice: Callable[[], object]) -> FakeWatch:
        self.noticing = FakeWatch(folder, call, notice)
        return self.noticing

    def change(self, name: str, text: str) -> None:
        """Change a file, and wait until this has its effect."""
        (self.folder / name).write_text(text)
        self.noticing.ring()
        self.clock.advance(0.3)
        self.clock.work()

    def note(self, event: LogEvent) -> None:
        self.said.append(formatEvent(event))

    def client(self) -> FakeTransport:
        peer = PeerAddress("203.0.113.9", 50123)
        connection = HTTP1Connection(self.front, peer, 80, secure=False, trusted=False, forwarded=b"")
        return FakeTransport(connection)

    def logged(self, folder: str = "logs") -> str:
        assert isinstance(self.service.servers, Serving)
        assert self.service.servers.log_writer.drain(Seconds(PATIENCE))
        return (self.folder / folder / "a.com.log").read_text()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Running]]:
    running: list[Running] = []
    yield running
    for each in running:
        globalLogPublisher.removeObserver(each.note)
        each.service.stopService()
        each.clock.advance(60)


def run(start: list[Running], folder: Path, patch: pytest.MonkeyPatch, config: str = "https = []") -> Running:
    running = Running(folder, patch, config)
    start.append(running)
    return running


def test_requests_are_served_and_logged(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The access log is written by the timer, without the paths to skip."""
    running = run(start, tmp_path, monkeypatch, 'https = []\n[log]\nskip = ["/health", "/assets/*"]')
    client = running.client()
    for path in (b"health", b"assets/a?b", b"page", b"health?x", b"healthy"):
        client.receive(GET % path)
        running.upstream.last.receive(OK)
    running.clock.advance(1)
    assert b"\r\nDate: " in client.take()
    assert [line.split()[6] for line in running.logged().splitlines()] == ["/page", "/healthy"]


def test_what_the_operator_is_told(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At start: the sites. Later: failures of the app."""
    running = run(start, tmp_path, monkeypatch)
    running.upstream.refuse()
    client = running.client()
    client.receive(GET % b"")
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert "serving a.com: a.com, www.a.com" in running.said
    assert "127.0.0.1:4000 refused the connection: is it running?" in running.said


def test_limits_of_clients(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes and counts of [limits] hold for every connection."""
    running = run(
        start,
        tmp_path,
        monkeypatch,
        "https = []\n[limits]\nheader_line = 100\nheader_count = 3\nconnections_per_client = 2",
    )
    client = running.client()
    client.receive(GET % (b"x" * 100))
    assert client.take().startswith(b"HTTP/1.1 414 ")
    client.lose()
    client = running.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: a.com\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 431 ")
    client.lose()
    running.client()
    running.client()
    assert running.client().take().startswith(b"HTTP/1.1 503 ")


def stopped(running: Running) -> list[object]:
    outcome: list[object] = []
    done: Deferred[None] = running.service.stopService()
    done.addBoth(outcome.append)
    return outcome


def test_a_stop_lets_exchanges_end(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections close at once, a busy one after its answer, and then the service is down."""
    running = run(start, tmp_path, monkeypatch)
    idle, busy = running.client(), running.client()
    busy.receive(GET % b"")
    outcome = stopped(running)
    assert idle.closing
    idle.lose(clean=True)
    assert outcome == []
    running.upstream.last.receive(OK)
    answer = busy.take()
    assert answer.endswith(b"\r\n\r\nok")
    assert b"\r\nConnection: close\r\n" in answer
    assert busy.closing
    busy.lose(clean=True)
    assert outcome == [None]
    assert "/" in running.logged()


def test_a_stop_cuts_what_takes_too_long(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not done within `stop` is cut."""
    running = run(start, tmp_path, monkeypatch, 'https = []\n[limits]\nstop = "3s"')
    busy = running.client()
    busy.receive(GET % b"")
    outcome = stopped(running)
    running.clock.advance(2)
    assert not busy.aborted
    running.clock.advance(1)
    assert busy.aborted
    assert outcome == [None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_cuts(
    start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Whoever cannot wait for a stop signals again: what is under way is cut, and the handler from before is back."""
    before = signal.getsignal(number)
    running = run(start, tmp_path, monkeypatch)
    busy = running.client()
    busy.receive(GET % b"")
    outcome = stopped(running)
    os.kill(os.getpid(), number)
    running.clock.work()
    assert busy.aborted
    assert outcome == [None]
    assert "told to stop once more: cutting what is still under way" in running.said
    assert signal.getsignal(number) == before


def test_a_wrong_gateway_file(tmp_path: Path) -> None:
    """Without a usable gateway.toml there is nothing to start with."""
    (tmp_path / "gateway.toml").write_text("htpp = 1\n")
    with pytest.raises(SystemExit, match="gateway check"):
        Gateway(tmp_path, FakeReactor(), FakeWatch).privilegedStartService()


def test_a_changed_gateway_file(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits, trusted proxies and the log change at once; listeners wait for a restart, and the log says so."""
    running = run(start, tmp_path, monkeypatch)
    client = running.client()
    running.change(
        "gateway.toml",
        f"""http = ["127.0.0.1:1"]
https = []
trusted_proxies = ["203.0.113.0/24"]
[limits]
connections_per_client = 1
[log]
folder = "{tmp_path / "elsewhere"}"
""",
    )
    assert f"{tmp_path}{os.sep}gateway.toml: http take effect after a restart, all else does now" in running.said
    assert running.front.trusted("203.0.113.7")
    assert running.client().take().startswith(b"HTTP/1.1 503 ")
    client.receive(GET % b"after")
    running.upstream.last.receive(OK)
    assert client.take().endswith(b"ok")
    running.clock.advance(1)
    assert "/after" in running.logged("elsewhere")


def test_a_gateway_file_with_an_error(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings from before stay in effect, and sites are reloaded nevertheless."""
    running = run(start, tmp_path, monkeypatch, "https = []\n[limits]\nconnections_per_client = 1")
    (tmp_path / "b.com.toml").write_text("redirect = 'https://c.com'")
    running.change("gateway.toml", "[limits]\nconnections_per_client = 'many'")
    file = tmp_path / "gateway.toml"
    assert [line for line in running.said if line.startswith(f"{file}:2:26: ")], running.said
    assert f"{file} has errors: its settings from before stay in effect" in running.said
    assert "serving b.com: b.com, www.b.com" in running.said
    running.client()
    assert running.client().take().startswith(b"HTTP/1.1 503 ")


def test_watching_ends_with_the_service(start: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGHUP is acted on while the service runs, and only then; the watch runs as long."""
    before = signal.getsignal(signal.SIGHUP)
    running = run(start, tmp_path, monkeypatch)
    assert running.noticing.state == "started"
    os.kill(os.getpid(), signal.SIGHUP)
    running.clock.work()
    assert running.said.count("serving a.com: a.com, www.a.com") == 2
    assert f"SIGHUP: reading all of {tmp_path}" in running.said
    stopped(running)
    assert running.noticing.state == "stopped"
    assert signal.getsignal(signal.SIGHUP) == before
    (tmp_path / "b.com.toml").write_text("redirect = 'https://c.com'")
    running.noticing.ring()
    running.clock.advance(2)
    assert "serving b.com: b.com, www.b.com" not in running.said


def test_several_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `workers` over one, others serve what this process decides, and hear of changes."""
    crews: list[FakeCrew] = []

    def crew(folder: Path, config: GatewayConfig, *_: object) -> Crew:
        crews.append(FakeCrew(folder, config))
        return crews[0].crew

    monkeypatch.setattr(gateway.service, "Crew", crew)
    running = Running(tmp_path, monkeypatch, "https = []\nworkers = 2")
    try:
        one, two = crews[0].workers
        (sites,) = one.told(Sites)
        assert [site.name for site in unpack_sites(sites)] == ["a.com"]
        assert two.told(Serve) == [Serve(generation=1, files=(f"{tmp_path}/a.com.toml",))]
        running.change("b.com.toml", "redirect = 'https://c.com'")
        (sites,) = one.told(Sites)
        assert "b.com" in [site.name for site in unpack_sites(sites)]
        (tmp_path / "b.com.toml").unlink()
        running.noticing.ring()
        running.clock.advance(0.3)
        running.clock.work()
        assert two.told(Gone) == [Gone(site="b.com")]
    finally:
        globalLogPublisher.removeObserver(running.note)
        outcome = stopped(running)
        for worker in crews[0].workers:
            worker.die(0)
        crews[0].reactor.advance(1)
    assert outcome == [None]
