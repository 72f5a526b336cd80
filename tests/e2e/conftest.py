"""What end-to-end tests start: the gateway on either reactor, and upstreams that live as long as the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import upstreams
from tests.support.twistd import REACTORS, Twistd
from tests.support.upstreams import Upstream

StartGateway = Callable[..., Twistd]


@pytest.fixture(params=REACTORS)
def reactor(request: pytest.FixtureRequest) -> str:
    """Each test that starts a gateway runs once on uvloop, the default, and once on Twisted's own reactor."""
    name = request.param
    assert isinstance(name, str)
    return name


@pytest.fixture
def start_gateway(tmp_path: Path, reactor: str) -> Iterator[StartGateway]:
    """Start gateways over site files: `start_gateway({"app.test": "proxy = 4000"}, settings="[limits]…")`.

    Other keywords are those of `Twistd`. Each gateway is stopped after the test, and must stop cleanly.
    """
    running: list[Twistd] = []

    def start(sites: dict[str, str], **keywords: object) -> Twistd:
        folder = tmp_path / f"gateway-{len(running)}"
        folder.mkdir()
        gateway = Twistd(folder, sites, reactor=reactor, **keywords)
        running.append(gateway)
        return gateway

    yield start
    failures = [failure for gateway in running if gateway.process.running and (failure := _stop(gateway))]
    assert not failures, "\n".join(failures)


def _stop(gateway: Twistd) -> str:
    try:
        gateway.stop()
    except AssertionError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """The demo app."""
    yield from _stopped(upstreams.demo_app(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """Nginx over `www/` in its folder, with a file of 2 MB."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "www").mkdir()
    (folder / "www" / "big.bin").write_bytes(bytes(range(250)) * 8000)
    yield from _stopped(upstreams.nginx(folder))


@pytest.fixture(scope="session")
def ws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """A WebSocket server by node's ws package."""
    yield from _stopped(upstreams.node_server(tmp_path_factory.mktemp("ws"), "ws_server.mjs"))


@pytest.fixture(scope="session")
def phoenix_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """A small Phoenix endpoint: WebSocket and long-poll."""
    yield from _stopped(upstreams.node_server(tmp_path_factory.mktemp("phoenix"), "phoenix_server.mjs"))


def _stopped(upstream: Upstream) -> Iterator[Upstream]:
    yield upstream
    upstream.stop()
