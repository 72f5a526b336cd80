"""Several workers under the real `twistd`: they serve as one, each is replaced, and none is left over."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.e2e.test_acme import Installation, install  # noqa: F401 - a fixture
from tests.support import pebble
from tests.support.crew_processes import TWO, accepted, begun, client_of, client_of_each, end, started, workers
from tests.support.ports import refuses
from tests.support.proc import children, running
from tests.support.programs import ROOT, missing
from tests.support.raw_http import RawHTTP, begin_upload, uploading
from tests.support.traffic import Traffic
from tests.support.twistd import REACTORS, Daemon, Twistd
from tests.support.upstreams import Upstream
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e


def before(demo: Upstream) -> dict[str, str]:
    """A site before the demo app, which connects however long that takes."""
    return {"app.test": f'proxy = {{ to = {demo.port}, connect_timeout = "60s" }}\n'}


def test_two_workers_answer(start_gateway: StartGateway, demo: Upstream) -> None:
    """Each of two processes takes connections; the leader takes none, and listens for both."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    two = workers(gateway)
    assert len(two) == 2
    found: set[int] = set()

    def all_met() -> bool:
        client, owner = accepted(gateway.port, {gateway.process.pid, *two})
        with client:
            assert client.get("/", "app.test").status == 200
        found.add(owner)
        return two <= found

    eventually(all_met, lambda: f"{found} of {two}")
    assert found == two


class Load:
    """Clients at work, each with a new connection for every ten requests.

    Attributes:
        clients: How many there are.
        statuses: What was answered.
        refused: Connections that nobody accepted.
        cut: Those that ended in the middle.
    """

    def __init__(self, port: int, clients: int = 4) -> None:
        self.clients = clients
        self.statuses: list[int] = []
        self.refused: list[Exception] = []
        self.cut: list[Exception] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def go_on(self, requests: int) -> None:
        """Wait until so many more requests were answered."""
        enough = len(self.statuses) + requests
        eventually(lambda: len(self.statuses) >= enough, lambda: f"{len(self.statuses)} of {enough}")

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                with RawHTTP(self._port) as client:
                    for _ in range(10):
                        self.statuses.append(client.get("/headers", "app.test").status)
                        time.sleep(0.002)
            except ConnectionRefusedError as error:
                self.refused.append(error)
            except Exception as error:
                self.cut.append(error)


def test_a_killed_worker_is_replaced(start_gateway: StartGateway, demo: Upstream) -> None:
    """Under load one is killed: its own connections are cut, nobody is refused, and another takes its place."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    victim, other = sorted(workers(gateway))
    load = Load(gateway.port)
    try:
        load.go_on(100)
        end(victim, signal.SIGKILL)
        started(gateway, 3)
        load.go_on(100)
    finally:
        load.stop()
    assert set(load.statuses) == {200}
    assert load.refused == []
    assert len(load.cut) <= load.clients, "each client has one connection at a time"
    after = workers(gateway)
    assert len(after) == 2
    assert other in after
    eventually(lambda: f"(pid {victim}) was ended by SIGKILL after " in gateway.process.text(), gateway.process.text)


def test_a_worker_that_is_told_to_end(start_gateway: StartGateway, demo: Upstream) -> None:
    """SIGTERM to one worker lets its exchanges end while another takes its place."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    load = Load(gateway.port)
    try:
        load.go_on(100)
        end(min(workers(gateway)), signal.SIGTERM)
        started(gateway, 3)
    finally:
        load.stop()
    assert set(load.statuses) == {200}
    assert load.refused == []
    assert len(load.cut) <= load.clients, "connections between two requests may be closed, no more"
    gateway.stop()
    assert "[gateway.workers.member#error]" not in gateway.process.text()


def test_a_reload_changes_all(start_gateway: StartGateway, demo: Upstream) -> None:
    """A changed file is served by all workers, a bad one by none, and nothing else is disturbed."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    two = workers(gateway)
    victim, other = sorted(two)
    traffic = Traffic(gateway.port, "app.test", lambda port: client_of(port, other, two).socket)
    site = gateway.folder / "new.test.toml"

    def put(text: str) -> None:
        half = gateway.folder / "new.test.half"
        half.write_text(text)
        half.rename(site)

    def answers() -> set[str]:
        with client_of_each(gateway.port, workers(gateway)) as clients:
            found = [client.get("/", "new.test") for client in clients.values()]
        return {(answer.field(b"location") or str(answer.status).encode()).decode() for answer in found}

    assert answers() == {"404"}
    put('redirect = "https://one.test"\n')
    eventually(lambda: answers() == {"https://one.test/"}, gateway.process.text)
    traffic.go_on()
    put('redirect = "https://two.test"\n')
    eventually(lambda: answers() == {"https://two.test/"}, gateway.process.text)
    traffic.go_on()
    put("redirect = 1\n")
    eventually(lambda: "its last good version is served" in gateway.process.text(), gateway.process.text)
    assert answers() == {"https://two.test/"}
    # A worker that knows nothing of what was before serves the same.
    end(victim, signal.SIGKILL)
    started(gateway, 3)
    traffic.go_on()
    assert answers() == {"https://two.test/"}
    site.unlink()
    eventually(lambda: answers() == {"404"}, gateway.process.text)
    assert gateway.process.text().count("its last good version is served") == 1
    traffic.finish()


@contextmanager
def stopping(gateway: Twistd, two: set[int]) -> Iterator[Collection[RawHTTP]]:
    """Clients with an upload under way, one at each worker of a gateway that was told to stop and waits for them."""
    with client_of_each(gateway.port, two) as busy:
        for client in busy.values():
            begin_upload(client)
        os.kill(gateway.process.pid, signal.SIGTERM)
        eventually(lambda: refuses(gateway.port), gateway.process.text)
        assert gateway.process.running
        yield busy.values()


def test_a_stop_drains(start_gateway: StartGateway, demo: Upstream) -> None:
    """SIGTERM at the leader lets exchanges of all workers end; then no process and no open port is left."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    two = workers(gateway)
    with stopping(gateway, two) as busy:
        for client in busy:
            client.send(b"cd")
            assert client.answer().status == 200
    eventually(lambda: not gateway.process.running, gateway.process.text)
    assert not any(running(pid) for pid in two)
    assert "Traceback" not in gateway.process.text()


def test_a_second_signal_cuts(start_gateway: StartGateway, demo: Upstream) -> None:
    """Whoever cannot wait for a stop signals again: all workers cut what is under way."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    two = workers(gateway)
    with stopping(gateway, two):
        os.kill(gateway.process.pid, signal.SIGTERM)
        eventually(lambda: not gateway.process.running, gateway.process.text)
    assert not any(running(pid) for pid in two)
    assert "Traceback" not in gateway.process.text()


def test_a_killed_leader_leaves_nobody(start_gateway: StartGateway, demo: Upstream) -> None:
    """Workers without a leader end, once their exchanges have."""
    gateway = started(start_gateway(before(demo), settings=TWO))
    two = workers(gateway)
    with uploading(gateway.port) as client:
        gateway.process.stop(signal.SIGKILL)
        eventually(lambda: refuses(gateway.port), lambda: "a worker has not noticed that the leader is gone")
        client.send(b"cd")
        assert client.answer().status == 200
    eventually(lambda: not any(running(pid) for pid in two), lambda: "workers go on without a leader")


def test_one_access_log(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """Every request of every worker is one whole line, also while the log is rotated by size and by SIGUSR1."""
    logs = tmp_path / "logs"
    settings = f'{TWO}[log]\nformat = "json"\nmax_size = "20 KB"\nkeep = 1000\nfolder = {json.dumps(str(logs))}\n'
    gateway = started(start_gateway(before(demo), settings=settings))
    load = Load(gateway.port)

    def files() -> list[Path]:
        return list(logs.glob("*"))

    def lines() -> list[bytes]:
        try:
            return [line for file in files() for line in file.read_bytes().splitlines()]
        except FileNotFoundError:  # renamed just now
            return []

    try:
        load.go_on(300)
        os.kill(gateway.process.pid, signal.SIGUSR1)
        load.go_on(300)
        eventually(lambda: len(files()) > 3, gateway.process.text)
    finally:
        load.stop()
    assert load.cut == load.refused == []
    eventually(lambda: len(lines()) >= len(load.statuses), gateway.process.text)
    gateway.stop()
    entries = [json.loads(line) for line in lines()]
    assert sum(entry["path"] == "/headers" for entry in entries) == len(load.statuses)
    assert len({entry["request_id"] for entry in entries}) == len(entries)


def test_daemon_with_workers(demo: Upstream, tmp_path: Path, reactor: str) -> None:
    """In the background too, workers serve and end with the leader, whose log is theirs."""
    daemon = Daemon(tmp_path, before(demo), reactor=reactor, settings=TWO)
    try:
        eventually(lambda: begun(daemon.log.read_text()) == 2, daemon.log.read_text)
        two = children(daemon.pid)
        assert len(two) == 2
        with RawHTTP(daemon.port) as client:
            assert client.get("/", "app.test").status == 200
    finally:
        daemon.stop()
    eventually(lambda: not any(running(pid) for pid in (daemon.pid, *two)), daemon.log.read_text)
    assert "Traceback" not in daemon.log.read_text()


def test_workers_without_root(start_gateway: StartGateway, demo: Upstream) -> None:
    """Started by root with `--uid`, the leader binds and no worker is root."""
    if os.geteuid() != 0:
        missing("only root can give up being root")
    program = [sys.executable, "-P", "-c", "import gateway.workers.worker"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        subprocess.run(program, user=65534, group=65534, env=environment, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this Python is not for everybody")
    options = ["--uid=65534", "--gid=65534"]
    gateway = started(start_gateway(before(demo), settings=TWO, options=options))
    two = workers(gateway)
    assert len(two) == 2
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "app.test").status == 200
    for pid in (gateway.process.pid, *two):
        assert "\nUid:\t65534\t65534\t65534\t65534\n" in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.skipif(not pebble.AVAILABLE, reason="needs Debian's package pebble")
@pytest.mark.parametrize("reactor", REACTORS)
@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_certificates(install: Callable[..., Installation], reactor: str, challenge: str) -> None:  # noqa: F811
    """The leader gets a certificate, whichever worker the authority asks, and every worker shows it."""
    one = install(reactor, workers=2, settings=f'challenges = ["{challenge}"]\n')
    one.drop("app.example.org")
    key = one.wait_for(lambda: one.store.get("app.example.org"))
    assert one.wait_for(lambda: one.store.state("app.example.org").challenge) == challenge
    context = ssl.create_default_context(cadata=one.pebble.root().decode())
    two = workers(started(one.gateway))
    assert len(two) == 2

    def shown(pid: int) -> int | None:
        with client_of(one.tls, pid, two).socket as plain:
            try:
                with context.wrap_socket(plain, server_hostname="app.example.org") as client:
                    return int(str((client.getpeercert() or {})["serialNumber"]), 16)
            except (ssl.SSLError, ConnectionError):  # it has not heard of the certificate yet
                return None

    for pid in two:
        assert one.wait_for(lambda pid=pid: shown(pid)) == key.serial
