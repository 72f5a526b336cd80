"""Files that are remembered: no answer tells whether they are, except by its speed; changes are seen after a second."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import gateway.compile
from gateway.http.dates import http_date
from gateway.resources.static_cache import FileCache
from gateway.resources.static_ready import BODY
from gateway.units import ByteCount, Seconds
from tests.support.files import OLD, open_descriptors, write
from tests.support.served import Served

LARGE = bytes(range(251)) * (BODY // 251 + 1000)
LATER = 4_000_000_000.0
"""A time at which the files of a test have been as they are for long."""
SITES = {
    "plain": 'static = "{root}"\nsecurity = "strict"\n[headers]\nset = {{ X-Own = "1", Cache-Control = "max-age=1" }}',
    "app": 'spa = "{root}"',
    "clean": 'static = {{ root = "{root}", clean = "redirect" }}\n[headers]\nremove = ["ETag"]',
    "listed": 'static = {{ root = "{root}", listing = true }}\nsecurity = "off"',
    "foreign": 'static = {{ root = "{root}", untrusted = true }}',
    "assets": 'phoenix = 4000\nassets = "{root}"',
    "routed": 'redirect = "/elsewhere"\n[routes]\n"/dir/*" = {{ static = "{root}" }}\n',
}
TARGETS = (
    *("/", "/index.html", "/a.css", "/a.css?vsn=d", "/a.css?x=1", "/a%2Ecss", "/%61.css", "//a.css", "/./a.css"),
    *("/about", "/about.html", "/about/", "/dir", "/dir/", "/dir?q=%2F", "/dir/a.css", "/dir/none", "/bare/", "/bare"),
    *("/none", "/none.css", "/none?vsn=d", "/assets/none", "/.env", "/a.css/", "/empty.txt", "/LICENSE", "/large.bin"),
    *("/old.txt", "/a%3Fvsn=d", "/odd%3Fvsn=d", "/%2541.txt", "/%41.txt", "/A.txt", "/dir/../a.css", "/a\\b"),
    *("/app-0123456789abcdef0123456789abcdef.js", "/%00", "/%zz", "/zipped.css", "/zipped.css?vsn=d"),
)
ETAG = f'"{OLD * 10**9}-7"'
CONDITIONS = (
    *(f"If-None-Match: {tag}" for tag in (ETAG, f"W/{ETAG}", '"x"', "*", f'"x", {ETAG}', "bad")),
    *(f"If-Match: {tag}" for tag in (ETAG, '"x"', "*")),
    *(f"If-Modified-Since: {http_date(Seconds(OLD + shift)).decode()}" for shift in (-1, 0, 1)),
    f"If-Unmodified-Since: {http_date(Seconds(OLD - 1)).decode()}",
    f"If-Range: {ETAG}",
    'If-Range: "x"',
)
RANGES = tuple(
    f"Range: {value}" for value in ("bytes=0-1", "bytes=-3", "bytes=2-", "bytes=900000-", "bytes=0-1,3-4", "x")
)
CODINGS = tuple(f"Accept-Encoding: {value}" for value in ("gzip", "br, gzip", "zstd", "gzip;q=0", "*", "identity", ""))
OTHERS = (
    *(
        "Accept: text/html",
        "Accept: application/json",
        "Accept: image/png",
        "Accept: */*",
        "accept: text/css,text/html",
    ),
    *("Connection: close", "Sec-Fetch-Dest: script", "Upgrade: x\r\nConnection: upgrade", "Content-Length: 0"),
)
FIELDS = (*CONDITIONS, *RANGES, *CODINGS, *OTHERS)


def fill(root: Path) -> None:
    """Write a site whose names are tricky; its files have been as they are for long."""
    for name in (
        "index.html",
        "about.html",
        "404.html",
        "dir/index.html",
        "bare/x.html",
        "odd?vsn=d",
        "A.txt",
        "%41.txt",
    ):
        write(root / name, name[:7].encode())
    for name in ("a.css", "dir/a.css", "LICENSE", "zipped.css", "app-0123456789abcdef0123456789abcdef.js"):
        write(root / name, b"content")
    write(root / "zipped.css.gz", b"gzipped")
    write(root / "zipped.css.br", b"brotlis", OLD + 1)
    write(root / "a.css.br", b"too old", OLD - 1)
    write(root / "empty.txt", b"")
    write(root / "large.bin", LARGE)
    write(root / "old.txt", b"undated", 1)
    write(root / ".env", b"nobody may see this")


def served(folder: Path, patch: pytest.MonkeyPatch, root: Path, cache: Callable[[], FileCache] = FileCache) -> Served:
    """Serve a root as all kinds of sites."""
    folder.mkdir()
    patch.setattr(gateway.compile, "FileCache", cache)
    files = {f"{name}__test": f"{text.format(root=root)}\n" for name, text in SITES.items()}
    made = Served(folder, patch, wall_clock=LATER, **{stem: f'https = "off"\n{text}' for stem, text in files.items()})
    assert not made.loaded.broken
    return made


class Pair:
    """One gateway that remembers, and one that does not."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = folder / "root"
        fill(self.root)
        patch.setattr(secrets, "token_hex", lambda _: "boundary")
        self.remembering = served(folder / "remembering", patch, self.root)
        self.forgetful = served(folder / "forgetful", patch, self.root, lambda: FileCache(octets=ByteCount(0)))

    def agree(self, site: str, target: str, method: str, fields: tuple[str, ...]) -> bytes:
        """Compare answers and what is logged of them; the first may be new to both, the others are not."""
        wanted = whole(self.forgetful, site, target, method, fields)
        for _ in range(2):
            assert whole(self.remembering, site, target, method, fields) == wanted
        return wanted[0]


def whole(gateway: Served, site: str, target: str, method: str, fields: tuple[str, ...]) -> tuple[bytes, Any]:
    """Take all of an answer, whether the connection is closed, and the figures of the log."""
    client = gateway.ask(f"{site}.test", target, *fields, method=method)
    gateway.disk.turns()
    octets = client.take()
    upstream = [each.take() for endpoint in gateway.endpoints.values() for each in endpoint.accepted]
    done = gateway.world.log.finished[-1] if gateway.world.log.finished else None
    client.lose()
    figures = (done.status, done.bytes_in, done.bytes_out, done.location.site) if done is not None and octets else None
    return octets, (client.closing, upstream[-1:], figures)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    before = open_descriptors()
    with pytest.MonkeyPatch.context() as patch:
        pair = Pair(tmp_path_factory.mktemp("pair"), patch)
        yield pair
        pair.remembering.world.sweeper.sweep(Seconds(float("inf")))
    assert open_descriptors() <= before


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_answers_are_the_same(pair: Pair, site: str, method: str) -> None:
    """For every path with every single field, what is remembered is byte for byte what the disk says."""
    statuses = set()
    for target in TARGETS:
        for fields in ((), *((field,) for field in FIELDS[:: 1 if method == "GET" else 4])):
            statuses.add(pair.agree(site, target, method, fields)[9:12])
    assert {b"200", b"400"} <= statuses or site in ("assets", "routed")


@hypothesis_settings(max_examples=300)
@given(
    st.sampled_from(list(SITES)),
    st.sampled_from(TARGETS),
    st.sampled_from(["GET", "GET", "HEAD", "POST"]),
    st.lists(st.sampled_from(FIELDS), max_size=5),
)
def test_answers_are_the_same_whatever_is_asked(
    pair: Pair, site: str, target: str, method: str, fields: list[str]
) -> None:
    """Fields in any number and order change nothing about that."""
    pair.agree(site, target, method, tuple(fields))


# Changes.


@pytest.fixture
def gateway_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A gateway that remembers; its root is `root` beside it."""
    fill(tmp_path / "root")
    made = served(tmp_path / "sites", monkeypatch, tmp_path / "root")
    yield made
    made.world.sweeper.sweep(Seconds(float("inf")))


def content(gateway: Served, target: str, *fields: str, site: str = "plain") -> tuple[int, bytes]:
    """Take the status and the content of an answer."""
    octets = whole(gateway, site, target, "GET", fields)[0]
    return int(octets[9:12]), octets.partition(b"\r\n\r\n")[2]


def pass_time(gateway: Served, seconds: int = 1) -> None:
    gateway.world.wait(seconds)


@pytest.mark.parametrize("target", ["/a.css", "/about", "/dir/", "/large.bin", "/a.css?x=1", "/a%2Ecss"])
def test_nothing_is_opened_for_what_is_remembered(
    gateway_of: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Within the second after a look at the disk, only the descriptor of a large file is used."""
    before = content(gateway_of, target)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *_, **__: pytest.fail("a file was opened"))
        assert content(gateway_of, target) == before
    pass_time(gateway_of)
    assert content(gateway_of, target) == before


def test_a_file_that_changes(gateway_of: Served, tmp_path: Path) -> None:
    """A changed file is served changed once the second is over, whatever is remembered of it, and with its new tag."""
    root = tmp_path / "root"
    for change, wanted in (
        (lambda: write(root / "a.css", b"changed"), (200, b"changed")),
        (lambda: write(root / "new", b"renamed") and (root / "new").rename(root / "a.css"), (200, b"renamed")),
        (lambda: write(root / "a.css.br", b"brotlis", OLD + 2), (200, b"brotlis")),
        (lambda: (root / "a.css.br").unlink(), (200, b"renamed")),
        (lambda: (root / "a.css").unlink(), (404, None)),
        (lambda: write(root / "a.css", b"is back"), (200, b"is back")),
    ):
        before = content(gateway_of, "/a.css", "Accept-Encoding: br")
        assert content(gateway_of, "/a.css", "Accept-Encoding: br") == before
        change()
        pass_time(gateway_of)
        status, body = content(gateway_of, "/a.css", "Accept-Encoding: br")
        assert status == wanted[0]
        assert wanted[1] in (None, body)


def test_same_size_and_time(gateway_of: Served, tmp_path: Path) -> None:
    """A file of the same size whose time was set back is noticed all the same."""
    path = tmp_path / "root" / "a.css"
    assert content(gateway_of, "/a.css") == (200, b"content")
    write(path, b"CONTENT")
    pass_time(gateway_of)
    assert content(gateway_of, "/a.css") == (200, b"CONTENT")


def test_a_large_file_that_changes_is_not_sent_under_its_old_tag(gateway_of: Served, tmp_path: Path) -> None:
    """Of an open file every request sees the state it is in."""
    tag = whole(gateway_of, "plain", "/large.bin", "HEAD", ())[0].partition(b"ETag: ")[2].partition(b"\r")[0]
    assert content(gateway_of, "/large.bin") == (200, LARGE)
    (tmp_path / "root" / "large.bin").write_bytes(LARGE[::-1])
    assert content(gateway_of, "/large.bin") == (200, LARGE[::-1])
    assert content(gateway_of, "/large.bin", f"If-None-Match: {tag.decode()}")[0] == 200


def test_links_that_change(gateway_of: Served, tmp_path: Path) -> None:
    """A path that becomes a link is looked at as if it were new: one that leads to others' files is refused."""
    root, outside = tmp_path / "root", write(tmp_path / "outside", b"outside")
    (root / "a.css").unlink()
    (root / "a.css").symlink_to("dir/a.css")
    assert content(gateway_of, "/a.css") == (200, b"content")
    (root / "a.css").unlink()
    (root / "a.css").symlink_to(outside)
    if os.geteuid() == 0:
        os.chown(root / "a.css", 1234, 1234, follow_symlinks=False)
        wanted = 404
    else:
        wanted = 200
    pass_time(gateway_of)
    assert content(gateway_of, "/a.css")[0] == wanted


def test_a_root_that_is_switched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that stands for the root may be switched: after a second all answers are of the new folder."""
    for name in ("one", "two"):
        write(tmp_path / name / "index.html", name.encode())
        write(tmp_path / name / name, name.encode())
    (tmp_path / "current").symlink_to("one")
    gateway = served(tmp_path / "sites", monkeypatch, tmp_path / "current")
    for _ in range(2):
        assert [content(gateway, target)[0] for target in ("/", "/one", "/two")] == [200, 200, 404]
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "current")
    pass_time(gateway)
    assert content(gateway, "/") == (200, b"two")
    assert [content(gateway, target)[0] for target in ("/one", "/two")] == [404, 200]


def test_a_file_of_this_moment_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just written may change again within the same tick of the clock: it is read each time."""
    changed = write(tmp_path / "root" / "a.css").stat().st_ctime
    monkeypatch.setattr(f"{__name__}.LATER", changed)
    gateway = served(tmp_path / "sites", monkeypatch, tmp_path / "root")
    assert content(gateway, "/a.css") == (200, b"content")
    write(tmp_path / "root" / "a.css", b"CONTENT")
    assert content(gateway, "/a.css") == (200, b"CONTENT")


def test_a_missing_file_that_comes(gateway_of: Served, tmp_path: Path) -> None:
    """What is known to be missing is found a second after it came; so is the page for what is missing."""
    assert content(gateway_of, "/none.css", "Accept: text/html") == (404, b"404.htm")
    assert content(gateway_of, "/none.css", "Accept: text/html") == (404, b"404.htm")
    write(tmp_path / "root" / "404.html", b"changed")
    write(tmp_path / "root" / "none.css", b"came")
    pass_time(gateway_of)
    assert content(gateway_of, "/none.css") == (200, b"came")
    assert content(gateway_of, "/other.css", "Accept: text/html") == (404, b"changed")


def test_assets_of_a_new_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the folder of assets changes, nothing is remembered of the old one."""
    write(tmp_path / "app-1" / "a.css", b"one")
    gateway = served(tmp_path / "sites", monkeypatch, tmp_path / "app-*")
    assert content(gateway, "/a.css", site="assets") == (200, b"one")
    write(tmp_path / "app-2" / "a.css", b"two")
    pass_time(gateway)
    assert content(gateway, "/a.css", site="assets") == (200, b"two")


def test_a_site_that_is_gone_leaves_nothing(gateway_of: Served) -> None:
    """Once a site's resources are replaced, the next sweep frees its memory and closes its files."""
    before = open_descriptors()
    assert content(gateway_of, "/large.bin")[0] == content(gateway_of, "/a.css")[0] == 200
    assert len(open_descriptors() - before) == 1
    gateway_of.world.log.finished.clear()
    gateway_of.world.core.tree = gateway.compile.virtual_hosts([])
    gateway_of.world.sweeper.sweep(gateway_of.world.now())
    assert open_descriptors() <= before


def test_an_idle_file_is_closed(gateway_of: Served) -> None:
    """A file that nobody asks for does not stay open."""
    before = open_descriptors()
    assert content(gateway_of, "/large.bin")[0] == 200
    pass_time(gateway_of, 3)
    assert len(open_descriptors() - before) == 1
    pass_time(gateway_of, 3)
    assert open_descriptors() <= before
