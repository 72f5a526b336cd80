"""An app that goes away and returns, as people and Phoenix's client see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.browser import browse
from tests.support.node import run_node
from tests.support.ports import free_port
from tests.support.raw_http import RawHTTP
from tests.support.twistd import Twistd
from tests.support.upstreams import Upstream, demo_app, node_server
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

_PAGE = "Accept: text/html"


def _wait_for(gateway: Twistd, lines: str, count: int = 1) -> None:
    """Wait until the gateway's log has so many lines that match."""
    eventually(lambda: len(re.findall(lines, gateway.process.text())) >= count, gateway.process.text)


def _away_and_back(
    gateway: Twistd, seen: Callable[[], dict[str, object]], away: str, start: Callable[[], Upstream]
) -> dict[str, object]:
    """Let somebody look while the app is away, and start the app once `away` is in the log."""
    with ThreadPoolExecutor(1) as threads:
        looking = threads.submit(seen)
        _wait_for(gateway, away)
        app = start()
        try:
            return looking.result()
        finally:
            app.stop()


def test_page_goes_by_itself(start_gateway: StartGateway, tmp_path: Path) -> None:
    """The maintenance page asks for its own address until the app is back, and then shows the app."""
    port = free_port()
    gateway = start_gateway({"app.localhost": f"proxy = {port}"})
    url = f"http://app.localhost:{gateway.port}/live"
    answer = _away_and_back(
        gateway,
        lambda: browse(tmp_path / "profile", url, "document.getElementById('log') !== null", "location.pathname"),
        r'"HEAD /live HTTP/1.1" 503',
        lambda: demo_app(tmp_path, port),
    )
    assert answer["value"] == "/live"


def test_page_of_a_form_is_not_sent_again(start_gateway: StartGateway, tmp_path: Path) -> None:
    """After a POST the page only says that the site is back: the form is sent once."""
    port = free_port()
    gateway = start_gateway({"app.localhost": f"proxy = {port}"})
    url = f"data:text/html,<form method=post action='http://app.localhost:{gateway.port}/upload'><button>x</button></form>"
    answer = _away_and_back(
        gateway,
        lambda: browse(
            tmp_path / "profile",
            url,
            "document.getElementById('state')?.textContent.startsWith('The site is back')",
            "document.title",
            click="button",
        ),
        r'"HEAD /upload HTTP/1.1" 503',
        lambda: demo_app(tmp_path, port),
    )
    assert answer["value"] == "Back in a moment"
    assert len(re.findall(r'"POST /upload ', gateway.process.text())) == 1


def test_longpoll_client_lives_on(start_gateway: StartGateway, tmp_path: Path) -> None:
    """Phoenix's client on long-poll meets empty answers while the app is away, and joins again after it."""
    port = free_port()
    app = node_server(tmp_path, "phoenix_server.mjs", port)
    gateway = start_gateway({"localhost": f"phoenix = {port}"})
    with ThreadPoolExecutor(1) as threads:
        client = threads.submit(run_node, "phoenix_away.mjs", f"http://localhost:{gateway.port}")
        try:
            _wait_for(gateway, '"GET /heard-before HTTP/1.1" 404')
        finally:
            app.stop()
        _wait_for(gateway, r'"GET /live/longpoll\S* HTTP/1.1" 503', 2)
        app = node_server(tmp_path, "phoenix_server.mjs", port)
        try:
            assert client.result() == {"after": {"text": "after"}, "lost": True}
        finally:
            app.stop()


def test_switch(start_gateway: StartGateway, demo: Upstream) -> None:
    """`on` keeps visitors out, with message and time; listed addresses see the site."""
    switch = '[maintenance]\non = true\nmessage = "moving <house>"\nuntil = 2099-01-01\n'
    app = f"proxy = {demo.port}\n"
    gateway = start_gateway(
        {
            "on.test": app + switch,
            "allowed.test": app + switch + 'allow = ["127.0.0.0/8"]\n',
            "true.test": app + "maintenance = true\n",
        }
    )
    with RawHTTP(gateway.port) as client:
        page = client.get("/", "on.test", _PAGE)
        assert (page.status, page.field(b"retry-after")) == (503, b"86400")
        assert b"moving &lt;house&gt;" in page.body
        assert page.field(b"x-gateway-reason") == b"maintenance"
        assert client.get("/live/longpoll", "true.test", "Accept: application/json").body == b""
        assert client.get("/", "allowed.test", _PAGE).status == 200


def test_pages_of_the_operator(start_gateway: StartGateway, tmp_path: Path) -> None:
    """Own pages are read when the gateway starts and work without the disk; a missing one is a warning."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "away.html").write_text("<h1>{host} naps</h1>")
    (folder / "404.html").write_text("<h1>{status} {request_id}</h1>")
    keys = f'maintenance = "{folder}/away.html"\nerrors = {{ 404 = "{folder}/404.html", 5xx = "{folder}/none.html" }}\n'
    gateway = start_gateway({"app.test": f'{keys}[routes]\n"/app" = 1\n'})
    for file in folder.iterdir():
        file.unlink()
    with RawHTTP(gateway.port) as client:
        assert client.get("/app", "app.test", _PAGE).body.startswith(b"<h1>app.test naps</h1>")
        missing = client.get("/x", "app.test", _PAGE)
        assert missing.body == b"<h1>404 %b</h1>" % (missing.field(b"x-request-id") or b"")
    assert f"{folder}/none.html cannot be read" in gateway.process.text()


def test_flag_file(start_gateway: StartGateway, demo: Upstream) -> None:
    """A flag file put beside the site file switches maintenance on, and off again when it goes."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    flag = gateway.folder / "app.test.down"
    with RawHTTP(gateway.port) as client:
        for write, status in ((lambda: flag.write_text("moving"), 503), (flag.unlink, 200)):
            write()
            eventually(lambda status=status: client.get("/", "app.test", _PAGE).status == status, gateway.process.text)
