"""gateway.demo.app: which page answers where."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.support.demo import DemoConnection


def _body(answer: str) -> str:
    return answer.partition("\r\n\r\n")[2]


def test_start_page_is_known_by_its_name() -> None:
    """At localhost, with any port, the start page answers; at every other name the app."""
    demo = DemoConnection()
    assert "gateway is running" in demo.ask("/", host="localhost:8080")
    assert "Demo app" in demo.ask("/", host="app.localhost:8080")
    assert "Demo app" in demo.ask("/", host="127.0.0.1:4100")


@pytest.mark.parametrize("target", ["/live", "/stream", "/upload", "/style.css", "/page.js"])
def test_pages_and_their_files(target: str) -> None:
    """Each page and each file that pages refer to is there."""
    assert DemoConnection().ask(target).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "target", ["/nothing", "/live/deeper", "/status/9", "/status/x", "/bytes/-1", "/bytes/1000000001"]
)
def test_what_is_not_there(target: str) -> None:
    """Paths that name nothing are answered 404."""
    assert DemoConnection().ask(target).startswith("HTTP/1.1 404 ")


def test_headers_as_received() -> None:
    """`/headers` tells the method, the target and each field, repeated ones too."""
    received = json.loads(_body(DemoConnection().ask("/headers?a=%20", "X-A: 1", "X-A: 2", method="PUT")))
    assert received["method"] == "PUT"
    assert received["target"] == "/headers?a=%20"
    assert [value for name, value in received["fields"] if name == "X-A"] == ["1", "2"]


def test_echo() -> None:
    """`/echo` sends the body back under its own type."""
    answer = DemoConnection().ask("/echo", "Content-Type: text/plain", method="POST", body=b"as it was")
    assert "Content-Type: text/plain\r\n" in answer
    assert _body(answer) == "as it was"


def test_size() -> None:
    """`/size` counts the body and names its SHA-256."""
    body = b"x" * 70_000
    answer = json.loads(_body(DemoConnection().ask("/size", method="POST", body=body)))
    assert answer == {"bytes": 70_000, "sha256": hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize("status", [200, 204, 304, 404, 503])
def test_status(status: int) -> None:
    """`/status/CODE` answers with that status, without a body where there is none to have."""
    answer = DemoConnection().ask(f"/status/{status}")
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert _body(answer) == ("" if status in (204, 304) else f"status {status} as asked\n")
