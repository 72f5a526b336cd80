"""The maintenance page in all its forms."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from gateway.errors import ConnectionRefused, GatewayError, ResponseReplaced, UnderMaintenance
from gateway.resources.maintenance_page import MaintenancePage, with_refresh
from gateway.resources.page import ErrorPages
from gateway.web.request import Request
from gateway.web.resource import Resource
from tests.support.streams import RecordingStream, exchange, get, location

AWAY = ConnectionRefused("127.0.0.1:4000 refused the connection")
PLANNED = UnderMaintenance(90)


class Failing(Resource):
    def __init__(self, error: GatewayError) -> None:
        self.error = error

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise self.error


def answer(
    *fields: bytes,
    error: GatewayError = AWAY,
    method: bytes = b"GET",
    target: bytes = b"/",
    page: MaintenancePage | None = None,
) -> RecordingStream:
    pages = ErrorPages(maintenance=page)
    return exchange(location(Failing(error), errors=pages), get(target, *fields, method=method))


@pytest.mark.parametrize(
    ("fields", "target", "kind", "content"),
    [
        (
            (b"Accept: text/html,*/*;q=0.8", b"Sec-Fetch-Dest: document"),
            b"/",
            b"text/html; charset=utf-8",
            b"<!doctype",
        ),
        ((b"Accept: application/json",), b"/api", b"application/json", b'{"error":"maintenance","retry_after":10}'),
        ((b"Accept: */*",), b"/", b"text/plain; charset=utf-8", b"Back in a moment. The site"),
        ((), b"/", b"text/plain; charset=utf-8", b"Back in a moment."),
        ((b"Accept: application/json",), b"/live/longpoll?vsn=2.0.0", None, b""),
        ((b"Accept: text/event-stream",), b"/events", None, b""),
        ((b"Connection: Upgrade", b"Upgrade: websocket"), b"/live/websocket", None, b""),
        ((b"Accept: image/avif,image/webp,*/*;q=0.8",), b"/logo.png", None, b""),
        ((b"Accept: */*", b"Sec-Fetch-Dest: script"), b"/app.js", None, b""),
        ((b"Accept: text/css,*/*;q=0.1",), b"/app.css", None, b""),
    ],
)
def test_the_form_suits_who_asks(fields: tuple[bytes, ...], target: bytes, kind: bytes | None, content: bytes) -> None:
    """Pages to people, JSON to those who ask for it, text to tools, nothing to what would choke on it."""
    stream = answer(*fields, target=target)
    assert stream.status == 503
    assert stream.get(b"content-type") == kind
    assert stream.body.startswith(content)
    assert bool(stream.body) == bool(content)
    assert stream.get_all(b"retry-after") == [b"10"]
    assert stream.get_all(b"cache-control") == [b"no-store"]
    assert stream.get_all(b"x-gateway-reason") == [b"upstream_refused"]


def test_head_has_no_content() -> None:
    """HEAD gets the same head and nothing else."""
    stream = answer(b"Accept: text/html", method=b"HEAD")
    assert (stream.status, stream.body) == (503, b"")
    assert stream.head is not None
    assert stream.head.content_length == len(answer(b"Accept: text/html").body)


def test_planned_maintenance_has_its_message_and_its_time() -> None:
    """The operator's message is shown, as text; Retry-After says how long; the reason is told."""
    page = MaintenancePage(message="Back at <14:00>")
    stream = answer(b"Accept: text/html", error=PLANNED, page=page)
    assert b"Back at &lt;14:00&gt;" in stream.body
    assert stream.get(b"retry-after") == b"90"
    assert stream.get(b"x-gateway-reason") == b"maintenance"
    assert b"14:00" not in answer(b"Accept: text/html", page=page).body
    assert answer(b"Accept: application/json", error=PLANNED).body == b'{"error":"maintenance","retry_after":90}'
    assert b"Back at <14:00>" in answer(error=PLANNED, page=page).body


def test_the_page_returns_by_itself() -> None:
    """The page carries one script, which its policy allows by its hash, and a refresh for browsers without."""
    stream = answer(b"Accept: text/html")
    (script,) = re.findall(r"<script>(.*?)</script>", stream.body.decode(), re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in (stream.get(b"content-security-policy") or b"").decode()
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>\n</head>' in stream.body.decode()
    assert "const sent = false;" in script


def test_a_page_that_answers_a_form_is_not_loaded_again() -> None:
    """Nothing may send a form twice: the page says that the site is back and does no more."""
    stream = answer(b"Accept: text/html", method=b"POST")
    assert b"const sent = true;" in stream.body
    assert b"http-equiv" not in stream.body
    assert b"send it again" in stream.body


def test_the_operators_page() -> None:
    """It is sent in place of ours, with its variables, brings itself back, and has no policy of ours."""
    page = MaintenancePage("<html><head></head><body><h1>{host}: {message}</h1></body></html>", "<soon>")
    stream = answer(b"Accept: text/html", error=PLANNED, page=page)
    assert stream.body.startswith(b"<html><head><noscript>")
    assert b"<h1>example.com: &lt;soon&gt;</h1><script>" in stream.body
    assert stream.get(b"content-security-policy") is None


@pytest.mark.parametrize("html", ["<script>own()</script>", '<META HTTP-EQUIV="Refresh" content="5">'])
def test_a_page_with_a_way_of_its_own_is_left_alone(html: str) -> None:
    """A page that brings itself back gets nothing put in."""
    assert with_refresh(html, sent=False) == html


def test_a_fragment_gets_it_at_its_end() -> None:
    """A page without head and body still returns by itself."""
    assert with_refresh("<h1>Soon</h1>", sent=False).startswith("<h1>Soon</h1><noscript>")


def test_an_answer_that_was_replaced_tells_its_status() -> None:
    """The operator sees what the app has answered."""
    stream = answer(error=ResponseReplaced(502))
    assert (stream.status, stream.get(b"x-gateway-reason")) == (503, b"upstream_status_502")
