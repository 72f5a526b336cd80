"""Starting and stopping the real gateway."""

from __future__ import annotations

import signal
import socket

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.processes import HOST
from tests.support.raw_http import RawHTTP
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(start_gateway: StartGateway, demo: Upstream, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with status 0 while an idle connection is open, and the port is free afterwards."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "app.test").status == 200
        assert gateway.process.stop(number) == 0
        assert client.closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, gateway.port), 1)


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
    with open(f"/proc/{gateway.process.pid}/maps", encoding="utf-8") as maps:
        loaded = "uvloop" in maps.read()
    assert loaded == (reactor == "uvloop")
