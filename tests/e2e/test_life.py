"""Starting and stopping the real gateway."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.ports import free_low_port, refuses
from tests.support.programs import missing
from tests.support.raw_http import RawHTTP, uploading
from tests.support.twistd import Daemon
from tests.support.upstreams import Upstream
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(start_gateway: StartGateway, demo: Upstream, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it cleanly while an idle connection is open, and the port is free afterwards."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "app.test").status == 200
        gateway.stop(number)
        assert client.closed()
    assert refuses(gateway.port)


def test_a_second_signal_cuts(start_gateway: StartGateway, demo: Upstream) -> None:
    """SIGINT, and again because a request is under way: it is cut, and the gateway ends without an error."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with uploading(gateway.port):
        os.kill(gateway.process.pid, signal.SIGINT)
        eventually(lambda: refuses(gateway.port))
        gateway.stop(signal.SIGINT)
    assert "cutting what is still under way" in gateway.process.text()
    assert "Traceback" not in gateway.process.text()


def test_bad_file_disables_its_own_site_only(start_gateway: StartGateway, demo: Upstream) -> None:
    """A site file with an error is answered 503 under its name; the others are served."""
    gateway = start_gateway({"bad.test": "proxi = 4000", "good.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "bad.test").status == 503
        assert client.get("/", "good.test").status == 200
    assert "bad.test.toml" in gateway.process.text()


def test_reactor_is_the_one_asked_for(start_gateway: StartGateway, demo: Upstream, reactor: str) -> None:
    """Without `--reactor` it runs on uvloop; with it on what was named."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    chosen = {"uvloop": "asyncioreactor.AsyncioSelectorReactor", "epoll": "epollreactor.EPollReactor"}[reactor]
    assert f"reactor class: twisted.internet.{chosen}" in gateway.process.text()
    if reactor == "uvloop":
        assert "uvloop" in Path(f"/proc/{gateway.process.pid}/maps").read_text()


def test_daemon(demo: Upstream, tmp_path: Path, reactor: str) -> None:
    """Without `-n` it serves in the background, from a folder named relative to where it was started."""
    daemon = Daemon(tmp_path, {"app.test": f"proxy = {demo.port}"}, reactor=reactor)
    try:
        with RawHTTP(daemon.port) as client:
            assert client.get("/", "app.test").status == 200
    finally:
        daemon.stop()
    assert "Traceback" not in daemon.log.read_text()


def test_low_port_without_staying_root(start_gateway: StartGateway, demo: Upstream) -> None:
    """`twistd --uid` binds a port below 1024 as root, and serves without being root."""
    if os.geteuid() != 0:
        missing("only root can give up being root")
    gateway = start_gateway(
        {"app.test": f"proxy = {demo.port}"}, port=free_low_port(), options=["--uid=65534", "--gid=65534"]
    )
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "app.test").status == 200
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    assert "\nUid:\t65534\t65534\t65534\t65534\n" in status


def test_both_families(start_gateway: StartGateway, demo: Upstream) -> None:
    """Listeners on 127.0.0.1 and on ::1 serve the same sites."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"}, addresses=("127.0.0.1", "[::1]"))
    for host in ("127.0.0.1", "::1"):
        with RawHTTP(gateway.port, host) as client:
            assert client.get("/", "app.test").status == 200
