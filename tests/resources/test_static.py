"""Which file answers a path."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.resources.page import ErrorPages
from tests.support.files import StaticSite, open_descriptors, write
from tests.support.streams import RecordingStream, exchange, get

SECRET = b"nobody may see this"
PAGE = b"Accept: text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """No descriptor stays open, whatever is asked."""
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


@pytest.fixture
def site(tmp_path: Path) -> StaticSite:
    site = StaticSite(tmp_path / "site")
    for name in ("index.html", "about.html", "dir/index.html", "bare/page.html", "both.html", "both/index.html"):
        site.write(name, name.encode())
    site.write("plain.txt", b"plain.txt")
    site.write("with space ä.html", b"space")
    site.write(".env", SECRET)
    return site


def outcome(stream: RecordingStream) -> tuple[int, bytes]:
    """The status, and the content or the place that is redirected to."""
    return stream.status, stream.get(b"location") or stream.body


@pytest.mark.parametrize(
    ("target", "status", "answer"),
    [
        (b"/", 200, b"index.html"),
        (b"/?q=1", 200, b"index.html"),
        (b"/index.html", 200, b"index.html"),
        (b"/plain.txt", 200, b"plain.txt"),
        (b"/plain.txt/", 308, b"/plain.txt"),
        (b"/plain.txt/?q=/", 308, b"/plain.txt?q=/"),
        (b"/dir/", 200, b"dir/index.html"),
        (b"/dir", 308, b"/dir/"),
        (b"/dir?a=b&c=%2F", 308, b"/dir/?a=b&c=%2F"),
        (b"//dir", 308, b"/dir/"),
        (b"/./dir", 308, b"/dir/"),
        (b"/about", 200, b"about.html"),
        (b"/about.html", 200, b"about.html"),
        (b"/about/", 308, b"/about"),
        (b"/about.html/", 308, b"/about.html"),
        (b"/both", 308, b"/both/"),
        (b"/both/", 200, b"both/index.html"),
        (b"/both.html", 200, b"both.html"),
        (b"/bare/page", 200, b"bare/page.html"),
        (b"/with%20space%20%C3%A4", 200, b"space"),
        (b"/with%20space%20%C3%A4/", 308, b"/with%20space%20%C3%A4"),
    ],
)
def test_which_file(site: StaticSite, target: bytes, status: int, answer: bytes) -> None:
    """Files, indexes and clean names are found; slashes are put right by 308, query kept."""
    for method in (b"GET", b"HEAD"):
        stream = site.get(target, method=method)
        assert stream.status == status
        if method == b"GET" or status == 308:
            assert outcome(stream)[1] == answer


@pytest.mark.parametrize(
    "target", [b"/none", b"/bare", b"/bare/", b"/about.htm", b"/index.html/x", b"/dir.html", b"/" + b"x" * 4000]
)
def test_nothing_there(site: StaticSite, target: bytes) -> None:
    """What is no file is 404; a folder without index shows nothing."""
    assert site.get(target).status == 404


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"FOO", b"get"])
def test_other_methods(site: StaticSite, method: bytes) -> None:
    """Files can only be read: 405 tells how."""
    stream = exchange(site.resource, get(b"/", method=method), errors=ErrorPages())
    assert (stream.status, stream.get_all(b"allow")) == (405, [b"GET, HEAD"])


# Clean names.


def test_clean_redirects(tmp_path: Path) -> None:
    """With `clean = "redirect"` each page has one name, unless that would lead elsewhere."""
    site = StaticSite(tmp_path / "site", clean="redirect")
    for name in ("index.html", "about.html", "dir/index.html", "both.html", "both/index.html", "x.html", "x", ".html"):
        site.write(name, name.encode())
    expected = {
        b"/about.html": (308, b"/about"),
        b"/about.html?q": (308, b"/about?q"),
        b"/about": (200, b"about.html"),
        b"/index.html": (308, b"/"),
        b"/dir/index.html": (308, b"/dir/"),
        b"/dir/": (200, b"dir/index.html"),
        b"/both.html": (200, b"both.html"),
        b"/x.html": (200, b"x.html"),
        b"/.html": (404, b""),
    }
    assert {target: outcome(site.get(target)) for target in expected} == expected


def test_clean_off(tmp_path: Path) -> None:
    """With `clean = "off"` only names as they are answer."""
    site = StaticSite(tmp_path / "site", clean="off")
    site.write("about.html")
    assert [site.get(target).status for target in (b"/about", b"/about/", b"/about.html")] == [404, 404, 200]


def test_below_a_route(tmp_path: Path) -> None:
    """A folder served below a prefix: the prefix is taken off the path, and stays in redirects."""
    site = StaticSite(tmp_path / "site", prefix=b"/docs")
    for name in ("index.html", "a/index.html", "b.html", "docs.html"):
        site.write(name, name.encode())
    expected = {
        b"/docs": (308, b"/docs/"),
        b"/docs/": (200, b"index.html"),
        b"/docs/a": (308, b"/docs/a/"),
        b"/docs/b/": (308, b"/docs/b"),
        b"/docs/b": (200, b"b.html"),
    }
    assert {target: outcome(site.get(target)) for target in expected} == expected


# Missing files.


def test_a_page_for_what_is_missing(site: StaticSite) -> None:
    """`404.html` in the root is shown with status 404, and may not be kept."""
    site.write("404.html", b"our own")
    stream = site.get(b"/none", PAGE, b"If-None-Match: *", b"Range: bytes=0-1")
    assert outcome(stream) == (404, b"our own")
    assert stream.get(b"content-type") == b"text/html; charset=utf-8"
    assert stream.get(b"cache-control") == b"no-store"
    assert stream.get(b"etag") is None
    assert outcome(site.get(b"/deep/er/none")) == (404, b"our own")
    assert outcome(site.get(b"/.env", PAGE)) == (404, b"our own")
    assert outcome(site.get(b"/none", PAGE, method=b"HEAD")) == (404, b"")
    assert site.get(b"/none.js", b"Sec-Fetch-Dest: script").body == b""
    assert site.get(b"/api", b"Accept: application/json").body == b""
    assert outcome(site.get(b"/404")) == (200, b"our own")


def test_a_missing_root(site: StaticSite) -> None:
    """A root that is gone answers 404."""
    site.root.rename(site.root.parent / "elsewhere")
    stream = site.get(b"/")
    assert stream.status == 404


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files(site: StaticSite) -> None:
    """A file that the gateway may not read is 403."""
    (site.root / "plain.txt").chmod(0)
    assert site.get(b"/plain.txt").status == 403


# Single-page apps.


@pytest.fixture
def app(tmp_path: Path) -> StaticSite:
    app = StaticSite(tmp_path / "app", spa=True)
    app.write("index.html", b"app")
    app.write("assets/index-DiwrgTda.js", b"script")
    app.write("robots.txt", b"robots")
    return app


def test_routes_of_an_app(app: StaticSite) -> None:
    """Deep links get the app with 200; its cache key knows that Accept decided."""
    for target in (b"/", b"/users", b"/users/7?tab=1", b"/users/7/", b"/assetsx", b"/a/b/c/d"):
        stream = app.get(target, PAGE)
        assert outcome(stream) == (200, b"app")
        assert stream.get(b"cache-control") == b"no-cache"
        assert stream.get(b"vary") == b"Accept-Encoding, Accept"
    tag = app.get(b"/", PAGE).get(b"etag") or b""
    assert app.get(b"/users", PAGE, b"If-None-Match: " + tag).status == 304
    assert outcome(app.get(b"/robots.txt", PAGE)) == (200, b"robots")
    assert app.get(b"/assets/index-DiwrgTda.js").get(b"cache-control") == b"public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("target", "accept"),
    [
        (b"/assets/index-Old00Old.js", PAGE),
        (b"/assets/none", PAGE),
        (b"/assets/", PAGE),
        (b"/none.js", PAGE),
        (b"/deep/none.css", PAGE),
        (b"/users", b"Accept: application/json"),
        (b"/users", b"Accept: */*"),
        (b"/users", b"Accept: text/html;q=0, */*"),
        (b"/users", b"X: no Accept at all"),
        (b"/.git", PAGE),
        (b"/users%2f..%2f7", PAGE),
        (b"/site.toml", PAGE),
    ],
)
def test_what_is_no_route_of_an_app(app: StaticSite, target: bytes, accept: bytes) -> None:
    """Missing scripts, API calls and private names are 404: HTML in place of a script breaks pages after a deploy."""
    assert app.get(target, accept).status == 404


def test_an_app_without_index(tmp_path: Path) -> None:
    """An app that was not built yet is 404."""
    assert StaticSite(tmp_path / "app", spa=True).get(b"/users", PAGE).status == 404


# Never outside, never what is private.

PIECES = (b"/", b"..", b".", b"%2e", b"%2f", b"%5c", b"\\", b"%25", b"2e", b"secret", b"dir", b"up", b"outside", b"~")
TRICKS = [
    b"/../secret",
    b"/../../../../../../etc/passwd",
    b"/..",
    b"/../",
    b"/...",
    b"/.../secret",
    b"/dir/../../secret",
    b"/dir/../..",
    b"/./../secret",
    b"//../secret",
    b"/%2e%2e/secret",
    b"/%2E%2E/secret",
    b"/.%2e/secret",
    b"/%2e./secret",
    b"/%2e%2e%2fsecret",
    b"/..%2fsecret",
    b"/..%2Fsecret",
    b"/dir/..%2f..%2fsecret",
    b"/dir%2f..%2f..%2fsecret",
    b"/%252e%252e/secret",
    b"/%252e%252e%252fsecret",
    b"/..%252fsecret",
    b"/%25252e%25252e/secret",
    b"/..%5csecret",
    b"/..\\secret",
    b"/dir\\..\\..\\secret",
    b"/%2e%2e%5csecret",
    b"/%5c..%5csecret",
    b"/..%00/secret",
    b"/secret%00.html",
    b"/%00",
    b"/%c0%ae%c0%ae/secret",
    b"/%c0%ae%c0%ae%c0%afsecret",
    b"/%e0%80%ae%e0%80%ae/secret",
    b"/%uff0e%uff0e/secret",
    b"/%ef%bc%8e%ef%bc%8e%ef%bc%8fsecret",
    b"/..;/secret",
    b"/;/../secret",
    b"/dir/..;/..;/secret",
    b"/..?/secret",
    b"/?/../secret",
    b"/..%3f/secret",
    b"/%2fetc/passwd",
    b"//etc/passwd",
    b"///etc/passwd",
    b"/%2f%2fetc%2fpasswd",
    b"/proc/self/environ",
    b"/file:///etc/passwd",
    b"/~root/.bashrc",
    b"/.env",
    b"/%2eenv",
    b"/%2Eenv",
    b"/%252eenv",
    b"/./.env",
    b"/.//.env",
    b"/dir/../.env",
    b"/.env/",
    b"/.env%20",
    b"/.env%00",
    b"/.ENV",
    b"/.env.gz",
    b"/.git/config",
    b"/%2egit/config",
    b"/.git/",
    b"/.git",
    b"/dir/.hidden/page.html",
    b"/dir/.hidden/page",
    b"/.well-known/.env",
    b"/.well-known/../.env",
    b"/.well-known/%2e%2e/.env",
    b"/dir/.well-known/secret",
    b"/site.toml",
    b"/site.TOML",
    b"/site.toml/",
    b"/site%2etoml",
    b"/site.toml.gz",
    b"/about.html~",
    b"/about.html.bak",
    b"/%23about.html%23",
    b"/.about.html.swp",
    b"/about.html.swp",
    b"/app.ex",
    b"/test.exs",
    b"/page.html.heex",
    b"/out",
    b"/outdir/secret",
    b"/dir/out",
    b"/up/secret",
    b"/up/../secret",
]


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> StaticSite:
    """A site amid secrets."""
    tmp_path = tmp_path_factory.mktemp("fortress")
    site = StaticSite(tmp_path / "site")
    site.write("index.html", b"index")
    site.write("about.html", b"about")
    site.write("dir/index.html", b"dir")
    write(tmp_path / "secret", SECRET)
    write(tmp_path / "outside" / "secret", SECRET)
    for name in (
        ".env",
        ".env.gz",
        ".env ",
        ".git/config",
        ".git/index.html",
        "dir/.hidden/page.html",
        ".well-known/.env",
        "dir/.well-known/secret",
        "site.toml",
        "site.TOML",
        "site.toml.gz",
        "about.html~",
        "about.html.bak",
        "#about.html#",
        ".about.html.swp",
        "about.html.swp",
        "app.ex",
        "test.exs",
        "page.html.heex",
        ".../secret",
        "..\\secret",
        "dir\\..\\..\\secret",
    ):
        site.write(name, SECRET)
    for link, target in {"out": "../secret", "outdir": "../outside", "dir/out": "/etc/passwd", "up": ".."}.items():
        (site.root / link).symlink_to(target)
        if os.geteuid() == 0:
            os.chown(site.root / link, 1234, 1234, follow_symlinks=False)
    return site


@pytest.mark.parametrize("target", TRICKS)
@pytest.mark.parametrize("clean", ["serve", "redirect", "off"])
def test_tricks(fortress: StaticSite, target: bytes, clean: str) -> None:
    """No path shows what lies outside, what is hidden, or what an editor left behind, nor redirects to it."""
    if os.geteuid() != 0 and b"out" in target:
        pytest.skip("only root can make links of another")
    for spa in (False, True):
        site = StaticSite(fortress.root, clean=clean, spa=spa)
        for line in (b"Accept: */*", PAGE):
            stream = site.get(target, line, b"Accept-Encoding: gzip")
            assert SECRET not in stream.body
            assert b"root:" not in stream.body
            assert stream.status in (400, 404) or (stream.status, stream.body) == (200, b"index"), stream.status


def test_tricks_are_many() -> None:
    """There are at least forty of them, each once."""
    assert len(set(TRICKS)) == len(TRICKS) >= 40


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_no_path_leaves_the_root(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    """No combination of separators, dots and escapes leads to the file beside the root."""
    base = tmp_path_factory.getbasetemp() / "pieces"
    if not base.exists():
        write(base / "secret", SECRET)
        write(base / "site" / "dir" / "index.html", b"dir")
        write(base / "outside" / "secret", SECRET)
    site = StaticSite(base / "site")
    stream = site.get(b"/" + b"".join(pieces))
    assert SECRET not in stream.body
    assert stream.status in (200, 308, 400, 404)


def test_well_known_is_not_hidden(site: StaticSite) -> None:
    """What standards put below /.well-known/ is shown."""
    site.write(".well-known/security.txt", b"Contact: mailto:a@example.com")
    assert outcome(site.get(b"/.well-known/security.txt")) == (200, b"Contact: mailto:a@example.com")


def test_a_link_switched_to_another_release(tmp_path: Path) -> None:
    """A root that is a link is looked up by each request: before the switch all is old, after it all is new."""
    for name in ("one", "two"):
        write(tmp_path / name / "index.html", name.encode())
    current = tmp_path / "current"
    current.symlink_to("one")
    site = StaticSite(current)
    for name in (b"one", b"two", b"one"):
        link = tmp_path / secrets.token_hex(4)
        link.symlink_to(name.decode())
        link.rename(current)
        assert site.get(b"/").body == name


def test_a_large_folder(tmp_path: Path) -> None:
    """Each of 10,000 files of a folder is found."""
    site = StaticSite(tmp_path / "site")
    for number in range(10_000):
        (site.root / f"{number}.txt").write_bytes(b"%d" % number)
    for number in range(0, 10_000, 97):
        assert site.get(b"/%d.txt" % number).body == b"%d" % number
    assert site.get(b"/10000.txt").status == 404
