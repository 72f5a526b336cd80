"""The access log of the real gateway: rotation by signal, public readers, and secrets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.logged import KEYS, read_combined
from tests.support.ports import HOST
from tests.support.programs import require
from tests.support.raw_http import RawHTTP
from tests.support.twistd import Daemon, Twistd
from tests.support.upstreams import Upstream
from tests.support.waiting import PATIENCE, eventually
from tests.support.websocket import close

pytestmark = pytest.mark.e2e

SECRET = "SeCrEt-1234567890abcdefghij"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """An app that takes connections and never answers."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def get(port: int, target: str, *fields: str, host: str = "app.test") -> int:
    with RawHTTP(port) as client:
        return client.get(target, host, *fields).status


def test_reopened_on_sigusr1(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """After a rename and SIGUSR1 lines go to a new file of the same name, and none is lost."""
    logs = tmp_path / "logs"
    gateway: Twistd = start_gateway({"app.test": f"proxy = {demo.port}"}, settings=f'[log]\nfolder = "{logs}"\n')
    log = logs / "app.test.log"
    for number in range(3):
        get(gateway.port, f"/one/{number}")
        eventually(lambda number=number: f"/one/{number}" in read(log))
        log.rename(logs / f"old.{number}")
        get(gateway.port, f"/two/{number}")  # still to the renamed file
        os.kill(gateway.process.pid, signal.SIGUSR1)
        eventually(lambda number=number: f"/two/{number}" in read(logs / f"old.{number}"))
        get(gateway.port, f"/three/{number}")
        eventually(lambda number=number: f"/three/{number}" in read(log))
    gateway.stop()
    lines = [line for path in logs.iterdir() for line in read(path).splitlines()]
    paths = sorted(read_combined(line)["path"] for line in lines)
    assert paths == sorted(f"/{word}/{number}" for word in ("one", "two", "three") for number in range(3))


def test_daemon_rotates_both_logs(demo: Upstream, tmp_path: Path, reactor: str) -> None:
    """In the background twistd rotates its own log at the same signal, and goes on serving."""
    logs = tmp_path / "logs"
    daemon = Daemon(
        tmp_path, {"app.test": f"proxy = {demo.port}"}, reactor=reactor, settings=f'[log]\nfolder = "{logs}"\n'
    )
    try:
        log = logs / "app.test.log"
        get(daemon.port, "/one")
        eventually(lambda: "/one" in read(log))
        log.rename(logs / "old")
        os.kill(daemon.pid, signal.SIGUSR1)
        eventually(lambda: list(tmp_path.glob("twistd.log.*")))
        get(daemon.port, "/two")
        eventually(lambda: "/two" in read(log))
        assert "/two" not in read(logs / "old")
    finally:
        daemon.stop()
    assert "Traceback" not in "".join(read(path) for path in tmp_path.glob("twistd.log*"))


def every_kind(gateway: Twistd) -> None:
    """One request of each kind that a running gateway answers."""
    port = gateway.port
    agent = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Test/1.0"
    assert get(port, "/", agent, "Referer: https://app.test/a?b=c") == 200
    assert get(port, "/moved", agent) == 308
    assert get(port, "/gone", agent) == 410
    assert get(port, "/", agent, host="down.test") == 503
    assert get(port, "/a.txt", agent, host="files.test") == 200
    assert get(port, "/a.txt", agent, "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT", host="files.test") == 304
    assert get(port, "/", agent, host="broken.test") == 503
    assert get(port, "/", agent, host="unknown.test") == 404
    assert get(port, f"/?token={SECRET}&q=%22", 'User-Agent: odd "\\ \xe4') == 200
    assert get(port, "/" + "x" * 6000, agent, "Referer: https://app.test/" + "y" * 6000) in (200, 404)
    for data in (
        b"HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: app.test\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n",
        b"\x16\x03\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        with RawHTTP(port) as client:
            client.send(data)
            assert client.answer("HEAD" if data[:1] == b"H" else "GET").status


def given_up(port: int, silent: socket.socket, log: Path) -> None:
    """A request that its client gives up while the app has it."""
    with RawHTTP(port) as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: silent.test\r\n\r\n")
        app = silent.accept()[0]
    with app:
        eventually(lambda: "/slow" in read(log))


def socket_closed_with(port: int, code: int, log: Path) -> None:
    """Open the demo's WebSocket, with secrets in all places that clients put them, and close it."""
    with RawHTTP(port) as client:
        client.send(
            f"GET /socket?token={SECRET} HTTP/1.1\r\nHost: ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.{SECRET}\r\n"
            f"Cookie: session={SECRET}\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode()
        )
        received = b""
        while b"hello from the demo app" not in received:
            data = client.socket.recv(65536)
            assert data, received
            received += data
        client.send(close(code, masked=True))
        while client.socket.recv(65536):
            pass
    eventually(lambda: read(log).count("\n") == 2)


def sites(demo: Upstream, silent: socket.socket, files: Path) -> dict[str, str]:
    return {
        "app.test": f'proxy = {demo.port}\n[redirects]\n"/moved" = "/"\n"/gone" = 410\n',
        "ws.test": f"phoenix = {demo.port}",
        "down.test": "proxy = 1",
        "files.test": f'static = "{files}"',
        "silent.test": f"proxy = {silent.getsockname()[1]}",
        "broken.test": "proxi = 1",
    }


@pytest.mark.parametrize("form", ["combined", "json"])
def test_every_kind_of_line(
    start_gateway: StartGateway, demo: Upstream, tmp_path: Path, form: str, silent: socket.socket
) -> None:
    """Every line has the same fields; goaccess takes every line of the combined format; each site has its own file."""
    logs, files = tmp_path / "logs", tmp_path / "files"
    files.mkdir()
    (files / "a.txt").write_text("a file\n")
    settings = f'[log]\nfolder = "{logs}"\nformat = "{form}"\n'
    gateway: Twistd = start_gateway(sites(demo, silent, files), settings=settings)
    every_kind(gateway)
    given_up(gateway.port, silent, logs / "silent.test.log")
    socket_closed_with(gateway.port, 4005, logs / "ws.test.log")
    gateway.stop()
    logged = {path.name.removesuffix(".log") for path in logs.iterdir()}
    assert logged == {"app.test", "ws.test", "down.test", "files.test", "silent.test", "broken.test", "_none"}
    text = "".join(read(path) for path in sorted(logs.iterdir()))
    assert SECRET not in text
    assert SECRET not in gateway.process.text()
    if form == "json":
        lines = [json.loads(line) for line in text.splitlines()]
        assert {tuple(line) for line in lines} == {KEYS}
    else:
        lines = [read_combined(line) for line in text.splitlines()]
        assert_goaccess_takes(logs, len(lines))
    assert {str(line["status"]) for line in lines} >= {"101", "200", "308", "400", "404", "304", "410", "499", "503"}
    sockets = [(line["socket"], str(line["code"])) for line in lines if str(line["status"]) == "101"]
    assert sorted(sockets)[0] == ("close", "4005")
    assert [state for state, _ in sockets] == ["open", "close"]


def assert_goaccess_takes(logs: Path, lines: int) -> None:
    """Let goaccess read the files by its own definition of the combined format."""
    report = logs.parent / "report.json"
    command = [
        require("goaccess"),
        *sorted(logs.iterdir()),
        "--log-format=COMBINED",
        "--no-global-config",
        "-o",
        report,
    ]
    command += [f"--invalid-requests={logs.parent / 'invalid'}"]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    general = json.loads(report.read_text())["general"]
    assert (general["failed_requests"], general["valid_requests"]) == (0, lines), read(logs.parent / "invalid")


def test_standard_output(start_gateway: StartGateway, demo: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder the lines of all sites are on standard output, beside twistd's own."""
    monkeypatch.delenv("LOGS_DIRECTORY", raising=False)
    gateway: Twistd = start_gateway({"app.test": f"proxy = {demo.port}"})
    get(gateway.port, "/here")
    eventually(lambda: '"GET /here HTTP/1.1" 404' in gateway.process.text())
    os.kill(gateway.process.pid, signal.SIGUSR1)
    get(gateway.port, "/there")
    eventually(lambda: '"GET /there HTTP/1.1" 404' in gateway.process.text())


def served_while_logged(port: int) -> None:
    """Requests are answered while the gateway hands its log on again and again: at the same time it sets the date."""
    dates: set[bytes | None] = set()

    def served() -> bool:
        assert get(port, "/") == 200
        with RawHTTP(port) as client:
            dates.add(client.get("/", "unknown.test").field(b"date"))
        return len(dates) > 3

    eventually(served)


def test_a_log_that_cannot_be_written(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """Requests are served all the same, and the operator is told once."""
    (tmp_path / "file").write_text("in the way")
    settings = f'[log]\nfolder = "{tmp_path}/file/logs"\n'
    gateway: Twistd = start_gateway({"app.test": f"proxy = {demo.port}"}, settings=settings)
    told = "the access log loses lines"
    assert get(gateway.port, "/") == 200
    eventually(lambda: told in gateway.process.text())
    served_while_logged(gateway.port)
    assert gateway.process.text().count(told) == 1


def test_a_disk_that_stands_still(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """A log file that nobody can open in finite time, here a FIFO, delays neither requests nor a stop for long."""
    logs = tmp_path / "logs"
    logs.mkdir()
    os.mkfifo(logs / "app.test.log")
    gateway: Twistd = start_gateway({"app.test": f"proxy = {demo.port}"}, settings=f'[log]\nfolder = "{logs}"\n')
    served_while_logged(gateway.port)
    gateway.stop()


def test_a_daemon_without_a_folder_says_so(
    demo: Upstream, tmp_path: Path, reactor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the background standard output goes nowhere, which the operator should know."""
    monkeypatch.delenv("LOGS_DIRECTORY", raising=False)
    daemon = Daemon(tmp_path, {"app.test": f"proxy = {demo.port}"}, reactor=reactor)
    daemon.stop()
    assert "no access log is kept" in daemon.log.read_text()
