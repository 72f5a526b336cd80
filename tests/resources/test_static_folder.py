"""Opening files below a folder, and never anywhere else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.resources.static_folder import Folder, LinkRefused
from tests.support.files import open_descriptors, write

SECRET = b"secret"
PIECES = ["..", ".", "a", "b", "c", "d", "deep", "er", "file", "secret", "outside", "root", ""]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A root with a neighbour; whatever a test does, no descriptor is left open."""
    before = open_descriptors()
    write(tmp_path / "root" / "file", b"file")
    write(tmp_path / "root" / "deep" / "er" / "file", b"deep")
    write(tmp_path / "outside" / "secret", SECRET)
    yield tmp_path / "root"
    assert open_descriptors() <= before


def read(root: Path, *names: str) -> bytes | None:
    with Folder(os.fsencode(root)) as folder:
        file = folder.open_file([os.fsencode(name) for name in names])
        if file is None:
            return None
        content = os.pread(file.descriptor, 100, 0)
        assert file.size == len(content)
        file.close()
        file.close()
        return content


def test_files_and_folders(root: Path) -> None:
    """Regular files open, folders and missing names do not."""
    assert read(root, "file") == b"file"
    assert read(root, "deep", "er", "file") == b"deep"
    for names in (("none",), ("deep",), ("none", "file"), ("file", "file"), ("deep", "er", "none"), (), ("x" * 300,)):
        assert read(root, *names) is None
    with Folder(os.fsencode(root)) as folder:
        assert folder.has_folder([b"deep"])
        assert folder.has_folder([])
        assert not folder.has_folder([b"file"])
        assert not folder.has_folder([b"none"])


def test_a_file_with_two_holders(root: Path) -> None:
    """It stays open until both have closed it, in any order, and each may close it twice."""
    for order in ((0, 1), (1, 0), (0, 0, 1), (1, 1, 0)):
        with Folder(os.fsencode(root)) as folder:
            file = folder.open_file([b"file"])
        assert file
        holders = (file, file.share())
        for holder in order:
            last = holders[1 - holder]
            if last.descriptor >= 0:
                assert os.pread(last.descriptor, 9, 0) == b"file"
                assert last.identity == file.identity
            holders[holder].close()
        assert [each.descriptor for each in holders] == [-1, -1]


def test_a_file_that_changes(root: Path) -> None:
    """An open file tells whether it is in the state in which it was opened."""
    with Folder(os.fsencode(root)) as folder:
        file = folder.open_file([b"file"])
    assert file
    assert file.is_current()
    os.utime(root / "file", (1, 1))
    assert not file.is_current()
    file.close()


def test_special_files_are_no_files(root: Path) -> None:
    """A named pipe and a socket are not there, and nothing waits for their other end."""
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(root / "socket"))
        assert read(root, "pipe") is None
        assert read(root, "socket") is None


def test_a_missing_root(tmp_path: Path) -> None:
    """A root that is missing, or a file, is an error of its own."""
    with pytest.raises(FileNotFoundError):
        Folder(os.fsencode(tmp_path / "none"))
    write(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        Folder(os.fsencode(tmp_path / "file"))


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("link", "file"),
        ("link", "./deep/../file"),
        ("deep/link", "../file"),
        ("link", "{root}/file"),
        ("link", "../root/file"),
        ("link", "../outside/../root/file"),
        ("link", "/../..{root}/deep/../file"),
    ],
)
def test_links_inside(root: Path, link: str, target: str) -> None:
    """A link whose target lies inside is followed, whoever made it and whichever way it takes."""
    (root / link).symlink_to(target.replace("{root}", str(root)))
    os.chown(root / link, 1234, 1234, follow_symlinks=False) if os.geteuid() == 0 else None
    assert read(root, *link.split("/")) == b"file"


def test_links_to_folders_and_chains(root: Path) -> None:
    """Links may lead through links and to folders."""
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("deep/er/")
    assert read(root, "one", "file") == b"deep"
    with Folder(os.fsencode(root)) as folder:
        assert folder.has_folder([b"one"])
    (root / "self").symlink_to(".")
    assert read(root, "self", "self", "file") == b"file"


def test_circles_end(root: Path) -> None:
    """Links in a circle lead nowhere."""
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    (root / "more").symlink_to("more/more/more")
    assert read(root, "a") is None
    assert read(root, "more") is None
    assert read(root, "a", "file") is None


def test_links_outside_to_ones_own(root: Path) -> None:
    """A link that leads outside is followed if its target belongs to its maker."""
    (root / "link").symlink_to("../outside/secret")
    (root / "folder").symlink_to(root.parent / "outside")
    assert read(root, "link") == SECRET
    assert read(root, "folder", "secret") == SECRET


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    "target", ["../outside/secret", "{outside}/secret", "folder/secret", "mine", "deep/up/outside/secret"]
)
def test_links_outside_to_anothers(root: Path, target: str) -> None:
    """A link that leads outside to what is not its maker's is refused, also through links that are not his."""
    outside = root.parent / "outside"
    (root / "folder").symlink_to(outside)
    (root / "mine").symlink_to(outside / "secret")
    (root / "deep" / "up").symlink_to("../..")
    (root / "link").symlink_to(target.replace("{outside}", str(outside)))
    os.chown(root / "link", 1234, 1234, follow_symlinks=False)
    with pytest.raises(LinkRefused):
        read(root, "link")
    os.chown(outside / "secret", 1234, 1234)
    if target in ("../outside/secret", "{outside}/secret"):
        assert read(root, "link") == SECRET
    else:
        with pytest.raises(LinkRefused):
            read(root, "link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_links_to_devices_and_processes(root: Path) -> None:
    """Devices are no files, and /proc is outside like anything else."""
    (root / "null").symlink_to("/dev/null")
    (root / "environment").symlink_to("/proc/self/environ")
    os.chown(root / "environment", 1234, 1234, follow_symlinks=False)
    assert read(root, "null") is None
    with pytest.raises(LinkRefused):
        read(root, "environment")


def test_the_root_may_be_a_link(root: Path) -> None:
    """The root is resolved when it is opened: what was open before a switch stays whole."""
    current = root.parent / "current"
    current.symlink_to("root")
    write(root.parent / "next" / "file", b"next")
    with Folder(os.fsencode(current)) as folder:
        other = root.parent / "other"
        other.symlink_to("next")
        other.rename(current)
        file = folder.open_file([b"file"])
        assert file is not None
        assert os.pread(file.descriptor, 100, 0) == b"file"
        file.close()
    assert read(current, "file") == b"next"


def test_a_link_through_the_link_of_the_root(root: Path) -> None:
    """An absolute link below a root that is a link leads back inside."""
    current = root.parent / "current"
    current.symlink_to(root)
    (root / "link").symlink_to(current / "file")
    os.chown(root / "link", 1234, 1234, follow_symlinks=False) if os.geteuid() == 0 else None
    assert read(current, "link") == b"file"


@settings(max_examples=300)
@example(links={"a": ["..", "root"]}, names=["a"])
@example(links={"a": ["file", "."]}, names=["a"])
@example(links={"a": ["deep", ".", ""], "deep/c": ["er", ""]}, names=["a", "c", "file"])
@given(
    links=st.dictionaries(
        st.sampled_from(["a", "b", "deep/c", "deep/er/d"]),
        st.lists(
            st.sampled_from(PIECES),
            max_size=6,
        ),
        max_size=4,
    ),
    names=st.lists(st.sampled_from(["a", "b", "c", "d", "deep", "er", "file", "secret"]), max_size=5),
)
def test_where_links_lead(
    tmp_path_factory: pytest.TempPathFactory, links: dict[str, list[str]], names: list[str]
) -> None:
    """Any links, walked by hand, lead where the kernel says, and to nothing outside that is another's."""
    base = tmp_path_factory.mktemp("links")
    root = base / "root"
    write(root / "file", b"file")
    write(root / "deep" / "er" / "file", b"deep")
    write(base / "outside" / "secret", SECRET)
    stranger = os.geteuid() == 0
    for link, target in links.items():
        (root / link).symlink_to("/".join(target) or ".")
        if stranger:
            os.chown(root / link, 1234, 1234, follow_symlinks=False)
    before = open_descriptors()
    path = root.joinpath(*names)
    try:
        expected = path.read_bytes() if path.is_file() else None
    except OSError:
        expected = None
    try:
        assert read(root, *names) == expected
    except LinkRefused:
        assert stranger
        resolved = path.resolve()
        assert not resolved.is_relative_to(root)
    else:
        assert not stranger or expected != SECRET
    assert open_descriptors() <= before
