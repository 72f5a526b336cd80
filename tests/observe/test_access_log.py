"""Lines of the access log."""

from __future__ import annotations

import json
import re

import pytest

from gateway.observe.access_log import AccessLog, Format
from gateway.units import Seconds
from tests.support.transports import FakeTransport, World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
COMBINED = re.compile(
    rb'([^ ]+) - - \[([^]]+)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)" '
    rb"([^ ]+) ([0-9a-f]{20}) (\d+) ([^ ]+) ([^ ]+)\n"
)


class Logged:
    """A world whose log is read as text."""

    def __init__(self, form: Format = "combined", limit: int = 200) -> None:
        self.lines: list[bytes] = []
        self.world = World()
        self.log = AccessLog(self.lines.append, lambda: Seconds(1_795_341_600.5), form, limit)
        self.world.core.log = self.log

    def ask(self, request: bytes) -> tuple[FakeTransport, FakeTransport]:
        client = self.world.client()
        client.receive(request)
        return client, self.world.endpoint.last

    def line(self) -> bytes:
        self.log.flush()
        (line,) = self.lines
        self.lines.clear()
        return line

    def parsed(self) -> dict[str, object]:
        found = json.loads(self.line())
        assert isinstance(found, dict)
        return found


def get(target: bytes = b"/", fields: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: example.com\r\n" + fields + b"\r\n"


def test_combined() -> None:
    """A line has the usual fields as every log reader knows them, and ours behind."""
    logged = Logged()
    _, upstream = logged.ask(get(b"/a?b=c", b"User-Agent: curl/8\r\nReferer: https://example.org/x\r\n"))
    logged.world.clock.advance(0.25)
    upstream.receive(OK)
    assert logged.line() == (
        b'203.0.113.9 - - [22/Nov/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 2 "https://example.org/x" "curl/8" '
        b"example.com 0123456789abcdef0123 250 127.0.0.1:4000 -\n"
    )


def test_json() -> None:
    """A line is an object with named fields."""
    logged = Logged("json")
    _, upstream = logged.ask(get(b"/a?b=c", b"User-Agent: curl/8\r\n"))
    logged.world.clock.advance(0.25)
    upstream.receive(OK)
    assert logged.parsed() == {
        "time": "2026-11-22T10:00:00Z",
        "request_id": "0123456789abcdef0123",
        "client": "203.0.113.9",
        "host": "example.com",
        "method": "GET",
        "path": "/a?b=c",
        "proto": "HTTP/1.1",
        "status": 200,
        "bytes_in": 0,
        "bytes_out": 2,
        "ms": 250.0,
        "upstream": "127.0.0.1:4000",
        "upstream_ms": 250.0,
        "retries": 0,
        "reason": "",
        "tls": False,
        "site": "example.com",
        "referer": "",
        "user_agent": "curl/8",
    }


def test_client_gone() -> None:
    """A client that left before its answer is logged with 499 and no time of the upstream."""
    logged = Logged("json")
    client, _ = logged.ask(get())
    client.lose()
    line = logged.parsed()
    assert (line["status"], line["reason"], line["upstream_ms"]) == (499, "client_gone", None)


def test_client_gone_combined() -> None:
    """The same in the combined form."""
    logged = Logged()
    client, _ = logged.ask(get())
    client.lose()
    found = COMBINED.fullmatch(logged.line())
    assert found is not None
    assert (found[4], found[12]) == (b"499", b"client_gone")


@pytest.mark.parametrize("form", ["combined", "json"])
def test_what_is_no_request(form: Format) -> None:
    """Octets that are no request have a line too, with hyphens or empty texts for what is not known."""
    logged = Logged(form)
    logged.world.client().receive(b"\x16\x03\x01\x02\x00\r\n\r\n")
    line = logged.line()
    if form == "json":
        assert json.loads(line)["status"] == 400
        assert json.loads(line)["reason"] == "bad_request"
    else:
        found = COMBINED.fullmatch(line)
        assert found is not None
        assert (found[3], found[4], found[8], found[11], found[12]) == (
            b"- - HTTP/1.1",
            b"400",
            b"-",
            b"-",
            b"bad_request",
        )


@pytest.mark.parametrize(
    "agent", [b'"quotes" \\ and backslashes', b"\xff\xfe octets", b"\ttab\tinside", b'" 200 0 "-" "forged']
)
def test_hostile_text(agent: bytes) -> None:
    """What clients send cannot end a quotation, let alone a line."""
    logged = Logged()
    _, upstream = logged.ask(get(b"/", b"User-Agent: x" + agent + b"\r\n"))
    upstream.receive(OK)
    found = COMBINED.fullmatch(logged.line())
    assert found is not None
    text = found[7]
    assert text.isascii()
    assert re.sub(rb"\\x([0-9a-f]{2})", lambda escape: bytes.fromhex(escape[1].decode()), text) == b"x" + agent


@pytest.mark.parametrize("form", ["combined", "json"])
@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (b"/?token=s3cret", b"/?token=***"),
        (b"/?a=1&access_token=s3cret&b=2", b"/?a=1&access_token=***&b=2"),
        (b"/?api_key=s3cret;x=1", b"/?api_key=***;x=1"),
        (b"/?KEY=s3cret", b"/?KEY=***"),
        (b"/?user%5Bpassword%5D=s3cret", b"/?user%5Bpassword%5D=***"),
        (b"/?client_secret=s3cret", b"/?client_secret=***"),
        (b"/?_csrf_token=s3cret", b"/?_csrf_token=***"),
        (b"/?code=s3cret&state=1", b"/?code=***&state=1"),
        (b"/?tokens=7&zipcode=8", b"/?tokens=7&zipcode=8"),
    ],
)
def test_secrets(form: Format, target: bytes, shown: bytes) -> None:
    """Values that are secrets by their names are masked, in targets and in referrers."""
    logged = Logged(form)
    fields = b"Referer: https://example.com" + target + b"\r\nAuthorization: Bearer s3cret\r\nCookie: a=s3cret\r\n"
    _, upstream = logged.ask(get(target, fields))
    upstream.receive(OK)
    line = logged.line()
    assert b"s3cret" not in line
    assert line.count(shown) == 2


def test_lines_are_gathered() -> None:
    """Lines are written together, when they are many or when the timer asks."""
    logged = Logged(limit=3)
    client, upstream = logged.ask(get())
    for _ in range(4):
        upstream.receive(OK)
        client.receive(get())
    assert len(logged.lines) == 1
    assert logged.lines[0].count(b"\n") == 3
    logged.log.flush()
    logged.log.flush()
    assert len(logged.lines) == 2
