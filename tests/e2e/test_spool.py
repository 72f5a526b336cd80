"""Uploads collected first, over real sockets."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.raw_http import RawHTTP
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("buffer", ["8 MB", "1 MB"])
def test_a_large_upload_arrives_byte_for_byte(start_gateway: StartGateway, demo: Upstream, buffer: str) -> None:
    """Content within the limit, and content that outgrows it, arrive whole, and the connection stays usable."""
    gateway = start_gateway({"app.test": f'phoenix = {{ to = {demo.port}, buffer = "{buffer}" }}'})
    body = bytes(range(251)) * 20_000
    with RawHTTP(gateway.port) as client:
        for _ in range(2):
            answer = client.post("/size", "app.test", body, "Content-Type: application/octet-stream")
            assert answer.status == 200
            assert json.loads(answer.body) == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
