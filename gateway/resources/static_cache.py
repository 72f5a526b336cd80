"""What is remembered of files between requests: bounded, and believed for a second only.

A leaf keeps its entries on a `Shelf`; all shelves of the process share one `FileCache`, which counts what they hold and
lets go of what is not asked for. An entry older than a second must be compared with the disk before it is used again.

What is let go when there is too much is found as the hand of a clock goes round: the oldest entry, unless it was asked
for since the hand last came by. That costs a hit one assignment, and who asks for many files once takes little away
from those that are asked for all the time.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from gateway.units import ByteCount, Seconds

if TYPE_CHECKING:
    from gateway.web.request import Request

FRESH: Final = Seconds(1)
"""How long an entry is believed without a look at the disk."""
OCTETS: Final = ByteCount(32 * 1024 * 1024)
"""What all entries together may weigh."""
OVERHEAD: Final = ByteCount(500)
"""What an entry weighs by itself."""
ENTRIES: Final = 4096
FILES: Final = 128
"""Files kept open: a small part of what connections leave of the process's limit."""
IDLE_FILE: Final = Seconds(5)
"""How long a file stays open that nobody asks for; a deleted one takes room on the disk until then."""
IDLE: Final = Seconds(60)
"""How long anything else is kept that nobody asks for."""


class Entry:
    """What is remembered of one path.

    Attributes:
        until: When it must be compared with the disk, in monotonic seconds; not far from when it was last asked for.
        used: Whether it was asked for since the hand last came by.
        opened: Whether it holds an open file.
        weight: Octets it counts for.
        key: Its place on the shelf.
        shelf: Where it is kept; None where it is not.
    """

    __slots__ = ("key", "opened", "shelf", "until", "used", "weight")

    def __init__(self) -> None:
        self.until = 0.0
        self.used = self.opened = False
        self.weight = 0
        self.key = b""
        self.shelf: dict[bytes, Entry] | None = None

    def weigh(self) -> int:
        """Tell how many octets it holds, about."""
        return OVERHEAD + len(self.key)

    def release(self) -> None:
        """Let go of what it holds; it is not used any more."""


class Shelf:
    """The entries of one leaf, by path.

    A key is a decoded path without `%` and `?`, perhaps with `?vsn=d`: a target that is equal to it means the same.
    Other targets find it by way of their path. Keys that begin with NUL are no path's.

    Args:
        cache: What limits all shelves.
    """

    __slots__ = ("_cache", "_entries")

    def __init__(self, cache: FileCache) -> None:
        self._cache = cache
        self._entries: dict[bytes, Entry] = {}

    def __del__(self) -> None:
        # Maybe in another thread, and in the middle of anything: the next sweep does the rest.
        if self._entries:
            self._cache.orphans.append(self._entries)

    def find(self, request: Request) -> Entry | None:
        """Find what a request asks for, if that can be believed."""
        target = request.head.target
        entry = self._entries.get(target)
        if entry is None:
            if target.translate(None, _UNUSUAL) == target:
                return None
            entry = self._entries.get(key_of(request))
            if entry is None:
                return None
        if request.received >= entry.until:
            return None
        entry.used = True
        return entry

    def fresh(self, key: bytes, now: Seconds) -> Entry | None:
        """Find what has a key, if it can be believed."""
        entry = self._entries.get(key)
        if entry is None or now >= entry.until:
            return None
        entry.used = True
        return entry

    def at(self, key: bytes) -> Entry | None:
        """Find what is known, however old; nothing has the empty key."""
        return self._entries.get(key)

    def keep(self, key: bytes, entry: Entry, now: Seconds) -> None:
        """Believe an entry for a while from now on, in place of what was there; the empty key keeps nothing.

        It may be let go at once, so that whoever wants something of it takes that before.
        """
        entry.until = now + self._cache.fresh
        if self._entries.get(key) is entry:
            self._cache.weigh(entry)
            return
        self.drop(key)
        if key:
            self._cache.add(self._entries, key, entry)
        else:
            entry.release()

    def drop(self, key: bytes) -> None:
        """Forget what is known of a path."""
        entry = self._entries.get(key)
        if entry is not None:
            self._cache.forget(entry)

    def clear(self) -> None:
        """Forget everything."""
        self._cache.forget_all(self._entries)


class FileCache:
    """Limits what is remembered of files in the whole process.

    Args:
        octets: What all entries may weigh; 0 remembers nothing.
        entries: How many there may be.
        files: How many may hold an open file.
        fresh: How long an entry is believed.

    Attributes:
        octets: What all entries weigh now.
        fresh: How long an entry is believed.
        orphans: Entries of shelves that are gone.
    """

    __slots__ = ("_entries", "_files", "_limit", "_most", "_most_files", "fresh", "octets", "orphans")

    def __init__(
        self, octets: ByteCount = OCTETS, entries: int = ENTRIES, files: int = FILES, fresh: Seconds = FRESH
    ) -> None:
        self._limit = octets
        self._most = entries
        self._most_files = files
        self._entries: OrderedDict[Entry, None] = OrderedDict()  # the hand is at the first
        self._files: OrderedDict[Entry, None] = OrderedDict()
        self.fresh = fresh
        self.octets = 0
        self.orphans: list[dict[bytes, Entry]] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def files(self) -> int:
        """How many entries hold an open file."""
        return len(self._files)

    def add(self, shelf: dict[bytes, Entry], key: bytes, entry: Entry) -> None:
        """Keep an entry, at the cost of others."""
        entry.key = key
        entry.shelf = shelf
        shelf[key] = entry
        self._entries[entry] = None
        entry.weight = 0
        self.weigh(entry)

    def weigh(self, entry: Entry) -> None:
        """Count anew what an entry holds."""
        weight = entry.weigh()
        self.octets += weight - entry.weight
        entry.weight = weight
        if entry.opened and entry not in self._files:
            self._files[entry] = None
        self._make_room()

    def forget(self, entry: Entry) -> None:
        """Let an entry go."""
        shelf = entry.shelf
        if shelf is None:
            return
        entry.shelf = None
        del shelf[entry.key]
        del self._entries[entry]
        self._files.pop(entry, None)
        self.octets -= entry.weight
        entry.release()

    def forget_all(self, shelf: dict[bytes, Entry]) -> None:
        """Let all entries of a shelf go."""
        for entry in list(shelf.values()):
            self.forget(entry)

    def sweep(self, now: Seconds) -> None:
        """Let go of what nobody asks for any more."""
        while self.orphans:
            self.forget_all(self.orphans.pop())
        for entry in [entry for entry in self._entries if entry.until + (IDLE_FILE if entry.opened else IDLE) <= now]:
            self.forget(entry)

    def _make_room(self) -> None:
        while len(self._files) > self._most_files:
            self.forget(self._oldest(self._files))
        while self.octets > self._limit or len(self._entries) > self._most:
            self.forget(self._oldest(self._entries))

    @staticmethod
    def _oldest(entries: OrderedDict[Entry, None]) -> Entry:
        """Find the first entry that was not asked for since the hand last came by."""
        while True:
            entry = next(iter(entries))
            if not entry.used:
                return entry
            entry.used = False
            entries.move_to_end(entry)


def key_of(request: Request) -> bytes:
    """Find the key of a request's path; empty where it has none."""
    path = request.path
    decoded = path.decoded
    if path.literal != decoded or b"?" in decoded or b"%" in decoded:
        return b""
    query = request.head.target.partition(b"?")[2]
    return decoded + b"?vsn=d" if query and b"vsn=d" in query.split(b"&") else decoded


_UNUSUAL: Final = b"?%\\"
