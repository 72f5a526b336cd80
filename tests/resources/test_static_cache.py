"""Limits of what is remembered of files, and which path is which."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProtocolError
from gateway.http.paths import decide_path
from gateway.resources.static_cache import ENTRIES, IDLE, IDLE_FILE, OVERHEAD, Entry, FileCache, Shelf, key_of
from gateway.units import ByteCount, Seconds
from gateway.web.request import Request
from tests.support.streams import FakeRuntime, RecordingStream, get, location

NOW = Seconds(1000)


class Heavy(Entry):
    """An entry of any weight, which tells when it is let go."""

    __slots__ = ("octets", "released")

    def __init__(self, octets: int = 0, *, opened: bool = False) -> None:
        super().__init__()
        self.octets = octets
        self.opened = opened
        self.released = 0

    def weigh(self) -> int:
        return self.octets

    def release(self) -> None:
        self.released += 1


def request(target: bytes) -> Request:
    """Make a request that arrived at `NOW`."""
    return Request(RecordingStream(), get(target), FakeRuntime(), location())


def keep(shelf: Shelf, *entries: tuple[bytes, Heavy], now: Seconds = NOW) -> None:
    for key, entry in entries:
        shelf.keep(key, entry, now)


def test_an_entry_is_believed_for_a_second() -> None:
    """Within a second it is found, after it no more, but it is still there to be compared."""
    shelf, entry = Shelf(FileCache()), Heavy()
    assert shelf.find(request(b"/a")) is None
    shelf.keep(b"/a", entry, Seconds(NOW - 0.9))
    assert shelf.find(request(b"/a")) is entry is shelf.fresh(b"/a", NOW)
    shelf.keep(b"/a", entry, Seconds(NOW - 1))
    assert shelf.find(request(b"/a")) is None is shelf.fresh(b"/a", NOW)
    assert shelf.at(b"/a") is entry
    assert not entry.released


@pytest.mark.parametrize(
    ("target", "key"),
    [
        (b"/a", b"/a"),
        (b"/a?x=1", b"/a"),
        (b"/a?", b"/a"),
        (b"/%61", b"/a"),
        (b"//a", b"/a"),
        (b"/x/../a", b"/a"),
        (b"/a?vsn=d", b"/a?vsn=d"),
        (b"/a?x&vsn=d&y", b"/a?vsn=d"),
        (b"/a?vsn=dd", b"/a"),
        (b"/a%3Fvsn=d", b""),
        (b"/%2561", b""),
        (b"/a%2Fb", b""),
        (b"/a\\b", b""),
        (b"/.well-known/x", b"/.well-known/x"),
    ],
)
def test_keys(target: bytes, key: bytes) -> None:
    """One path has one key, whatever its spelling; paths whose key could be another's target have none."""
    assert key_of(request(target)) == key


@given(st.text("ab/.%23F5C61?&=vsnd\\", max_size=12), st.text("ab/.%23F5C61?&=vsnd\\", max_size=12))
def test_two_targets_with_one_key_mean_the_same(one: str, other: str) -> None:
    """A target finds only what is kept for the same decoded path and the same lifetime."""
    targets = [b"/" + each.encode() for each in (one, other)]
    shelf, entry = Shelf(FileCache()), Heavy()
    try:
        meanings = [(decide_path(target), b"vsn=d" in target.partition(b"?")[2].split(b"&")) for target in targets]
    except ProtocolError:
        return
    key = key_of(request(targets[0]))
    shelf.keep(key, entry, NOW)
    found = shelf.find(request(targets[1]))
    assert found in (None, entry)
    if found is entry:
        assert meanings[0] == meanings[1]
        assert meanings[0][0].decoded == meanings[0][0].literal


def test_nothing_is_kept_under_no_key() -> None:
    """What has no key is let go of at once."""
    cache, entry = FileCache(), Heavy()
    Shelf(cache).keep(b"", entry, NOW)
    assert (len(cache), entry.released) == (0, 1)


def test_an_entry_in_place_of_another() -> None:
    """A path has one entry; the one before is let go of, once."""
    cache = FileCache()
    shelf, first, second = Shelf(cache), Heavy(10), Heavy(20)
    keep(shelf, (b"/a", first), (b"/a", second), (b"/a", second))
    assert (first.released, second.released, len(cache), cache.octets) == (1, 0, 1, 20)
    second.octets = 30
    shelf.keep(b"/a", second, NOW)
    assert cache.octets == 30
    shelf.drop(b"/a")
    shelf.drop(b"/a")
    assert (second.released, len(cache), cache.octets) == (1, 0, 0)


def test_what_is_too_much_goes_the_oldest_first() -> None:
    """Octets are bounded over all shelves; what was asked for since stays longer."""
    cache = FileCache(octets=ByteCount(100))
    one, other = Shelf(cache), Shelf(cache)
    first, second, third, fourth = (Heavy(40) for _ in range(4))
    keep(one, (b"/1", first))
    keep(other, (b"/2", second))
    assert one.find(request(b"/1")) is first
    keep(other, (b"/3", third))
    assert (first.released, second.released) == (0, 1)
    keep(other, (b"/4", fourth))
    assert (first.released, third.released, fourth.released) == (0, 1, 0)
    assert (cache.octets, len(cache)) == (80, 2)
    keep(one, (b"/5", Heavy(101)))
    assert (cache.octets, len(cache)) == (0, 0)


def test_a_cache_of_no_size_keeps_nothing() -> None:
    """With 0 octets all goes at once."""
    cache, entry = FileCache(octets=ByteCount(0)), Heavy(1)
    keep(Shelf(cache), (b"/a", entry))
    assert (entry.released, len(cache)) == (1, 0)


def test_entries_and_files_are_bounded() -> None:
    """So are the entries, and those that hold an open file."""
    cache = FileCache(entries=5, files=2)
    shelf = Shelf(cache)
    small = [Heavy() for _ in range(3)]
    keep(shelf, *((b"/%d" % number, entry) for number, entry in enumerate(small)))
    opened = [Heavy(opened=True) for _ in range(3)]
    keep(shelf, *((b"/o%d" % number, entry) for number, entry in enumerate(opened)))
    assert ([entry.released for entry in (*small, *opened)], cache.files) == ([0, 0, 0, 1, 0, 0], 2)
    keep(shelf, (b"/x", Heavy()))
    assert ([entry.released for entry in small], len(cache), cache.files) == ([1, 0, 0], 5, 2)
    late = small[1]
    late.opened = True
    shelf.keep(b"/1", late, NOW)
    assert (cache.files, opened[1].released) == (2, 1)


def test_a_scan_takes_little_from_what_is_in_use() -> None:
    """Thousands of paths asked for once do not drive out what is asked for in between."""
    cache = FileCache()
    shelf, hot = Shelf(cache), [Heavy(10) for _ in range(50)]
    keep(shelf, *((b"/hot%d" % number, entry) for number, entry in enumerate(hot)))
    for number in range(3 * ENTRIES):
        keep(shelf, (b"/%d" % number, Heavy(10)))
        shelf.find(request(b"/hot%d" % (number % 50)))
    assert not any(entry.released for entry in hot)
    assert len(cache) == ENTRIES


def test_what_nobody_asks_for_is_let_go() -> None:
    """Open files after seconds, all else after a minute."""
    cache = FileCache()
    shelf, small, opened = Shelf(cache), Heavy(), Heavy(opened=True)
    keep(shelf, (b"/small", small), (b"/opened", opened))
    for idle, released in ((IDLE_FILE, (0, 0)), (IDLE_FILE + 1, (0, 1)), (IDLE, (0, 1)), (IDLE + 1, (1, 1))):
        cache.sweep(Seconds(NOW + idle))
        assert (small.released, opened.released) == released


def test_a_shelf_that_is_gone() -> None:
    """Its entries are freed by the next sweep; those of others stay. Nothing waits for the garbage collector."""
    cache = FileCache()
    gone, stays = Shelf(cache), Shelf(cache)
    entries = [Heavy(1) for _ in range(3)]
    keep(gone, (b"/1", entries[0]), (b"/2", entries[1]))
    keep(stays, (b"/1", entries[2]))
    gc.disable()
    try:
        del gone
        cache.sweep(NOW)
        assert [entry.released for entry in entries] == [1, 1, 0]
    finally:
        gc.enable()
    stays.clear()
    assert (entries[2].released, len(cache), cache.octets) == (1, 0, 0)


def test_the_weight_of_an_entry() -> None:
    """Long paths weigh more."""
    entry = Entry()
    entry.key = b"/" * 100
    assert entry.weigh() == OVERHEAD + 100
    entry.release()
