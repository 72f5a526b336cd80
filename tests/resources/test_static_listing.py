"""Lists of folders."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import ClientDisconnected
from gateway.resources import static_listing
from tests.support.files import OLD, StaticSite, open_descriptors
from tests.support.streams import exchange, get

PAGE = b"Accept: text/html"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StaticSite]:
    before = open_descriptors()
    site = StaticSite(tmp_path / "site", listing=True)
    site.write("b.txt", b"12345")
    site.write("a b.txt")
    site.write("folder/x.txt")
    site.write('<script>"&.txt')
    site.write("javascript:alert(1)")
    site.write(os.fsdecode(b"\xff.txt"))
    site.write(".env")
    site.write("site.toml")
    site.write("indexed/index.html", b"index")
    (site.root / "link").symlink_to("/etc")
    os.mkfifo(site.root / "pipe")
    yield site
    assert open_descriptors() <= before


def test_a_page(site: StaticSite) -> None:
    """Folders come first, then files by name; names are escaped; what is private is not there."""
    stream = site.get(b"/", PAGE)
    page = stream.body.decode()
    assert stream.status == 200
    assert stream.get(b"content-type") == b"text/html; charset=utf-8"
    assert stream.get(b"content-security-policy")
    assert re.findall(r'href="([^"]*)"', page) == [
        "./folder/",
        "./indexed/",
        "./%3Cscript%3E%22%26.txt",
        "./a%20b.txt",
        "./b.txt",
        "./javascript%3Aalert%281%29",
        "./link",
        "./%FF.txt",
    ]
    assert "<script>" not in page
    assert "env" not in page
    assert 'href="../"' in site.get(b"/folder/", PAGE).body.decode()
    assert site.get(b"/", PAGE, method=b"HEAD").body == b""


def test_json(site: StaticSite) -> None:
    """Programs get names, types, sizes and dates."""
    stream = site.get(b"/", b"Accept: application/json")
    rows = {row["name"]: row for row in json.loads(stream.body)}
    assert rows["b.txt"] == {"name": "b.txt", "type": "file", "size": 5, "modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
    assert rows["folder"]["type"] == "folder"
    assert rows["link"]["size"] is None
    assert "pipe" not in rows
    assert OLD == 1_700_000_000


def test_where_there_is_an_index(site: StaticSite) -> None:
    """An index is shown instead; a folder is listed at its name with a slash."""
    assert site.get(b"/indexed/", PAGE).body == b"index"
    assert site.get(b"/folder", PAGE).get(b"location") == b"/folder/"
    assert site.get(b"/none/", PAGE).status == 404
    assert site.get(b"/b.txt/", PAGE).status == 308


def test_off_by_default(site: StaticSite) -> None:
    """Without the setting a folder shows nothing."""
    assert StaticSite(site.root).get(b"/", PAGE).status == 404


def test_a_large_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many names are shown."""
    monkeypatch.setattr(static_listing, "MAX_ENTRIES", 7)
    site = StaticSite(tmp_path / "site", listing=True)
    for number in range(20):
        site.write(f"{number}.txt")
    assert len(json.loads(site.get(b"/", b"Accept: application/json").body)) == 7


def test_the_list_of_a_large_folder_keeps_nobody_waiting(site: StaticSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that reads the folder also writes the list, page or JSON."""
    made: list[object] = []
    call = site.disk.call
    monkeypatch.setattr(site.disk, "call", lambda function: call(lambda: made.append(function()) or made[-1]))
    assert [site.get(b"/", accept).body for accept in (PAGE, b"Accept: application/json")] == made


def test_a_client_that_leaves(site: StaticSite) -> None:
    """The folder is closed once the thread has let go of it; nothing is sent."""
    site.disk.slow = True
    stream = exchange(site.resource, get(b"/", PAGE))
    stream.handler.stream_lost(ClientDisconnected("gone"))
    site.disk.finish()
    assert stream.events == []


def test_a_disk_that_fails(site: StaticSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be read is the machine's fault."""

    def broken(_: object) -> Iterator[object]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", broken)
    assert site.get(b"/", PAGE).status == 500


def test_untrusted_files(tmp_path: Path) -> None:
    """Files that strangers may have put there are saved, never run; not even as the page for what is missing."""
    site = StaticSite(tmp_path / "site", untrusted=True)
    for name in ("evil.html", "evil.svg", "unknown", "404.html"):
        site.write(name, b"evil")
    for target in (b"/evil.html", b"/evil", b"/evil.svg", b"/unknown"):
        for line in (b"Range: bytes=0-1", b"If-None-Match: *", b"X: y"):
            stream = site.get(target, line)
            assert stream.get(b"content-disposition") == b"attachment"
            assert b"sandbox" in (stream.get(b"content-security-policy") or b"")
            assert stream.get_all(b"x-content-type-options") == [b"nosniff"]
    assert site.get(b"/none", PAGE).body == b""
