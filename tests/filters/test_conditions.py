"""Conditions on routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.served import Served

SITE = """
proxy = 4000
[routes]
"/a/*" = { proxy = 4001, when = { method = ["POST", "PUT"] } }
"/b/*" = { proxy = 4001, when = { ip = ["203.0.113.0/24"] } }
"/c/*" = { proxy = 4001, when = { ip = ["10.0.0.0/8"] } }
"/d/*" = { proxy = 4001, when = { header = { X-Kind = "new", X-Other = "*" } } }
"/e/*" = { proxy = 4001, when = { query = { beta = "1" } } }
"/f/*" = { proxy = 4001, when = { method = ["GET"], query = { q = "*" } } }
"""


@pytest.mark.parametrize(
    ("request_line", "fields", "port"),
    [
        ("GET /a/x", "", 4000),
        ("POST /a/x", "Content-Length: 0\r\n", 4001),
        ("PUT /a", "Content-Length: 0\r\n", 4001),
        ("GET /b/x", "", 4001),
        ("GET /c/x", "", 4000),
        ("GET /c/x", "X-Forwarded-For: 10.1.2.3\r\n", 4000),
        ("GET /d/x", "", 4000),
        ("GET /d/x", "X-Kind: new\r\n", 4000),
        ("GET /d/x", "X-Kind: new\r\nX-Other: anything\r\n", 4001),
        ("GET /d/x", "X-Kind: newer\r\nX-Other: anything\r\n", 4000),
        ("GET /e/x", "", 4000),
        ("GET /e/x?beta=1", "", 4001),
        ("GET /e/x?beta=11", "", 4000),
        ("GET /e/x?a=2&beta=%31", "", 4001),
        ("GET /f/x?q", "", 4001),
        ("HEAD /f/x?q=1", "", 4000),
        ("GET /f/x?r=1", "", 4000),
    ],
)
def test_who_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_line: str, fields: str, port: int
) -> None:
    """A route answers where all its conditions hold; elsewhere the next shorter one does."""
    served = Served(tmp_path, monkeypatch, a__com=SITE)
    assert not served.loaded.errors
    client = served.world.client()
    client.receive(f"{request_line} HTTP/1.1\r\nHost: a.com\r\n{fields}\r\n".encode())
    assert [name for name, endpoint in served.endpoints.items() if endpoint.accepted] == [f"127.0.0.1:{port}"]
