"""Answers from files: fields, preconditions, ranges, encoded copies."""

from __future__ import annotations

import email
import gzip
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import ClientDisconnected
from gateway.http.dates import http_date
from gateway.units import Seconds
from tests.support.files import NOW, OLD, StaticSite, open_descriptors
from tests.support.streams import exchange, get

TAG = b'"%d-7"' % (OLD * 10**9)
TEXT = b"".join(b"line %d\n" % number for number in range(20_000))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StaticSite]:
    before = open_descriptors()
    site = StaticSite(tmp_path / "site")
    yield site
    site.cache.sweep(Seconds(float("inf")))
    assert open_descriptors() <= before


def test_a_whole_file(site: StaticSite) -> None:
    """200 carries all that caches and clients need."""
    site.write("app.css")
    stream = site.get(b"/app.css")
    assert (stream.status, stream.body) == (200, b"content")
    assert stream.head
    assert stream.head.content_length == 7
    assert stream.get(b"content-type") == b"text/css; charset=utf-8"
    assert stream.get(b"etag") == TAG
    assert stream.get(b"last-modified") == http_date(Seconds(OLD))
    assert stream.get(b"cache-control") == b"max-age=3600"
    assert stream.get(b"vary") == b"Accept-Encoding"
    assert stream.get(b"accept-ranges") == b"bytes"
    assert stream.get(b"x-content-type-options") is None


def test_head_has_no_content(site: StaticSite) -> None:
    """HEAD is answered like GET, without the content, and never with a part."""
    site.write("app.css")
    stream = site.get(b"/app.css", b"Range: bytes=0-1", method=b"HEAD")
    assert (stream.status, stream.body, stream.ended) == (200, b"", True)
    assert stream.head
    assert stream.head.content_length == 7


def test_an_empty_file(site: StaticSite) -> None:
    """Nothing is sent whole."""
    site.write("empty.txt", b"")
    stream = site.get(b"/empty.txt")
    assert (stream.status, stream.body, stream.ended) == (200, b"", True)
    assert site.get(b"/empty.txt", b"Range: bytes=0-").status == 416
    assert site.get(b"/empty.txt", b"Range: bytes=-1").status == 200


def test_unknown_types_are_not_guessed(site: StaticSite) -> None:
    """A file of no known kind is octets, and browsers may not look into it."""
    site.write("LICENSE")
    stream = site.get(b"/LICENSE")
    assert stream.get(b"content-type") == b"application/octet-stream"
    assert stream.get(b"x-content-type-options") == b"nosniff"


def test_not_modified(site: StaticSite) -> None:
    """304 carries ETag, Cache-Control and Vary, and no content."""
    site.write("app.css")
    for line in (b"If-None-Match: " + TAG, b"If-Modified-Since: " + http_date(Seconds(OLD))):
        for method in (b"GET", b"HEAD"):
            stream = site.get(b"/app.css", line, method=method)
            assert (stream.status, stream.body, stream.ended) == (304, b"", True)
            assert stream.get(b"etag") == TAG
            assert stream.get(b"cache-control") == b"max-age=3600"
            assert stream.get(b"vary") == b"Accept-Encoding"
            assert stream.get(b"content-type") is None
    assert site.get(b"/app.css", b'If-None-Match: "x"', b"If-Modified-Since: " + http_date(NOW)).status == 200


def test_precondition_failed(site: StaticSite) -> None:
    """A condition on another state is 412, before any range is looked at."""
    site.write("app.css")
    assert site.get(b"/app.css", b'If-Match: "x"', b"Range: bytes=90-").status == 412
    assert site.get(b"/app.css", b"If-Unmodified-Since: " + http_date(Seconds(OLD - 1))).status == 412
    assert site.get(b"/none.css", b'If-Match: "x"').status == 404


def test_a_time_to_come_is_not_told(site: StaticSite) -> None:
    """Last-Modified is never later than now (RFC 9110 §8.8.2.1)."""
    site.write("app.css", mtime=NOW + 5)
    stream = site.get(b"/app.css", b"If-Modified-Since: " + http_date(Seconds(NOW + 5)))
    assert stream.status == 200
    assert stream.get(b"last-modified") is None
    assert stream.get(b"etag")


# Ranges.


def test_one_range(site: StaticSite) -> None:
    """One part is 206 with its place."""
    site.write("a.txt", TEXT)
    for spec, part in ((b"0-9", TEXT[:10]), (b"100000-", TEXT[100_000:]), (b"-7", TEXT[-7:])):
        stream = site.get(b"/a.txt", b"Range: bytes=" + spec)
        start = TEXT.index(part)
        assert (stream.status, stream.body) == (206, part)
        place = b"bytes %d-%d/%d" % (start, start + len(part) - 1, len(TEXT))
        assert stream.get(b"content-range") == place
        assert stream.head
        assert stream.head.content_length == len(part)
        assert stream.get(b"content-type") == b"text/plain; charset=utf-8"


def test_several_ranges(site: StaticSite) -> None:
    """Several parts are a multipart message whose length is right."""
    site.write("a.txt", TEXT)
    stream = site.get(b"/a.txt", b"Range: bytes=0-4,70000-139999,-3")
    assert stream.status == 206
    assert stream.get(b"content-range") is None
    media_type = stream.get(b"content-type")
    assert media_type
    assert stream.head
    assert stream.head.content_length == len(stream.body)
    message = email.message_from_bytes(b"Content-Type: " + media_type + b"\r\n\r\n" + stream.body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    size = len(TEXT)
    assert [part["content-range"] for part in parts] == [
        f"bytes 0-4/{size}",
        f"bytes 70000-139999/{size}",
        f"bytes {size - 3}-{size - 1}/{size}",
    ]
    assert {part["content-type"] for part in parts} == {"text/plain; charset=utf-8"}
    contents = [part.get_payload(decode=True) for part in parts]
    assert contents == [TEXT[:5], TEXT[70_000:140_000], TEXT[-3:]]


def test_no_such_range(site: StaticSite) -> None:
    """416 tells the size."""
    site.write("a.txt")
    stream = site.get(b"/a.txt", b"Range: bytes=7-")
    assert (stream.status, stream.get(b"content-range")) == (416, b"bytes */7")


@pytest.mark.parametrize("value", [b"bytes=5-1", b"pages=1-2", b"bytes=0-6,0-6", b"bytes=" + b",".join([b"0-0"] * 11)])
def test_whole_instead_of_range(site: StaticSite, value: bytes) -> None:
    """What is no sensible Range gets the whole."""
    site.write("a.txt")
    stream = site.get(b"/a.txt", b"Range: " + value)
    assert (stream.status, stream.body) == (200, b"content")


def test_if_range(site: StaticSite) -> None:
    """A range counts for the very state it belongs to; otherwise the whole comes."""
    site.write("a.txt")
    tag = site.get(b"/a.txt").get(b"etag") or b""
    part = b"Range: bytes=0-1"
    assert site.get(b"/a.txt", part, b"If-Range: " + tag).status == 206
    for value in (b'"x"', b"W/" + tag, http_date(Seconds(OLD))):
        stream = site.get(b"/a.txt", part, b"If-Range: " + value)
        assert (stream.status, stream.body) == (200, b"content")
    assert site.get(b"/a.txt", b"If-Range: " + tag).status == 200
    assert site.get(b"/a.txt", b"Range: bytes=99-", b'If-Range: "x"').status == 200
    assert site.get(b"/a.txt", part, b"If-None-Match: " + tag).status == 304


# Encoded copies.


def test_encoded_copies(site: StaticSite) -> None:
    """What the client likes best of what is there is sent, as what it decodes to, with a tag of its own."""
    site.write("app.js", TEXT)
    codings = {b"zstd": "zst", b"br": "br", b"gzip": "gz"}
    for coding, ending in codings.items():
        site.write(f"app.js.{ending}", coding)
    tags = {site.get(b"/app.js").get(b"etag")}
    for accepted in itertools.permutations(codings):
        value = b", ".join(b"%b;q=0.%d" % (coding, 9 - rank) for rank, coding in enumerate(accepted))
        stream = site.get(b"/app.js", b"Accept-Encoding: " + value)
        assert (stream.status, stream.body) == (200, accepted[0])
        assert stream.get(b"content-encoding") == accepted[0]
        assert stream.get(b"content-type") == b"text/javascript; charset=utf-8"
        assert stream.get(b"vary") == b"Accept-Encoding"
        tags.add(stream.get(b"etag"))
    assert len(tags) == 4
    for refused in (b"", b"identity", b"gzip;q=0", b"gzip;q=0.5, identity"):
        stream = site.get(b"/app.js", b"Accept-Encoding: " + refused)
        assert (stream.body, stream.get(b"content-encoding")) == (TEXT, None)
        assert stream.get(b"vary") == b"Accept-Encoding"


def test_conditions_are_on_the_copy(site: StaticSite) -> None:
    """A 304 is one for the form that would be sent."""
    site.write("app.js", TEXT)
    site.write("app.js.gz", gzip.compress(TEXT))
    accept = b"Accept-Encoding: gzip"
    encoded = site.get(b"/app.js", accept).get(b"etag") or b""
    plain = site.get(b"/app.js").get(b"etag") or b""
    assert site.get(b"/app.js", accept, b"If-None-Match: " + encoded).status == 304
    assert site.get(b"/app.js", accept, b"If-None-Match: " + plain).status == 200
    assert site.get(b"/app.js", b"If-None-Match: " + plain).status == 304
    assert site.get(b"/app.js", accept, b"If-None-Match: %b, %b" % (plain, encoded)).status == 304


def test_a_copy_that_is_older(site: StaticSite) -> None:
    """A copy made before the file was changed is none; the next best is taken."""
    site.write("app.js", TEXT)
    site.write("app.js.br", b"br", mtime=OLD - 0.001)
    site.write("app.js.gz", b"gz", mtime=OLD)
    stream = site.get(b"/app.js", b"Accept-Encoding: br, gzip")
    assert stream.body == b"gz"
    site.write("app.js.gz", b"gz", mtime=OLD - 1)
    assert site.get(b"/app.js", b"Accept-Encoding: br, gzip").body == TEXT


def test_ranges_are_of_the_plain_content(site: StaticSite) -> None:
    """Who asks for a part gets it from the file itself."""
    site.write("app.js", TEXT)
    site.write("app.js.gz", b"gz")
    stream = site.get(b"/app.js", b"Accept-Encoding: gzip", b"Range: bytes=0-3")
    assert (stream.status, stream.body, stream.get(b"content-encoding")) == (206, TEXT[:4], None)


def test_copies_of_images_are_not_looked_for(site: StaticSite) -> None:
    """What is compressed already has no copies and does not vary."""
    site.write("a.png")
    site.write("a.png.gz", b"gz")
    stream = site.get(b"/a.png", b"Accept-Encoding: gzip")
    assert (stream.body, stream.get(b"vary")) == (b"content", None)


def test_a_copy_alone_is_a_file_like_any_other(site: StaticSite) -> None:
    """Without the file there is no answer; asked for by name, a copy is an archive."""
    site.write("app.js.gz", b"gz")
    assert site.get(b"/app.js", b"Accept-Encoding: gzip").status == 404
    stream = site.get(b"/app.js.gz", b"Accept-Encoding: gzip")
    assert (stream.body, stream.get(b"content-encoding")) == (b"gz", None)
    assert stream.get(b"content-type") == b"application/gzip"
    (site.root / "b.js.gz").mkdir()
    site.write("b.js")
    assert site.get(b"/b.js", b"Accept-Encoding: gzip").body == b"content"


# Files whose time says nothing.


@pytest.mark.parametrize("mtime", [0, 1])
def test_undated_files(site: StaticSite, mtime: int) -> None:
    """The tag of a file from a reproducible build is that of its content, found out once; no date is told."""
    site.write("a.txt", TEXT, mtime)
    stream = site.get(b"/a.txt")
    assert (stream.status, stream.body, stream.get(b"last-modified")) == (200, TEXT, None)
    tag = stream.get(b"etag") or b""
    calls = site.disk.calls
    assert site.get(b"/a.txt", b"If-None-Match: " + tag).status == 304
    assert site.disk.calls == calls
    assert site.get(b"/a.txt", b"If-Modified-Since: " + http_date(Seconds(5))).status == 200
    site.write("a.txt", TEXT[::-1], mtime)
    stream = site.get(b"/a.txt", b"If-None-Match: " + tag)
    assert (stream.status, stream.body) == (200, TEXT[::-1])


def test_errors_after_the_digest(site: StaticSite) -> None:
    """Preconditions and ranges of such files fail like any others."""
    site.write("a.txt", TEXT, 1)
    assert site.get(b"/a.txt", b'If-Match: "x"').status == 412
    (site.root / "a.txt").unlink()
    site.write("a.txt", TEXT + TEXT, 1)
    assert site.get(b"/a.txt", b"Range: bytes=9999999-").status == 416


def test_a_client_that_leaves_during_the_digest(site: StaticSite) -> None:
    """The file is closed once the thread has let go of it; nothing is sent."""
    site.write("a.txt", TEXT, 1)
    site.disk.slow = True
    stream = exchange(site.resource, get(b"/a.txt"))
    stream.handler.stream_lost(ClientDisconnected("gone"))
    site.disk.finish()
    assert stream.events == []


def test_one_digest_for_many(site: StaticSite) -> None:
    """Requests for the same undated file at the same time read it once, and all get its tag."""
    site.write("a.txt", TEXT, 1)
    site.disk.slow = True
    streams = [exchange(site.resource, get(b"/a.txt")) for _ in range(3)]
    site.disk.finish()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.resources.static_answer.digest", lambda *_: b"read again")
        site.disk.finish()
        site.disk.finish()
    site.disk.turns()
    tags = {stream.get(b"etag") for stream in streams}
    assert len(tags) == 1
    assert b"again" not in (tags.pop() or b"again")
    site.disk.slow = False
    while site.disk.waiting:  # where the file system cannot tell what is in memory
        site.disk.finish()
    assert all(stream.body == TEXT for stream in streams)


def test_a_disk_that_fails_during_the_digest(site: StaticSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is the machine's fault."""
    site.write("a.txt", TEXT, 1)

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("gateway.resources.static_answer.digest", broken)
    assert site.get(b"/a.txt").status == 500
