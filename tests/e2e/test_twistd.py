"""twistd with the gateway's reactor, options and listeners, under a throw-away service."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_low_port, free_port
from tests.support.proc import running
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
TWISTD = str(Path(sys.executable).with_name("twistd"))


class Twistd:
    """A folder in which twistd runs; what was started is ended at the end of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sites").mkdir()
        shutil.copytree(Path(__file__).with_name("throwaway"), folder / "plugin")
        self.processes: list[subprocess.Popen[bytes]] = []

    def listen(self, *addresses: str) -> None:
        (self.folder / "sites" / "listen").write_text(" ".join(addresses))

    def command(self, *options: str) -> list[str]:
        return [TWISTD, *options, "throwaway", "-c", str(self.folder / "sites")]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": f"{ROOT}:{self.folder / 'plugin'}", "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "out.log").open("wb")
        process = subprocess.Popen(
            self.command(*options), cwd=self.folder, env=self.environment(), stdout=log, stderr=subprocess.STDOUT
        )
        log.close()
        self.processes.append(process)
        return process

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*options)
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def daemon(self) -> int | None:
        found = self.folder / "twistd.pid"
        return int(found.read_text() or 0) if found.exists() else None

    @property
    def output(self) -> str:
        return (self.folder / "out.log").read_text()

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        pid = self.daemon()
        if pid is not None and running(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def twistd(tmp_path: Path) -> Iterator[Twistd]:
    started = Twistd(tmp_path)
    yield started
    started.end()


def greeting(target: tuple[str, int] | str) -> str:
    family = socket.AF_UNIX if isinstance(target, str) else socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    try:
        with socket.socket(family) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(target)
            with sock.makefile() as file:
                return file.readline()
    except (ConnectionRefusedError, ConnectionResetError, FileNotFoundError):
        return ""


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ((), "uvloop LoopTransport"),
        (("--reactor=epoll",), "EPollReactor Server"),
        (("--reactor=asyncio",), "AsyncioSelectorReactor Server"),
    ],
)
def test_reactor(twistd: Twistd, options: tuple[str, ...], kind: str) -> None:
    """Without --reactor the service runs on uvloop, with it on what was asked for; SIGTERM ends it cleanly."""
    port = free_port()
    twistd.listen(f"127.0.0.1:{port}")
    for _ in ("without a plug-in cache", "with one"):
        process = twistd.start("-n", *options)
        assert str(eventually(lambda: greeting(("127.0.0.1", port)))).startswith(kind)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0 or process.returncode == -signal.SIGTERM
        assert "Traceback" not in twistd.output
        assert twistd.daemon() is None


@pytest.mark.parametrize("options", [(), ("--reactor=epoll",)])
def test_daemon(twistd: Twistd, options: tuple[str, ...]) -> None:
    """Daemonized it serves on every kind of address, and ends by its pid file, leaving no file behind."""
    four, six, path = free_port(), free_port("::1"), str(twistd.folder / "s.sock")
    twistd.listen(f"127.0.0.1:{four}", f"[::1]:{six}", f"unix:{path}")
    ran = twistd.run(*options)
    assert ran.returncode == 0, ran.stderr
    targets: list[tuple[str, int] | str] = [("127.0.0.1", four), ("::1", six), path]
    for target in targets:
        assert eventually(lambda target=target: greeting(target))
    pid = twistd.daemon()
    assert pid
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not running(pid))
    assert twistd.daemon() is None
    assert not Path(path).exists()
    assert "Traceback" not in (twistd.folder / "twistd.log").read_text()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may bind low ports and give up its rights")
@pytest.mark.parametrize("options", [("-n",), ("-n", "--reactor=epoll")])
def test_privileges(twistd: Twistd, options: tuple[str, ...]) -> None:
    """A low port is bound as root; then the service runs as the user that --uid names, and still serves."""
    port = free_low_port()
    path = str(twistd.folder / "s.sock")
    twistd.listen(f"127.0.0.1:{port}", f"unix:{path}")
    process = twistd.start(*options, "--uid", "nobody", "--pidfile=")
    assert str(eventually(lambda: greeting(("127.0.0.1", port)))).endswith("uid=65534\n")
    assert greeting(path).endswith("uid=65534\n")
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    assert "Traceback" not in twistd.output


def test_port_in_use(twistd: Twistd) -> None:
    """A port that is taken is named with the setting that asks for it and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        twistd.listen(f"127.0.0.1:{port}")
        ran = twistd.run("-n")
    assert ran.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port} (listen): address already in use; find the program with" in ran.stdout


def test_stale_socket_file(twistd: Twistd) -> None:
    """The socket file of a process that was killed is replaced; that of a living one is not."""
    path = str(twistd.folder / "s.sock")
    twistd.listen(f"unix:{path}")
    first = twistd.start("-n")
    eventually(lambda: greeting(path))
    ran = twistd.run("-n", "--pidfile=")
    assert "another program listens there" in ran.stdout
    assert greeting(path)
    first.kill()
    first.wait()
    twistd.start("-n")
    assert eventually(lambda: greeting(path))


@pytest.mark.parametrize("options", [(), ("--reactor=epoll",)])
def test_out_of_descriptors(twistd: Twistd, options: tuple[str, ...]) -> None:
    """Running out of file descriptors costs connections, never the listener."""
    port = free_port()
    twistd.listen(f"127.0.0.1:{port}")
    process = twistd.start("-n", *options)
    eventually(lambda: greeting(("127.0.0.1", port)))
    used = descriptors(process.pid)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (used + 4, used + 4))
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    eventually(lambda: descriptors(process.pid) == used + 4)
    for sock in crowd:
        sock.close()
    assert eventually(lambda: greeting(("127.0.0.1", port)))


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("options", ["", "--reactor=epoll"])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_systemd(twistd: Twistd, options: str, family: socket.AddressFamily) -> None:
    """Sockets that systemd holds are taken over by name, and stay open when the service stops."""
    twistd.listen("systemd:web")
    path = str(twistd.folder / "held.sock")
    held = socket.create_server(("127.0.0.1", 0)) if family == socket.AF_INET else socket.socket(family)
    with held:
        if family == socket.AF_UNIX:
            held.bind(path)
            held.listen()
        log = (twistd.folder / "out.log").open("wb")
        command = [sys.executable, "-c", AS_SYSTEMD, str(held.fileno()), *twistd.command("-n", *options.split())]
        environment, fds = twistd.environment(), [held.fileno()]
        process = subprocess.Popen(command, cwd=twistd.folder, env=environment, pass_fds=fds, stdout=log, stderr=log)
        log.close()
        twistd.processes.append(process)
        kind = "EPollReactor" if options else "uvloop"
        assert greeting(held.getsockname()).startswith(kind)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        assert "Traceback" not in twistd.output
        with socket.socket(family) as waiting:
            waiting.connect(held.getsockname())


def test_help(twistd: Twistd) -> None:
    """Help is shown from any folder; a missing folder is named."""
    ran = subprocess.run(
        [TWISTD, "throwaway", "--help"], cwd="/", env=twistd.environment(), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0
    assert "--config" in ran.stdout
    ran = subprocess.run(
        [TWISTD, "-n", "throwaway", "-c", "nowhere"],
        cwd=twistd.folder,
        env=twistd.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "there is no folder 'nowhere'" in ran.stdout + ran.stderr
