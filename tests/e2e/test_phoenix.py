"""Phoenix's own JavaScript client through the real gateway."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.node import run_node
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e


PAYLOAD = {"text": "Grüße", "number": 7}


def test_channel_over_websocket(start_gateway: StartGateway, phoenix_server: Upstream) -> None:
    """Join, push, reply, broadcast and heartbeats work over Phoenix's WebSocket transport, without an error."""
    gateway = start_gateway({"localhost": f"phoenix = {phoenix_server.port}"})
    answer = run_node("phoenix_client.mjs", f"ws://localhost:{gateway.port}", "websocket")
    heartbeats = answer.pop("heartbeats")
    assert isinstance(heartbeats, int)
    assert heartbeats >= 2
    assert answer == _expected(longpoll=False)


def test_channel_over_longpoll(start_gateway: StartGateway, phoenix_server: Upstream) -> None:
    """Join, push, reply and broadcast work over Phoenix's long-poll transport, across polls that end empty."""
    gateway = start_gateway({"localhost": f"phoenix = {phoenix_server.port}"})
    answer = run_node("phoenix_client.mjs", f"http://localhost:{gateway.port}", "longpoll")
    assert answer.pop("heartbeats") == 0
    assert answer == _expected(longpoll=True)


def _expected(*, longpoll: bool) -> dict[str, object]:
    return {"reply": PAYLOAD, "pushed": PAYLOAD, "again": {"text": "again"}, "errors": [], "longpoll": longpoll}
