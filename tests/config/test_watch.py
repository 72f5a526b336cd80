"""Files that change are noticed, by notifications and without."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles
from twisted.internet.task import Clock

from gateway.config.watch import FolderWatch, Settling
from tests.support.waiting import PATIENCE, eventually


def content(folder: Path) -> dict[str, str] | None:
    """What is in a folder; None where there is none."""
    try:
        return {file.name: file.read_text() for file in folder.iterdir()}
    except OSError:
        return None


class Noticing:
    """A watch whose thread the test waits for."""

    def __init__(self, folder: Path, polling: bool) -> None:
        self._folder = folder
        self._noticed: object = "nothing"
        self.ended: list[object] = []
        self.watch = FolderWatch(folder, self.call, self.look, polling=polling)
        self.watch.start()
        # The first look differs from none at all: it covers what changed before the start.
        self.wait()

    def call(self, act: Callable[[], object]) -> None:
        act()

    def look(self) -> None:
        self._noticed = content(self._folder)

    def wait(self) -> None:
        """Wait until there was a notice after which the folder stayed as it is."""
        eventually(lambda: self._noticed == content(self._folder), lambda: f"noticed: {self._noticed}")

    def stop(self) -> None:
        self.watch.stop().addCallback(self.ended.append)
        thread = self.watch._thread
        assert thread is not None
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert self.ended == [None]


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.config.watch.LOOK", 0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.com.toml").write_text("1")
    return tmp_path / "sites"


@pytest.fixture(params=[False, True], ids=["notified", "polling"])
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Noticing]]:
    started: list[Noticing] = []

    def begin(folder: Path) -> Noticing:
        started.append(Noticing(folder, request.param))
        return started[-1]

    yield begin
    for each in started:
        each.stop()


Start = Callable[[Path], Noticing]


def test_files_of_the_folder(folder: Path, start: Start) -> None:
    """A file is added, written in place, replaced, renamed, removed: each is noticed."""
    noticing = start(folder)
    file = folder / "b.com.toml"
    file.write_text("1")
    noticing.wait()
    with file.open("a") as stream:
        stream.write("more")
    noticing.wait()
    (folder / ".half").write_text("other")
    os.replace(folder / ".half", file)
    noticing.wait()
    file.rename(folder / "c.com.toml")
    noticing.wait()
    (folder / "c.com.toml").unlink()
    noticing.wait()


def test_a_folder_that_goes_and_comes_back(folder: Path, start: Start) -> None:
    """Both are noticed, and then what happens in the folder."""
    noticing = start(folder)
    folder.rename(folder.with_name("away"))
    noticing.wait()
    folder.with_name("away").rename(folder)
    noticing.wait()
    (folder / "a.com.toml").write_text("2")
    noticing.wait()


def test_a_folder_that_is_made_later(tmp_path: Path, start: Start) -> None:
    """A folder that is not there yet is waited for."""
    (tmp_path / "sites").mkdir()
    noticing = start(tmp_path / "sites")
    (tmp_path / "sites").rmdir()
    noticing.wait()
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.com.toml").write_text("1")
    noticing.wait()


def test_a_link_to_a_folder(folder: Path, start: Start) -> None:
    """Files behind the link are noticed, and so is that it leads elsewhere."""
    link = folder.with_name("current")
    link.symlink_to(folder)
    noticing = start(link)
    (folder / "a.com.toml").write_text("22")
    noticing.wait()
    other = folder.with_name("other")
    other.mkdir()
    (other / "a.com.toml").write_text("333")
    folder.with_name("next").symlink_to(other)
    os.replace(folder.with_name("next"), link)
    noticing.wait()
    (other / "b.com.toml").write_text("4")
    noticing.wait()
    (other / "a.com.toml").write_text("55555")
    noticing.wait()


def test_what_nobody_notifies_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes after the look at a folder that is new there, and before its notifications begin, is noticed too."""
    link, other = folder.with_name("current"), folder.with_name("other")
    link.symlink_to(folder)
    other.mkdir()
    (other / "a.com.toml").write_text("1")

    def begin(*arguments: object, **settings: object) -> object:
        if link.readlink() == other:
            (other / "a.com.toml").write_text("changed in between")
        return watchfiles.watch(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("gateway.config.watch.watch", begin)
    noticing = Noticing(link, polling=False)
    folder.with_name("next").symlink_to(other)
    os.replace(folder.with_name("next"), link)
    eventually(lambda: content(link) == {"a.com.toml": "changed in between"})
    noticing.wait()
    noticing.stop()


def test_a_link_to_a_file(folder: Path, start: Start) -> None:
    """A file outside the folder is noticed like one in it."""
    target = folder.with_name("target")
    target.write_text("1")
    (folder / "b.com.toml").symlink_to(target)
    noticing = start(folder)
    target.write_text("22")
    noticing.wait()


@pytest.mark.parametrize("error", [OSError(24, "too many open files"), RuntimeError("inotify: no space")])
def test_without_notifications(folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Where the system does not notify, the files are looked at instead."""

    def fail(*_: object, **__: object) -> Iterator[object]:
        raise error
        yield

    monkeypatch.setattr("gateway.config.watch.watch", fail)
    noticing = Noticing(folder, polling=False)
    (folder / "a.com.toml").write_text("22")
    noticing.wait()
    noticing.stop()


def test_a_watch_that_was_never_started(folder: Path) -> None:
    """It is over at once."""
    assert FolderWatch(folder, lambda act: act(), lambda: None).stop().called


def test_settling_waits_for_quiet() -> None:
    """It acts once, 300 ms after the last touch."""
    clock, acts = Clock(), []
    settling = Settling(clock, lambda: acts.append(clock.seconds()))
    settling.touch()
    clock.advance(0.25)
    settling.touch()
    clock.advance(0.25)
    assert acts == []
    clock.advance(0.05)
    assert acts == [pytest.approx(0.55)]
    clock.advance(10)
    assert len(acts) == 1


def test_settling_does_not_wait_for_ever() -> None:
    """Where touches never end it acts a second after the first, and again."""
    clock, acts = Clock(), []
    settling = Settling(clock, lambda: acts.append(clock.seconds()))
    for _ in range(250):
        settling.touch()
        clock.advance(0.01)
    assert acts == [pytest.approx(1.0), pytest.approx(2.0)]


def test_settling_can_be_called_off() -> None:
    """After that nothing happens and no timer stays."""
    clock, acts = Clock(), []
    settling = Settling(clock, lambda: acts.append(1))
    settling.touch()
    settling.cancel()
    settling.cancel()
    assert clock.getDelayedCalls() == []
