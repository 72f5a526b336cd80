"""A real browser on the demo, through the real gateway."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.browser import browse
from tests.support.programs import ROOT
from tests.support.twistd import Twistd
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e

_LOG = "[...document.querySelectorAll('#log li')].map((item) => item.textContent)"
_NO_ERRORS: list[str] = []


def _demo_sites(demo: Upstream) -> dict[str, str]:
    """The site files of `sites/`, over the port of this run's demo app and one where nobody listens."""
    files = {file.stem: file.read_text() for file in (ROOT / "sites").glob("*localhost.toml")}
    replaced = (("4100", str(demo.port)), ("4101", "1"), ("../static", str(ROOT / "static")))
    return {name: reduce(lambda text, pair: text.replace(*pair), replaced, text) for name, text in files.items()}


def _start(start_gateway: StartGateway, demo: Upstream) -> Twistd:
    return start_gateway(_demo_sites(demo))


def test_start_page_leads_to_the_app(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """The start page says what is running; its first link opens the demo app, which came through the gateway."""
    gateway = _start(start_gateway, demo)
    answer = browse(
        tmp_path / "profile",
        f"http://localhost:{gateway.port}/",
        f"location.host === 'app.localhost:{gateway.port}' && document.readyState === 'complete'",
        "document.getElementById('path').textContent",
        click=".cards a",
    )
    assert "came through the gateway" in str(answer["value"])
    assert "127.0.0.1" in str(answer["value"])
    assert answer["messages"] == _NO_ERRORS
    requests = answer["requests"]
    assert isinstance(requests, list)
    assert all(str(gateway.port) in url or url.startswith("data:") for url in requests), requests


def test_socket_of_the_page(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """The page's script opens its WebSocket, compressed, and shows what comes back, typed messages too."""
    gateway = _start(start_gateway, demo)
    answer = browse(
        tmp_path / "profile",
        f"http://app.localhost:{gateway.port}/live",
        f"{_LOG}.length >= 5",
        f"({{ log: {_LOG}.sort(), state: document.getElementById('state').textContent }})",
        click="#say button",
    )
    value = answer["value"]
    assert isinstance(value, dict)
    assert value["state"] == "open, with permessage-deflate"
    assert value["log"] == [
        "received: first message, sent by the page's script",
        "received: hello from the demo app: whatever you send comes back",
        "received: message 1",
        "sent: first message, sent by the page's script",
        "sent: message 1",
    ]
    assert answer["messages"] == _NO_ERRORS


def test_stream_of_the_page(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """The page shows the first events while the stream still runs: here, for longer than the browser."""
    sites = _demo_sites(demo)
    sites["app.localhost"] += '[redirects]\n"/events" = "/events/long?count=1000&every=500"\n'
    gateway = start_gateway(sites)
    answer = browse(
        tmp_path / "profile",
        f"http://app.localhost:{gateway.port}/stream",
        f"{_LOG}.length >= 2",
        f"({{ first: {_LOG}[0], state: document.getElementById('state').textContent }})",
    )
    assert answer["value"] == {"first": "received: event 1 of 1000", "state": "open: ten events, two a second"}
    assert answer["messages"] == _NO_ERRORS


def test_static_site(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """A link of the static site leads to a page by its clean name, with style and picture from the same site."""
    gateway = _start(start_gateway, demo)
    answer = browse(
        tmp_path / "profile",
        f"http://blog.localhost:{gateway.port}/",
        "document.readyState === 'complete' && document.title === 'Nothing is sent twice'",
        "({ path: location.pathname, font: getComputedStyle(document.body).fontFamily })",
        click=".posts a",
    )
    value = answer["value"]
    assert isinstance(value, dict)
    assert value["path"] == "/posts/not-twice"
    assert "Georgia" in value["font"]
    assert answer["messages"] == _NO_ERRORS
    requests = answer["requests"]
    assert isinstance(requests, list)
    assert f"http://blog.localhost:{gateway.port}/hills.svg" in requests
    assert all(f"//blog.localhost:{gateway.port}/" in url or url.startswith("data:") for url in requests), requests


def test_deep_link_into_the_single_page_app(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """An address that is no file opens the app at that view; a click changes the view without a request."""
    gateway = _start(start_gateway, demo)
    answer = browse(
        tmp_path / "profile",
        f"http://spa.localhost:{gateway.port}/lists/server",
        "document.title === 'Groceries'",
        "[location.pathname, document.querySelectorAll('li').length]",
        click="nav a",
    )
    assert answer["value"] == ["/", 3]
    assert answer["messages"] == _NO_ERRORS
    requests = answer["requests"]
    assert isinstance(requests, list)
    names = [
        url.removeprefix(f"http://spa.localhost:{gateway.port}") for url in requests if not url.startswith("data:")
    ]
    assert sorted(names) == ["/assets/app.css", "/assets/app.js", "/lists/server"]


def test_missing_asset_of_the_single_page_app(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """A script that is missing is 404 and not the app's page."""
    gateway = _start(start_gateway, demo)
    answer = browse(
        tmp_path / "profile",
        f"http://spa.localhost:{gateway.port}/missing",
        "document.querySelector('output')?.textContent",
        "document.querySelector('output').textContent",
        click="main button",
    )
    assert str(answer["value"]).startswith("404 ")
    assert "html" not in str(answer["value"])


def test_app_that_is_away(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> None:
    """The site whose app is not running shows the page that waits for it."""
    gateway = _start(start_gateway, demo)
    answer = browse(
        tmp_path / "profile",
        f"http://away.localhost:{gateway.port}/",
        "document.readyState === 'complete'",
        "document.querySelector('h1').textContent",
    )
    assert answer["value"] == "Back in a moment"
