"""gateway.demo.pages: what the pages say."""

from __future__ import annotations

from gateway.demo import pages


def test_start_page_links_to_all_sites_on_the_same_port() -> None:
    """The links to the demo's sites keep the port that the client came to."""
    page = pages.start([("Host", "localhost:8080")])
    assert 'href="//app.localhost:8080/live"' in page
    for name in ("app", "blog", "spa", "away"):
        assert f'href="//{name}.localhost:8080/' in page


def test_page_tells_whether_a_proxy_was_there() -> None:
    """A field that only a proxy adds makes the page say that it came through one, and for whom."""
    through = pages.home("home", [("Host", "a"), ("X-Forwarded-For", "192.0.2.1")])
    assert "came through the gateway, for a client at 192.0.2.1" in through
    assert "straight from the demo app" in pages.home("home", [("Host", "a")])


def test_fields_are_escaped() -> None:
    """Nothing that a client sends becomes markup."""
    hostile = "<script>'\"&"
    for page in (
        pages.home("home", [("Host", hostile), ("X-Forwarded-For", hostile), (hostile, "1")]),
        pages.start([("Host", hostile), ("Via", hostile)]),
    ):
        assert "<script>'" not in page
        assert '"&' not in page.replace('"&#', "")


def test_added_fields_come_first_and_are_marked() -> None:
    """Rows that a proxy has added are marked and stand before what browsers send."""
    page = pages.home("home", [("Accept", "*/*"), ("Via", "1.1 gateway")])
    assert page.index('<tr class="added"><th>Via</th>') < page.index("<tr><th>Accept</th>")
