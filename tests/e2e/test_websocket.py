"""WebSockets through the real gateway, by node's ws package on both sides."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support import upstreams
from tests.support.node import NODE, node_program, run_node
from tests.support.processes import Process
from tests.support.upstreams import Upstream
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e


def _before(upstream: Upstream) -> dict[str, str]:
    """A site before the app, which connects however long that takes."""
    return {"app.test": f'phoenix = {{ to = {upstream.port}, connect_timeout = "60s" }}\n'}


def _run(start_gateway: StartGateway, upstream: Upstream, scenario: str) -> dict[str, object]:
    gateway = start_gateway(_before(upstream))
    return run_node("ws_client.mjs", f"ws://127.0.0.1:{gateway.port}", "app.test", scenario)


def test_echo(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """Text, 300 KB of binary data and pings come back as sent, and the closing code is the app's answer."""
    assert _run(start_gateway, ws_server, "echo") == {
        "text": "Grüße",
        "binary": True,
        "pong": "still there?",
        "code": 1000,
        "reason": "done",
    }


def test_handshake_fidelity(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """Path, query, Host, Origin, cookies and offers reach the app; its choice and each Set-Cookie come back."""
    answer = _run(start_gateway, ws_server, "about")
    about = answer["about"]
    assert isinstance(about, dict)
    assert about["url"] == "/socket/websocket?token=a%20b"
    seen = about["headers"]
    assert seen["host"] == "app.test"
    assert seen["origin"] == "http://app.test"
    assert seen["cookie"] == "session=abc"
    assert seen["x-token"] == "of the client"
    assert seen["sec-websocket-protocol"].replace(" ", "") == "first,second"
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert answer["protocol"] == "second"
    assert answer["cookies"] == ["first=1", "second=2"]


def test_compression_is_end_to_end(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """permessage-deflate is agreed between client and app; without an offer there is none."""
    answer = _run(start_gateway, ws_server, "about")
    about = answer["about"]
    assert isinstance(about, dict)
    assert answer["extensions"] == "permessage-deflate"
    assert about["extensions"] == "permessage-deflate"


def test_no_compression_without_an_offer(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """The gateway offers the app no extension of its own."""
    assert _run(start_gateway, ws_server, "uncompressed") == {"extensions": "", "upstream": ""}


def test_fragments(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """A message in three frames with a ping between them arrives as one."""
    assert _run(start_gateway, ws_server, "fragments") == {"text": "one, two, three"}


def test_close_code_of_the_app(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """The app's close code and reason reach the client."""
    assert _run(start_gateway, ws_server, "closedByServer") == {"code": 4005, "reason": "that is enough"}


def test_close_code_of_the_client(start_gateway: StartGateway, tmp_path: Path) -> None:
    """The client's close code and reason reach the app, and its echo comes back."""
    upstream = upstreams.node_server(tmp_path, "ws_server.mjs")
    try:
        expected = {"code": 4006, "reason": "that was enough"}
        assert _run(start_gateway, upstream, "closedByClient") == expected
        _wait_for(upstream.process, "closed")
    finally:
        upstream.stop()
    assert json.loads(upstream.process.text()) == {"closed": 4006, "reason": "that was enough"}


def test_refused_handshake(start_gateway: StartGateway, ws_server: Upstream) -> None:
    """An answer other than 101 reaches the client whole."""
    expected = {"status": 403, "reason": "origin", "body": "this origin is not allowed\n"}
    assert _run(start_gateway, ws_server, "refused") == expected


def test_app_that_vanishes(start_gateway: StartGateway, tmp_path: Path) -> None:
    """When the app is killed its clients are closed with 1012, service restart."""
    upstream = upstreams.node_server(tmp_path, "ws_server.mjs")
    try:
        assert _close_after(start_gateway, upstream, tmp_path, kill_upstream=True) == 1012
    finally:
        upstream.process.kill()


def test_gateway_that_stops(start_gateway: StartGateway, ws_server: Upstream, tmp_path: Path) -> None:
    """When the gateway stops its clients are closed with 1001, going away."""
    assert _close_after(start_gateway, ws_server, tmp_path, kill_upstream=False) == 1001


def _close_after(start_gateway: StartGateway, upstream: Upstream, folder: Path, *, kill_upstream: bool) -> object:
    """The close code that an open client sees when one side goes."""
    gateway = start_gateway(_before(upstream))
    command = [node_program(), NODE / "ws_client.mjs", f"ws://127.0.0.1:{gateway.port}", "app.test", "lost"]
    client = Process(command, folder / "client.log", cwd=folder)
    try:
        _wait_for(client, "open")
        if kill_upstream:
            upstream.process.stop(signal.SIGKILL)
        else:
            gateway.stop()
        _wait_for(client, "code")
        return json.loads(client.text().splitlines()[-1])["code"]
    finally:
        client.kill()


def _wait_for(process: Process, text: str) -> None:
    """Wait for a whole line that says so."""

    def said() -> bool:
        lines = process.text().splitlines(keepends=True)
        return any(text in line and line.endswith("\n") for line in lines)

    eventually(said, process.text)
