"""What a site's settings add around its leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.config.model import Site
from gateway.http.message import ResponseHead
from gateway.http.negotiation import AnswerForm
from gateway.resources.page import variables_of
from gateway.site_parts import MAX_PAGE, error_pages, security_of
from gateway.web.request import Request
from tests.support.served import Served
from tests.support.streams import FakeRuntime, RecordingStream, get, location

PAGE = b"Accept: text/html"


def site_of(folder: Path, source: str) -> Site:
    (folder / "a.com.toml").write_text("phoenix = 4000\n" + source)
    (site,) = load(folder, {}).sites
    return site


def hsts(site: Site, *, renewed: bool = False) -> bytes | None:
    request = Request(RecordingStream(secure=True), get(b"/"), FakeRuntime(), location())
    head = ResponseHead.make(200)
    security_of(site, None, renewed=renewed).on_response(request, head)
    return head.get(b"strict-transport-security")


def test_hsts_is_for_sites_that_redirect_to_https(tmp_path: Path) -> None:
    """A site that also speaks plain HTTP promises nothing, nor does one whose headers are off."""
    assert hsts(site_of(tmp_path, "")) == b"max-age=86400"
    assert hsts(site_of(tmp_path, ""), renewed=True) == b"max-age=31536000"
    assert hsts(site_of(tmp_path, "hsts = { subdomains = true }")) == b"max-age=86400; includeSubDomains"
    for keys in ('https = "optional"', "https = false", "hsts = false", 'security = "off"'):
        assert hsts(site_of(tmp_path, keys)) is None


def test_a_plain_name_below_takes_subdomains_away(tmp_path: Path) -> None:
    """What would shut out a name below is not sent."""
    (tmp_path / "x.a.com.toml").write_text("phoenix = 4001\nhttps = false\n")
    (tmp_path / "a.com.toml").write_text("phoenix = 4000\nhsts = { subdomains = true }\n")
    site = next(site for site in load(tmp_path, {}).sites if site.name == "a.com")
    assert hsts(site) == b"max-age=86400"


@pytest.mark.parametrize("size", [None, MAX_PAGE + 1])
def test_a_page_that_cannot_be_used(tmp_path: Path, size: int | None) -> None:
    """A missing or huge page leaves the built-in one."""
    if size:
        (tmp_path / "p.html").write_bytes(b"x" * size)
    pages = error_pages(site_of(tmp_path, 'errors = { 404 = "p.html" }'))
    request = Request(RecordingStream(), get(b"/", PAGE), FakeRuntime(), location())
    assert b"Page not found" in pages.page(404).answer(AnswerForm.HTML, variables_of(request))[1]


def test_a_class_page_is_shown_while_the_app_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a maintenance page the page for 503 or 5xx is the next best."""
    (tmp_path / "sorry.html").write_text("<h1>sorry</h1>")
    served = Served(tmp_path, monkeypatch, a__com='phoenix = 4000\nerrors = { 5xx = "sorry.html" }\n')
    served.endpoints["127.0.0.1:4000"].refuse()
    client = served.world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: a.com\r\nAccept: text/html\r\n\r\n")
    assert b"<h1>sorry</h1>" in client.take()


def test_texts_give_way_to_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route or redirect of the same path answers in place of robots.txt and security.txt."""
    keys = 'phoenix = 4000\nnoindex = true\nsecurity_txt = "mailto:a@b.com"\n'
    routes = '[redirects]\n"/robots.txt" = 410\n"/.well-known/security.txt" = 410\n'
    served = Served(tmp_path, monkeypatch, a__com=keys, b__com=keys + routes)
    assert b"Disallow: /\n" in served.get("a.com", "/robots.txt")
    assert b"Contact: mailto:a@b.com\n" in served.get("a.com", "/.well-known/security.txt")
    for path in ("/robots.txt", "/.well-known/security.txt"):
        assert served.get("b.com", path).startswith(b"HTTP/1.1 410 ")
