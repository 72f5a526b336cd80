"""Several workers under the real `twistd`: they serve as one, each is replaced, and none is left over."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.e2e.test_acme import Installation, install  # noqa: F401 - a fixture
from tests.support import pebble
from tests.support.ports import HOST
from tests.support.programs import ROOT, missing
from tests.support.raw_http import RawHTTP, uploading
from tests.support.traffic import Traffic
from tests.support.twistd import REACTORS, Daemon, Twistd
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e

IN_TIME = 30.0
TWO = "workers = 2\n"


def within(true: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + IN_TIME
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)


def children(pid: int) -> set[int]:
    """Ids of the processes that a process has started and that run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(each) for each in found if running(int(each))}


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def refuses(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), IN_TIME).close()
    except ConnectionRefusedError:
        return True
    return False


def accepting(gateway: Twistd, port: int) -> set[int]:
    """Ids of the workers that answer on one of 40 connections."""
    found = set()
    for _ in range(40):
        with socket.create_connection((HOST, port), IN_TIME) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            assert client.recv(9) == b"HTTP/1.1 "
            found |= owners(client.getsockname()[1], children(gateway.process.pid))
    return found


def owners(peer: int, pids: set[int]) -> set[int]:
    """Whom of these processes a connection from this port belongs to."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{line[9]}]" for line in lines if line[2] == f"0100007F:{peer:04X}"}
    found = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(descriptor) in inodes:
                    found.add(pid)
            except OSError:
                continue
    return found


def serves(gateway: Twistd) -> int:
    return gateway.process.text().count(") serves\n")


def started(gateway: Twistd, times: int = 2) -> Twistd:
    """Wait until so many workers have begun to serve."""
    within(lambda: serves(gateway) >= times, gateway.process.text)
    return gateway


def test_two_workers_answer(start_gateway: StartGateway, demo: Upstream) -> None:
    """Each of two processes takes connections; the leader takes none, and listens for both."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    workers = children(gateway.process.pid)
    assert len(workers) == 2
    found: set[int] = set()
    within(lambda: found.update(accepting(gateway, gateway.port)) or found == workers, lambda: f"{found} of {workers}")


class Load:
    """Clients at work, each with a new connection for every ten requests.

    Attributes:
        done: Requests answered.
        cut: Connections that ended in the middle.
        wrong: What was answered otherwise.
    """

    def __init__(self, port: int, clients: int = 4) -> None:
        self.done = self.cut = 0
        self.wrong: list[str] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(IN_TIME)

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                with RawHTTP(self._port) as client:
                    for _ in range(10):
                        status = client.get("/headers", "app.test").status
                        if status != 200:
                            self.wrong.append(str(status))
                        self.done += 1
                        time.sleep(0.002)
            except ConnectionRefusedError:
                self.wrong.append("refused")
            except Exception:
                self.cut += 1


def test_a_killed_worker_is_replaced(start_gateway: StartGateway, demo: Upstream) -> None:
    """Under load one is killed: its own connections are cut, nobody is refused, and another takes its place."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    before = children(gateway.process.pid)
    load = Load(gateway.port)
    try:
        within(lambda: load.done > 100, gateway.process.text)
        os.kill(min(before), signal.SIGKILL)
        started(gateway, 3)
        done = load.done
        within(lambda: load.done > done + 100, gateway.process.text)
    finally:
        load.stop()
    assert load.wrong == []
    assert load.cut <= 4
    after = children(gateway.process.pid)
    assert len(after) == 2
    assert max(before) in after
    assert f"(pid {min(before)}) was ended by SIGKILL after " in gateway.process.text()


def test_a_worker_that_is_told_to_end(start_gateway: StartGateway, demo: Upstream) -> None:
    """SIGTERM to one worker lets its exchanges end while another takes its place."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    before = children(gateway.process.pid)
    load = Load(gateway.port)
    try:
        within(lambda: load.done > 100, gateway.process.text)
        os.kill(min(before), signal.SIGTERM)
        started(gateway, 3)
        within(lambda: not running(min(before)), gateway.process.text)
    finally:
        load.stop()
    assert load.wrong == []
    assert load.cut <= 4, "connections between two requests may be closed, no more"
    assert "[gateway.workers.member#error]" not in gateway.process.text()


def test_a_reload_changes_all(start_gateway: StartGateway, demo: Upstream) -> None:
    """A changed file is served by all workers, a bad one by none, and nothing else is disturbed."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    traffic = [Traffic(gateway.port, "app.test") for _ in range(16)]  # the kernel shares them out, never all to one
    site = gateway.folder / "new.test.toml"

    def answers() -> set[str]:
        found = set()
        for _ in range(12):
            with RawHTTP(gateway.port) as client:
                answer = client.get("/", "new.test")
                found.add((answer.field(b"location") or str(answer.status).encode()).decode())
        return found

    assert answers() == {"404"}
    site.write_text('redirect = "https://one.test"\n')
    within(lambda: answers() == {"https://one.test/"}, gateway.process.text)
    site.write_text('redirect = "https://two.test"\n')
    within(lambda: answers() == {"https://two.test/"}, gateway.process.text)
    site.write_text("redirect = 1\n")
    within(lambda: "its last good version is served" in gateway.process.text(), gateway.process.text)
    assert answers() == {"https://two.test/"}
    # A worker that knows nothing of what was before serves the same.
    os.kill(min(children(gateway.process.pid)), signal.SIGKILL)
    started(gateway, 3)
    assert answers() == {"https://two.test/"}
    site.unlink()
    within(lambda: answers() == {"404"}, gateway.process.text)
    assert gateway.process.text().count("its last good version is served") == 1
    alive = 0
    for each in traffic:
        try:
            each.go_on()
            alive += 1
        except (AssertionError, OSError):
            pass
        each.close()
    assert alive >= 1, "only the killed worker's connections may end"


def test_a_stop_drains(start_gateway: StartGateway, demo: Upstream) -> None:
    """SIGTERM at the leader lets exchanges of all workers end; then no process and no open port is left."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    workers = children(gateway.process.pid)
    with ExitStack() as stack:
        busy = [stack.enter_context(uploading(gateway.port)) for _ in range(6)]
        os.kill(gateway.process.pid, signal.SIGTERM)
        within(lambda: refuses(gateway.port), gateway.process.text)
        assert gateway.process.running
        for client in busy:
            client.send(b"cd")
            assert client.answer().status == 200
    within(lambda: not gateway.process.running, gateway.process.text)
    assert not any(running(pid) for pid in workers)
    assert "Traceback" not in gateway.process.text()


def test_a_second_signal_cuts(start_gateway: StartGateway, demo: Upstream) -> None:
    """Whoever cannot wait for a stop signals again: all workers cut what is under way."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    workers = children(gateway.process.pid)
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(uploading(gateway.port))
        os.kill(gateway.process.pid, signal.SIGTERM)
        within(lambda: refuses(gateway.port), gateway.process.text)
        assert gateway.process.running
        os.kill(gateway.process.pid, signal.SIGTERM)
        within(lambda: not gateway.process.running, gateway.process.text)
    assert not any(running(pid) for pid in workers)
    assert "Traceback" not in gateway.process.text()


def test_a_killed_leader_leaves_nobody(start_gateway: StartGateway, demo: Upstream) -> None:
    """Workers without a leader end, once their exchanges have."""
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO))
    workers = children(gateway.process.pid)
    with uploading(gateway.port) as client:
        gateway.process.stop(signal.SIGKILL)
        time.sleep(0.3)
        client.send(b"cd")
        assert client.answer().status == 200
    within(lambda: not any(running(pid) for pid in workers), lambda: "workers go on without a leader")


def test_one_access_log(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """Every request of every worker is one whole line, also while the log is rotated by size and by SIGUSR1."""
    logs = tmp_path / "logs"
    settings = f'{TWO}[log]\nformat = "json"\nmax_size = "20 KB"\nkeep = 1000\nfolder = {json.dumps(str(logs))}\n'
    gateway = started(start_gateway({"app.test": f"proxy = {demo.port}"}, settings=settings))
    load = Load(gateway.port)
    try:
        within(lambda: load.done > 300, gateway.process.text)
        os.kill(gateway.process.pid, signal.SIGUSR1)
        done = load.done
        within(lambda: load.done > done + 300, gateway.process.text)
    finally:
        load.stop()
    gateway.stop()
    lines = [line for file in logs.iterdir() for line in file.read_bytes().split(b"\n")]
    entries = [json.loads(line) for line in lines if line]
    assert load.cut == 0
    assert sum(entry["path"] == "/headers" for entry in entries) == load.done
    assert len({entry["request_id"] for entry in entries}) == len(entries)
    assert len(list(logs.iterdir())) > 3


def test_daemon_with_workers(demo: Upstream, tmp_path: Path, reactor: str) -> None:
    """In the background too, workers serve and end with the leader, whose log is theirs."""
    daemon = Daemon(tmp_path, {"app.test": f"proxy = {demo.port}"}, reactor=reactor, settings=TWO)
    try:
        with RawHTTP(daemon.port) as client:
            assert client.get("/", "app.test").status == 200
        workers = children(daemon.pid)
        assert len(workers) == 2
    finally:
        daemon.stop()
    within(lambda: not any(running(pid) for pid in workers), daemon.log.read_text)
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
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"}, settings=TWO, options=["--uid=65534", "--gid=65534"])
    workers = children(gateway.process.pid)
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "app.test").status == 200
    for pid in (gateway.process.pid, *workers):
        assert "\nUid:\t65534\t65534\t65534\t65534\n" in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.skipif(not pebble.AVAILABLE, reason="needs Debian's package pebble")
@pytest.mark.parametrize("reactor", REACTORS)
@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_certificates(install: Callable[..., Installation], reactor: str, challenge: str) -> None:  # noqa: F811
    """The leader gets a certificate, whichever worker the authority asks, and every worker shows it."""
    one = install(reactor, workers=2, settings=f'challenges = ["{challenge}"]\n')
    one.drop("app.example.org")
    key = one.wait_for(lambda: one.store.get("app.example.org"))
    assert one.wait_for(lambda: one.store.state("app.example.org").challenge or None) == challenge
    context = ssl.create_default_context(cadata=one.pebble.root().decode())

    def shown() -> set[int]:
        found = set()
        for _ in range(12):
            plain = socket.create_connection((HOST, one.tls), IN_TIME)
            with context.wrap_socket(plain, server_hostname="app.example.org") as client:
                found.add(int(str((client.getpeercert() or {})["serialNumber"]), 16))
        return found

    assert shown() == {key.serial}
