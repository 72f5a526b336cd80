"""Answers from memory and from open files: the same octets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import HTTPError
from gateway.resources import static_ready
from gateway.resources.static_folder import Folder, OpenFile
from gateway.resources.static_ready import BODY, Ready, Representation, read_small
from gateway.web.request import Request
from tests.support.files import FakeDisk, open_descriptors, write
from tests.support.streams import FakeRuntime, RecordingStream, get, location

TEXT = bytes(range(200)) * 10


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


def open_file(path: Path) -> OpenFile:
    with Folder(os.fsencode(path.parent)) as folder:
        file = folder.open_file([os.fsencode(path.name)])
    assert file
    return file


def make(path: Path, coding: bytes = b"") -> Ready:
    file = open_file(path)
    chosen = Representation(file=file, content_type=b"text/plain", coding=coding, cache_control=b"no-cache")
    return Ready(chosen, b'"tag"', 1_700_000_000)


def ask(ready: Ready, *fields: bytes, method: bytes = b"GET") -> RecordingStream:
    stream = RecordingStream()
    request = Request(stream, get(b"/", *fields, method=method), FakeRuntime(), location())
    stream.handler = request
    ready.answer(request, FakeDisk())
    return stream


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize(
    "fields",
    [
        (),
        (b"Range: bytes=5-9",),
        (b"Range: bytes=5-9,20-30,-1",),
        (b"Range: bytes=0-0", b'If-Range: "other"'),
        (b'If-None-Match: "tag"',),
        (b'If-None-Match: "other"',),
    ],
)
def test_memory_and_file_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: tuple[bytes, ...], method: bytes
) -> None:
    """Wherever the content is, the answer is the same."""
    path = write(tmp_path / "a.txt", TEXT)
    monkeypatch.setattr("secrets.token_hex", lambda _: "boundary")
    in_memory = make(path)
    monkeypatch.setattr(static_ready, "read_small", lambda _: None)
    in_file = make(path)
    assert (in_memory.body, in_file.body) == (TEXT, None)
    answers = [ask(ready, *fields, method=method) for ready in (in_memory, in_file)]
    in_file.close()
    one, other = ((each.status, each.fields, each.body, each.ended) for each in answers)
    assert one == other
    heads = [each.head for each in answers]
    assert heads[0] is not None
    assert heads[1] is not None
    assert heads[0].content_length == heads[1].content_length


def test_errors(tmp_path: Path) -> None:
    """412 and 416 are raised; the representation can be used again."""
    ready = make(write(tmp_path / "a.txt", TEXT))
    for field, status in ((b'If-Match: "other"', 412), (b"Range: bytes=9999-", 416)):
        with pytest.raises(HTTPError) as caught:
            ask(ready, field)
        assert caught.value.status == status
    assert ask(ready).body == TEXT


def test_a_coded_one_has_no_ranges(tmp_path: Path) -> None:
    """Parts are of the plain content only."""
    stream = ask(make(write(tmp_path / "a.txt.gz", TEXT), b"gzip"), b"Range: bytes=0-1")
    assert (stream.status, stream.get(b"content-encoding"), stream.get(b"accept-ranges")) == (200, b"gzip", None)


def test_what_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are, unless they are changed at the same time or must be waited for."""
    path = write(tmp_path / "a.txt", b"x" * BODY)
    file = open_file(path)
    assert read_small(file) == b"x" * BODY
    monkeypatch.setattr(static_ready, "read_cached", lambda *_: None)
    assert read_small(file) is None
    monkeypatch.setattr(static_ready, "read_cached", lambda *_: b"x")
    assert read_small(file) is None

    def changing(descriptor: int, size: int, offset: int) -> bytes:
        write(path, b"y" * BODY)
        return b"y" * size

    monkeypatch.setattr(static_ready, "read_cached", changing)
    assert read_small(file) is None
    file.close()
    large, empty = open_file(write(tmp_path / "large", b"x" * (BODY + 1))), open_file(write(tmp_path / "empty", b""))
    assert (read_small(large), read_small(empty)) == (None, b"")
    large.close()
    empty.close()
