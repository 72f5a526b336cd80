"""Entity tags of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gateway.resources import static_tags
from gateway.resources.static_folder import Folder, OpenFile
from gateway.resources.static_tags import ContentTags, digest, is_dated
from tests.support.files import write


def opened(path: Path) -> OpenFile:
    with Folder(os.fsencode(path.parent)) as folder:
        file = folder.open_file([os.fsencode(path.name)])
    assert file is not None
    return file


def test_from_time_and_size(tmp_path: Path) -> None:
    """A file with a time needs no look at its content; two codings of it differ."""
    file = opened(write(tmp_path / "a", b"12345", mtime=1_700_000_000.5))
    assert ContentTags().find(file, b"") == b'"1700000000500000000-5"'
    assert ContentTags().find(file, b"br") == b'"1700000000500000000-5-br"'
    file.close()


@pytest.mark.parametrize("mtime", [0, 1])
def test_from_content(tmp_path: Path, mtime: int) -> None:
    """A file whose time says nothing has the digest of its content, which is read once."""
    file = opened(write(tmp_path / "a", b"12345", mtime))
    tags = ContentTags()
    assert not is_dated(file)
    assert tags.find(file, b"") is None
    made = digest(file.descriptor, lambda: True)
    assert made == hashlib.sha256(b"12345").hexdigest()[:32].encode()
    assert digest(file.descriptor, lambda: False) != made
    tags.keep(file.identity, made)
    assert tags.known(file.identity) == made
    assert tags.find(file, b"") == b'"%b"' % made
    assert tags.find(file, b"gzip") == b'"%b-gzip"' % made
    file.close()
    write(tmp_path / "a", b"54321", mtime)
    other = opened(tmp_path / "a")
    assert tags.find(other, b"") is None
    other.close()


def test_digests_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many digests are kept; the oldest goes first."""
    monkeypatch.setattr(static_tags, "_KEPT", 2)
    tags = ContentTags()
    for number in range(3):
        tags.keep((number, 0, 0, 0), b"%d" % number)
    file = opened(write(tmp_path / "a", b"", 0))
    for number, kept in ((0, False), (1, True), (2, True)):
        file.identity = (number, 0, 0, 0)
        assert (tags.find(file, b"") is not None) is kept
    file.close()
