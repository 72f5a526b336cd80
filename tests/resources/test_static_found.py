"""A file and its copies: which there are, which is sent, and how long they have been so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.resources.static_folder import Folder, LinkRefused
from gateway.resources.static_found import Found, choose_coding, is_settled
from gateway.units import Seconds
from tests.support.files import OLD, open_descriptors, write
from tests.support.streams import get


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


def find(root: Path, name: str, **more: bytes) -> Found:
    with Folder(os.fsencode(root)) as folder:
        file = folder.open_file([name.encode()])
        assert file
        return Found(folder, [name.encode()], file, **more)


def test_copies(tmp_path: Path) -> None:
    """Copies that are not older count; what cannot be compressed has none."""
    for name, mtime in (("a.css", OLD), ("a.css.br", OLD), ("a.css.gz", OLD - 1), ("a.css.zst", OLD + 1)):
        write(tmp_path / name, mtime=mtime)
    write(tmp_path / "a.png")
    write(tmp_path / "a.png.gz")
    css, png = find(tmp_path, "a.css"), find(tmp_path, "a.png")
    assert (css.codings, png.codings) == ((b"zstd", b"br"), ())
    assert [coding for coding, _ in css.state] == [b"", b"zstd", b"br"]
    css.close()
    png.close()


def test_copies_of_a_file_with_a_digest_in_its_name(tmp_path: Path) -> None:
    """They count at any age: the file never changes, and `mix release` copies files in any order, with new times."""
    name = f"app-{'0a' * 16}.css"
    write(tmp_path / name, mtime=OLD)
    write(tmp_path / f"{name}.gz", mtime=OLD - 1)
    found = find(tmp_path, name)
    assert found.codings == (b"gzip",)
    found.close()


def test_what_is_taken_is_the_takers(tmp_path: Path) -> None:
    """What is taken stays open, the rest is closed; the media type is the plain file's."""
    write(tmp_path / "a.css")
    write(tmp_path / "a.css.gz", b"gz")
    found = find(tmp_path, "a.css", vary=b"Accept")
    chosen = found.take(get(b"/a.css?vsn=d"), b"gzip")
    found.close()
    assert (chosen.file.size, chosen.coding, chosen.content_type) == (2, b"gzip", b"text/css; charset=utf-8")
    assert (chosen.vary, chosen.cache_control) == (b"Accept-Encoding, Accept", b"public, max-age=31536000, immutable")
    assert chosen.file.is_current()
    chosen.file.close()


def test_a_failure_closes_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the machine is short of descriptors, none stays open."""
    write(tmp_path / "a.css")
    write(tmp_path / "a.css.zst")
    opened = Folder.open_file

    def failing(folder: Folder, names: list[bytes]) -> object:
        if names[-1].endswith(b".br"):
            raise OSError(24, "too many open files")
        return opened(folder, names)

    monkeypatch.setattr(Folder, "open_file", failing)
    with pytest.raises(OSError, match="too many"):
        find(tmp_path, "a.css")


@pytest.mark.parametrize("refused", [PermissionError(), LinkRefused()])
def test_a_copy_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: OSError) -> None:
    """It is none; nor is one behind a link that leads out of the folder."""
    write(tmp_path / "a.css")
    opened = Folder.open_file

    def refusing(folder: Folder, names: list[bytes]) -> object:
        if names[-1] != b"a.css":
            raise refused
        return opened(folder, names)

    monkeypatch.setattr(Folder, "open_file", refusing)
    found = find(tmp_path, "a.css")
    assert found.codings == ()
    found.close()


@pytest.mark.parametrize(
    ("lines", "method", "coding"),
    [
        ((), b"GET", b""),
        ((b"Accept-Encoding: br, gzip",), b"GET", b"gzip"),
        ((b"Accept-Encoding: br",), b"GET", b""),
        ((b"Accept-Encoding: gzip", b"Range: bytes=0-1"), b"GET", b""),
        ((b"Accept-Encoding: gzip", b"Range: bytes=0-1"), b"HEAD", b"gzip"),
    ],
)
def test_the_choice(lines: tuple[bytes, ...], method: bytes, coding: bytes) -> None:
    """The most welcome copy that there is; a range is one of the plain content."""
    assert choose_coding(get(b"/", *lines, method=method), (b"gzip",)) == coding
    assert choose_coding(get(b"/", *lines, method=method), ()) == b""


def test_settled(tmp_path: Path) -> None:
    """A file that was changed just now, or that says it will be, may change again without a trace."""
    write(tmp_path / "a.css")
    found = find(tmp_path, "a.css")
    now = (tmp_path / "a.css").stat().st_ctime
    assert not found.is_settled(Seconds(now))
    assert found.is_settled(Seconds(now + 5))
    os.utime(tmp_path / "a.css", (now + 600, now + 600))
    changed = find(tmp_path, "a.css").take(get(b"/"), b"").file
    assert not is_settled(changed, Seconds(now + 500))
    assert is_settled(changed, Seconds(now + 602))
    found.close()
    changed.close()
