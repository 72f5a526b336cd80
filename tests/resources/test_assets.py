"""An app's assets from disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.resources.assets import AssetRoots, AssetsResource
from gateway.units import Seconds
from tests.support.files import NOW, StaticSite, open_descriptors, write
from tests.support.streams import Reply, exchange, get

DIGEST = "0123456789abcdef" * 2


class App(StaticSite):
    """An app with assets in front of it.

    Attributes:
        time: Monotonic seconds; folders are looked for again once it has advanced by one.
    """

    def __init__(self, root: Path, *patterns: str) -> None:
        super().__init__(root)
        self.time = 0.0
        self.app = Reply(content=b"app")
        self.roots = AssetRoots(patterns, lambda: Seconds(self.time))
        self.resource = AssetsResource(self.roots, self.answers, self.app)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = App(tmp_path / "static", str(tmp_path / "static"))
    app.write("favicon.ico", b"icon")
    app.write(f"assets/app-{DIGEST}.js", b"script")
    app.write("assets/app.js", b"script")
    app.write("index.html", b"index")
    app.write(".env", b"secret")
    app.write("cache_manifest.json", b"{}")
    return app


def test_files_are_served(app: App) -> None:
    """Files that are there are sent from disk, with the rules of static files; the app is not asked."""
    assert app.get(b"/favicon.ico").body == b"icon"
    stream = app.get(b"/assets/app-%b.js?vsn=d" % DIGEST.encode())
    assert (stream.body, stream.get(b"cache-control")) == (b"script", b"public, max-age=31536000, immutable")
    assert app.get(b"/assets/app.js?vsn=d").get(b"cache-control") == b"public, max-age=31536000, immutable"
    tag = app.get(b"/assets/app.js").get(b"etag") or b""
    assert app.get(b"/assets/app.js", b"If-None-Match: " + tag).status == 304
    assert app.app.requests == []


@pytest.mark.parametrize(
    ("target", "method"),
    [
        (b"/", b"GET"),
        (b"/assets", b"GET"),
        (b"/assets/", b"GET"),
        (b"/favicon.ico/", b"GET"),
        (b"/index", b"GET"),
        (b"/none.js", b"GET"),
        (b"/.env", b"GET"),
        (b"/cache_manifest.json", b"GET"),
        (b"/favicon.ico", b"POST"),
        (b"/favicon.ico", b"OPTIONS"),
        (b"/assets%2fapp.js", b"GET"),
    ],
)
def test_anything_else_is_the_apps(app: App, target: bytes, method: bytes) -> None:
    """Folders, missing and private names, and other methods go to the app."""
    assert app.get(target, method=method).body == b"app"


def test_upgrades_are_the_apps(app: App) -> None:
    """A WebSocket handshake is never answered with a file."""
    head = get(b"/favicon.ico", b"Connection: Upgrade", b"Upgrade: websocket")
    assert exchange(app.resource, head).body == b"app"


def test_request_content_reaches_the_app(app: App) -> None:
    """What came with the head is handed on."""
    exchange(app.resource, get(b"/form", b"Content-Length: 3", method=b"POST"), data=b"abc")
    assert len(app.app.requests) == 1


def test_the_newest_release_first(tmp_path: Path) -> None:
    """Of the folders of a pattern the one with the highest version counts; digested files of others stay."""
    for version in ("0.9.0", "0.10.0"):
        root = tmp_path / "lib" / f"app-{version}" / "priv" / "static"
        write(root / "robots.txt", version.encode())
        write(root / f"app-{DIGEST[:-1]}{version[2]}.js", version.encode())
    write(tmp_path / "lib" / "app-0.9.0" / "priv" / "static" / "old.txt", b"old")
    app = App(tmp_path / "x", str(tmp_path / "lib" / "app-*" / "priv" / "static"))
    assert app.get(b"/robots.txt").body == b"0.10.0"
    assert app.get(b"/app-%b1.js" % DIGEST[:-1].encode()).body == b"0.10.0"
    assert app.get(b"/app-%b9.js" % DIGEST[:-1].encode()).body == b"0.9.0"
    assert app.get(b"/old.txt").body == b"app"


def test_folders_named_as_people_like(tmp_path: Path) -> None:
    """Digits of other scripts in a folder's name are letters like any other."""
    for name in ("1", "1\u00b22", "\u0661"):
        write(tmp_path / f"app-{name}/robots.txt", name.encode())
    app = App(tmp_path, str(tmp_path / "app-*"))
    assert app.get(b"/robots.txt").status == 200


def test_a_deploy(tmp_path: Path) -> None:
    """After a link was switched, the new files are served within a second, and the old digested ones go on."""
    for name in ("one", "two"):
        write(tmp_path / name / "robots.txt", name.encode())
        write(tmp_path / name / f"app-{DIGEST[:-3]}{name.encode().hex()[:3]}.js", name.encode())
    current = tmp_path / "current"
    current.symlink_to("one")
    app = App(tmp_path / "x", str(current))
    old = b"/app-%b%b.js" % (DIGEST[:-3].encode(), b"one".hex()[:3].encode())
    assert app.get(old).body == b"one"
    current.unlink()
    current.symlink_to("two")
    app.time += 1.1
    assert app.get(b"/robots.txt").body == b"two"
    assert app.get(old).body == b"one"
    app.time += 60
    assert app.get(old).body == b"one"
    shutil.rmtree(tmp_path / "one")
    assert app.get(old).body == b"app"


def test_no_folder_yet(tmp_path: Path) -> None:
    """Without any folder the app answers; once there is one, it counts."""
    app = App(tmp_path / "x", str(tmp_path / "later"), str(tmp_path / "app-*"))
    assert app.get(b"/robots.txt").body == b"app"
    write(tmp_path / "later" / "robots.txt", b"robots")
    app.time += 1.1
    assert app.get(b"/robots.txt").body == b"robots"


def test_roots_are_bounded(tmp_path: Path) -> None:
    """Old releases that pile up do not slow down every request."""
    for number in range(50):
        (tmp_path / f"app-{number}").mkdir()
    roots = AssetRoots([str(tmp_path / "app-*")], lambda: NOW)
    assert [os.path.basename(root) for root in roots.current()] == [b"app-%d" % n for n in range(49, 41, -1)]
