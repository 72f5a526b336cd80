"""Content from files: in pieces, at the client's pace, closed once."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gateway.errors import ClientDisconnected, FileIncomplete, FileUnavailable, ResponseIncomplete
from gateway.http.message import ResponseHead
from gateway.http.ranges import ByteRange
from gateway.resources import static_body
from gateway.resources.static_body import CHUNK, LARGE, STEP, TURN, FileBody
from gateway.resources.static_folder import Folder, OpenFile
from gateway.web.request import Request
from tests.support.files import FakeDisk, open_descriptors, write
from tests.support.streams import FakeRuntime, RecordingStream, get, location

BIG = bytes(n % 251 for n in range(CHUNK * (TURN + 3) + 17))


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Whatever happens to an exchange, its file is closed in the end."""
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


@pytest.fixture(params=["cached", "uncached"])
def uncached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Once with all of the file in memory, once with nothing of it."""
    if request.param == "uncached":
        monkeypatch.setattr(static_body, "read_cached", lambda *_: None)
    else:
        monkeypatch.setattr(static_body, "read_cached", os.pread)
    return bool(request.param == "uncached")


class Exchange:
    """One request answered by a `FileBody`."""

    def __init__(
        self,
        path: Path,
        parts: Sequence[bytes | ByteRange],
        disk: FakeDisk,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        with Folder(os.fsencode(path.parent)) as folder:
            file = folder.open_file([os.fsencode(path.name)])
        assert file is not None
        self.file: OpenFile = file
        self.stream = RecordingStream()
        self.runtime = FakeRuntime()
        self.request = Request(self.stream, get(b"/"), self.runtime, location())
        self.stream.handler = self.request
        before()
        FileBody(self.request, file, parts, disk).start(ResponseHead.make(200, (), len(BIG)))

    @property
    def finished(self) -> int:
        return len(self.runtime.log.finished)


def whole(path: Path) -> list[bytes | ByteRange]:
    return [ByteRange(0, path.stat().st_size - 1)]


def test_all_of_a_file(tmp_path: Path, uncached: bool) -> None:
    """Every octet arrives, in order, and others get their turn in between."""
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG), [ByteRange(0, len(BIG) - 1)], disk)
    if not uncached:
        assert not exchange.stream.ended
        assert CHUNK < len(exchange.stream.body) <= CHUNK * (TURN + 1)
    disk.turns()
    assert exchange.stream.ended
    assert exchange.stream.body == BIG
    assert exchange.finished == 1
    assert bool(disk.calls) is uncached


def test_a_small_file_leaves_with_its_head(tmp_path: Path) -> None:
    """Head and content of a file in memory are one event."""
    exchange = Exchange(write(tmp_path / "small", b"abc"), [ByteRange(0, 2)], FakeDisk())
    if exchange.stream.events != ["head"]:  # a file system that cannot tell what is in memory
        assert exchange.stream.events == ["head", "data"]
    assert (exchange.stream.body, exchange.stream.ended) == (b"abc", True)


def test_parts_and_what_is_between(tmp_path: Path, uncached: bool) -> None:
    """Octets and ranges are sent in their order."""
    parts = [b"<", ByteRange(5, 9), b"|", b"|", ByteRange(0, CHUNK), b">"]
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG), parts, disk)
    disk.turns()
    assert exchange.stream.body == b"<" + BIG[5:10] + b"||" + BIG[: CHUNK + 1] + b">"
    assert exchange.stream.ended


def test_the_client_sets_the_pace(tmp_path: Path, uncached: bool) -> None:
    """Nothing is read while the client does not read, and all of it goes on afterwards."""
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG), [ByteRange(0, len(BIG) - 1)], disk)
    while not exchange.stream.ended:
        exchange.request.pause_writing()
        disk.turns()
        sent, calls = len(exchange.stream.body), disk.calls
        disk.turns()
        assert (len(exchange.stream.body), disk.calls) == (sent, calls)
        exchange.request.resume_writing()
        exchange.request.resume_writing()
        disk.turn()
    assert exchange.stream.body == BIG


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection takes content from descriptors, and all of it lies in memory."""
    monkeypatch.setattr(RecordingStream, "__init__", _taking_descriptors(RecordingStream.__init__))
    monkeypatch.setattr(static_body, "read_cached", os.pread)
    monkeypatch.setattr(static_body, "is_cached", lambda *_: True)


def _taking_descriptors(init: Callable[..., None]) -> Callable[..., None]:
    def wrapped(self: RecordingStream) -> None:
        init(self)
        self.takes_descriptors = True

    return wrapped


@pytest.mark.usefixtures("straight")
def test_straight_from_the_file(tmp_path: Path) -> None:
    """What is large goes from the file to the socket, the rest through here, in their order, and others get turns."""
    parts = [b"<", ByteRange(5, 9), b"|", ByteRange(0, len(BIG) - 1), b"|", ByteRange(7, 7 + LARGE), b">"]
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG * 3), parts, disk)
    assert not exchange.stream.ended
    disk.turns()
    assert exchange.stream.body == b"<" + BIG[5:10] + b"|" + BIG + b"|" + BIG[7 : 8 + LARGE] + b">"
    assert exchange.stream.straight == len(BIG) - CHUNK, "the first piece leaves with the octets before it"
    assert exchange.stream.ended
    assert exchange.request.bytes_out == len(exchange.stream.body)
    assert not disk.calls


@pytest.mark.usefixtures("straight")
def test_straight_at_the_clients_pace(tmp_path: Path) -> None:
    """A client that takes little at a time gets every octet once."""
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG), [ByteRange(0, len(BIG) - 1)], disk)
    exchange.stream.room = 0
    while not exchange.stream.ended:
        disk.turns()
        exchange.stream.room = 50_000
        exchange.request.resume_writing()
    assert exchange.stream.body == BIG
    assert exchange.stream.straight > len(BIG) - LARGE
    assert exchange.finished == 1


@pytest.mark.usefixtures("straight")
def test_straight_from_a_file_that_shrinks(tmp_path: Path) -> None:
    """A file truncated while it is sent cuts the answer."""
    path = write(tmp_path / "big", BIG)
    disk = FakeDisk()
    exchange = Exchange(path, whole(path), disk)
    os.truncate(path, 100)
    disk.turns()
    assert isinstance(exchange.stream.error, ResponseIncomplete)
    assert isinstance(exchange.request.error, FileIncomplete)
    assert BIG.startswith(exchange.stream.body)
    assert exchange.finished == 1


@pytest.mark.usefixtures("straight")
def test_what_is_not_in_memory_is_read_by_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reactor waits for no disk: a part that is not there goes through a thread, what follows straight again."""
    missing = {STEP}
    monkeypatch.setattr(static_body, "is_cached", lambda _file, _size, offset: offset not in missing)
    monkeypatch.setattr(static_body, "read_cached", lambda *_: None)
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG * 3), [ByteRange(0, 3 * STEP - 1)], disk)
    disk.turns()
    assert exchange.stream.body == (BIG * 3)[: 3 * STEP]
    assert disk.calls == 1
    assert exchange.stream.straight == 3 * STEP - CHUNK


@pytest.mark.usefixtures("straight")
def test_a_file_system_that_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel refuses to send a file so, it goes through here."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(RecordingStream, "send_from", refuse)
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG), [ByteRange(0, len(BIG) - 1)], disk)
    disk.turns()
    assert exchange.stream.body == BIG
    assert exchange.stream.ended


class StallingStream(RecordingStream):
    """A client that stops the response at each write and goes on at once."""

    def send_data(self, data: bytes, end: bool) -> None:
        super().send_data(data, end)
        self.handler.pause_writing()
        self.handler.resume_writing()


def test_a_pause_within_a_write(tmp_path: Path) -> None:
    """A transport that pauses and resumes within a write neither doubles nor loses octets."""
    disk = FakeDisk()
    with Folder(os.fsencode(tmp_path)) as folder:
        write(tmp_path / "big", BIG)
        file = folder.open_file([b"big"])
    assert file is not None
    stream = StallingStream()
    request = Request(stream, get(b"/"), FakeRuntime(), location())
    stream.handler = request
    FileBody(request, file, [ByteRange(0, len(BIG) - 1)], disk).start(ResponseHead.make(200, (), len(BIG)))
    disk.turns()
    assert stream.body == BIG


def test_a_file_that_shrinks(tmp_path: Path, uncached: bool) -> None:
    """A file truncated while it is sent cuts the answer; it is never padded."""
    path = write(tmp_path / "big", BIG)
    disk = FakeDisk(slow=uncached)
    exchange = Exchange(path, whole(path), disk)
    os.truncate(path, 100)
    disk.turns()
    while disk.waiting:
        disk.finish()
    assert not exchange.stream.ended
    assert isinstance(exchange.stream.error, ResponseIncomplete)
    assert isinstance(exchange.request.error, FileIncomplete)
    assert BIG.startswith(exchange.stream.body)
    assert exchange.finished == 1


def test_a_file_that_is_gone_before_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was sent yet, an error answers."""
    monkeypatch.setattr(static_body, "read_cached", os.pread)
    path = write(tmp_path / "big", BIG)
    parts = whole(path)
    exchange = Exchange(path, parts, FakeDisk(), before=lambda: os.truncate(path, 0))
    assert exchange.stream.status == FileUnavailable.status
    assert exchange.stream.ended


def test_a_client_that_leaves(tmp_path: Path, uncached: bool) -> None:
    """The file is closed when the client vanishes, at whatever stage."""
    path = write(tmp_path / "big", BIG)
    for turns in range(4):
        disk = FakeDisk(slow=uncached)
        exchange = Exchange(path, whole(path), disk)
        for _ in range(turns):
            disk.turn()
            if disk.waiting:
                disk.finish()
        if exchange.stream.ended:
            continue
        exchange.request.stream_lost(ClientDisconnected("gone"))
        if disk.waiting:
            assert exchange.file.descriptor >= 0, "closed under the thread that reads it"
            disk.finish()
        disk.turns()
        assert exchange.file.descriptor == -1
        assert exchange.finished == 1


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk error before the head is answered, one after it cuts the answer."""
    path = write(tmp_path / "big", BIG)

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(static_body, "read_cached", broken)
    early = Exchange(path, whole(path), FakeDisk())
    assert early.stream.status == FileUnavailable.status
    monkeypatch.setattr(static_body, "read_cached", lambda *_: None)
    monkeypatch.setattr(os, "pread", broken)
    late = Exchange(path, whole(path), FakeDisk())
    assert isinstance(late.stream.error, ResponseIncomplete)
    assert isinstance(late.request.error, FileIncomplete)
    disk = FakeDisk(slow=True)
    left = Exchange(path, whole(path), disk)
    left.request.stream_lost(ClientDisconnected("gone"))
    disk.finish()
    assert left.file.descriptor == -1


def test_request_content_is_ignored(tmp_path: Path) -> None:
    """Content of a GET goes nowhere."""
    disk = FakeDisk()
    exchange = Exchange(write(tmp_path / "big", BIG), [ByteRange(0, len(BIG) - 1)], disk)
    exchange.request.data_received(b"content", True)
    disk.turns()
    assert exchange.stream.body == BIG
