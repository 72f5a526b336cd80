"""Security headers on every kind of answer of the real gateway."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.raw_http import Answer, RawHTTP
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e

_ONCE = (b"x-content-type-options", b"referrer-policy", b"permissions-policy")
_UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
_SITE = """
canonical = "name"
hosts = ["also.test"]
slash = "strip"
noindex = true
security_txt = "mailto:me@example.com"
max_body = 10
[routes]
"/" = {port}
"/big.bin" = {port}
"/seen" = {port}
"/demo/*" = {{ proxy = {demo}, strip = true }}
"/gone/*" = 1
"/files/*" = {{ static = "{files}" }}
[redirects]
"/old" = "/new"
"/lost" = 410
"""


def _ask(port: int, host: str, target: str, *fields: str, method: str = "GET") -> Answer:
    with RawHTTP(port) as client:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]
        client.send("\r\n".join(lines).encode("latin-1"))
        return client.answer(method)


def _raw(port: int, data: bytes) -> Answer:
    with RawHTTP(port) as client:
        client.send(data)
        return client.answer()


def _check(name: str, answer: Answer, status: int) -> None:
    assert answer.status == status, (name, answer)
    count = Counter(field for field, _ in answer.fields)
    for field in _ONCE:
        assert count[field] == 1, (name, field, answer.fields)
    ancestors = any(
        b"frame-ancestors" in value for field, value in answer.fields if field == b"content-security-policy"
    )
    assert count[b"x-frame-options"] == (0 if ancestors else 1), (name, answer.fields)
    for field in (b"server", b"x-powered-by", b"strict-transport-security"):
        assert not count[field], (name, field, answer.fields)
    for field in (b"content-security-policy", b"cross-origin-opener-policy", b"cache-control", b"x-robots-tag"):
        assert count[field] <= 1, (name, field, answer.fields)


def test_every_answer_has_them_once(
    start_gateway: StartGateway, nginx: Upstream, demo: Upstream, tmp_path: Path
) -> None:
    """The app's answers, files, redirects, 304, errors, maintenance and refusals: each field is there, none doubled."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "page.html").write_text("<p>hello</p>")
    text = _SITE.format(port=nginx.port, demo=demo.port, files=files)
    gateway = start_gateway(
        {
            "app.test": text,
            "down.test": f"proxy = {nginx.port}\nmaintenance = true\n",
            "strict.test": f'static = "{files}"\nsecurity = "strict"\n',
            "broken.test": "proxi = 1\n",
        }
    )
    port = gateway.port
    etag = _ask(port, "app.test", "/big.bin").field(b"etag")
    assert etag is not None
    not_modified = "If-None-Match: " + etag.decode()
    file_etag = (_ask(port, "app.test", "/files/page.html").field(b"etag") or b"").decode()
    for name, answer, status in [
        ("app's", _ask(port, "app.test", "/big.bin"), 200),
        ("app's HEAD", _ask(port, "app.test", "/big.bin", method="HEAD"), 200),
        ("app's 403", _ask(port, "app.test", "/"), 403),
        ("app's 304", _ask(port, "app.test", "/big.bin", not_modified), 304),
        ("app's 206", _ask(port, "app.test", "/big.bin", "Range: bytes=0-9"), 206),
        ("app's stream", _ask(port, "app.test", "/demo/live"), 200),
        ("static", _ask(port, "app.test", "/files/page.html"), 200),
        ("static 304", _ask(port, "app.test", "/files/page.html", f"If-None-Match: {file_etag}"), 304),
        ("static 404", _ask(port, "app.test", "/files/none"), 404),
        ("strict static", _ask(port, "strict.test", "/page.html"), 200),
        ("strict static 404", _ask(port, "strict.test", "/none", "Accept: text/html"), 404),
        ("redirect", _ask(port, "app.test", "/old"), 308),
        ("canonical", _ask(port, "also.test", "/seen"), 308),
        ("slash", _ask(port, "app.test", "/demo/live/"), 308),
        ("gone", _ask(port, "app.test", "/lost", "Accept: text/html"), 410),
        ("no route", _ask(port, "app.test", "/nowhere", "Accept: text/html"), 404),
        ("bad path", _ask(port, "app.test", "/%zz"), 400),
        ("away", _ask(port, "app.test", "/gone/x", "Accept: text/html"), 503),
        ("away, long poll", _ask(port, "app.test", "/gone/longpoll", "Accept: application/json"), 503),
        ("away, socket", _ask(port, "app.test", "/gone/websocket", *_UPGRADE), 503),
        ("too large", _ask(port, "app.test", "/demo/upload", "Content-Length: 11", method="POST"), 413),
        ("robots.txt", _ask(port, "app.test", "/robots.txt"), 200),
        ("security.txt", _ask(port, "app.test", "/.well-known/security.txt"), 200),
        ("maintenance", _ask(port, "down.test", "/", "Accept: text/html"), 503),
        ("broken site", _ask(port, "broken.test", "/"), 503),
        ("unknown host", _ask(port, "nobody.test", "/"), 404),
        ("no host", _raw(port, b"GET / HTTP/1.1\r\n\r\n"), 400),
        (
            "two lengths",
            _raw(port, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            400,
        ),
        ("no HTTP", _raw(port, b"hello\r\n\r\n"), 400),
        ("too long", _raw(port, b"GET /" + b"x" * 20_000), 414),
        ("trace", _raw(port, b"TRACE / HTTP/1.1\r\nHost: app.test\r\n\r\n"), 405),
    ]:
        _check(name, answer, status)
        if name.startswith("app's") or name in ("redirect", "no route", "away", "robots.txt", "canonical"):
            assert answer.field(b"x-robots-tag") == b"noindex, nofollow", name
        if name.startswith("strict"):
            assert answer.field(b"cross-origin-opener-policy") == b"same-origin", name


def test_the_presets_and_the_apps_own(start_gateway: StartGateway, nginx: Upstream) -> None:
    """`off` adds nothing, `server = "keep"` keeps what the app says of itself, [headers] has the last word."""
    keys = f"proxy = {nginx.port}\n"
    gateway = start_gateway(
        {
            "off.test": keys + 'security = "off"\n',
            "keep.test": keys + 'server = "keep"\n',
            "own.test": keys + '[headers]\nX-Frame-Options = "DENY"\nremove = ["Permissions-Policy"]\n',
        }
    )
    off = _ask(gateway.port, "off.test", "/seen")
    assert not {name for name, _ in off.fields} & {*_ONCE, b"x-frame-options", b"server"}
    assert (_ask(gateway.port, "keep.test", "/seen").field(b"server") or b"").startswith(b"nginx")
    own = _ask(gateway.port, "own.test", "/seen")
    assert [value for name, value in own.fields if name == b"x-frame-options"] == [b"DENY"]
    assert own.field(b"permissions-policy") is None
    assert own.field(b"referrer-policy") is not None
