"""Answers from open files, and what is remembered of them for the next request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import FileUnavailable, GatewayError
from gateway.http.location import split_target
from gateway.http.message import ResponseHead
from gateway.http.prepared import PreparedAnswer
from gateway.http.ranges import ByteRange
from gateway.http.stream import Discard
from gateway.net.disk import Disk
from gateway.resources.static_body import FileBody
from gateway.resources.static_cache import Entry, FileCache, Shelf
from gateway.resources.static_entries import FileEntry, MovedEntry, PageEntry
from gateway.resources.static_folder import OpenFile
from gateway.resources.static_found import Found, choose_coding, is_settled
from gateway.resources.static_listing import Listing
from gateway.resources.static_ready import Ready, Representation, read_small
from gateway.resources.static_tags import ContentTags, digest, is_dated
from gateway.units import Seconds
from gateway.web.moved import Moved
from gateway.web.request import Request

log = Logger()


class FileAnswers:
    """Answers requests from open files.

    Args:
        disk: Who waits for the disk.
        wall_clock: Seconds since 1970.
        cache: What limits the memory of all sites together.
    """

    __slots__ = ("_cache", "_disk", "_tags", "_wall_clock")

    def __init__(self, disk: Disk, wall_clock: Callable[[], Seconds], cache: FileCache) -> None:
        self._disk = disk
        self._wall_clock = wall_clock
        self._cache = cache
        self._tags = ContentTags()

    def shelf(self) -> Shelf:
        """Make the memory of one leaf."""
        return Shelf(self._cache)

    def answer_from(self, entry: Entry, request: Request) -> bool:
        """Answer with what is remembered; False where that does not tell the answer."""
        if type(entry) is FileEntry:
            ready = entry.choose(request.head)
            if ready is None:
                return False
            ready.answer(request, self._disk)
        elif type(entry) is PageEntry:
            request.answer_prepared(entry.answer)
        elif type(entry) is MovedEntry:
            Moved(entry.path + split_target(request.head.target)[1]).render(request)
        else:
            return False
        return True

    def send(self, request: Request, found: Found, shelf: Shelf, key: bytes) -> None:
        """Answer GET or HEAD with a file, or an encoded copy of it, and remember it under a key, which may be empty.

        Args:
            request: The exchange.
            found: The file; closed in any case.
            shelf: The leaf's memory.
            key: Of the request there.

        Raises:
            HTTPError: 412 or 416.
            OSError: The file cannot be read.
        """
        coding = choose_coding(request.head, found.codings)
        entry = shelf.at(key)
        if type(entry) is not FileEntry or not entry.is_of(found):
            entry = FileEntry(found)
        ready = entry.ready.get(coding)
        try:
            settled = ready is not None or found.is_settled(self._wall_clock())
            if ready is None:
                chosen = found.take(request.head, coding)
                etag = self._tags.find(chosen.file, coding)
                if etag is None:
                    _Digesting(self, request, chosen).start(self._disk, self._tags)
                    return
                ready = self._ready(chosen, etag)
        finally:
            found.close()
        if not settled:
            shelf.drop(key)
            self._answer_once(request, ready)
            return
        entry.ready[coding] = ready
        try:
            ready.answer(request, self._disk)
        finally:
            shelf.keep(key, entry, request.received)

    def send_once(self, request: Request, chosen: Representation) -> None:
        """Answer GET or HEAD with a representation and remember nothing; its file is closed in any case.

        Raises:
            HTTPError: 412 or 416.
            OSError: The file cannot be read.
        """
        etag = self._tags.find(chosen.file, chosen.coding)
        if etag is None:
            _Digesting(self, request, chosen).start(self._disk, self._tags)
        else:
            self._answer_once(request, self._ready(chosen, etag))

    def send_listing(self, request: Request, descriptor: int) -> None:
        """Answer with the list of a folder, given open; it is closed in any case."""
        Listing(request, descriptor).start(self._disk)

    def send_page(self, request: Request, file: OpenFile, status: int, shelf: Shelf, key: bytes) -> None:
        """Answer with an HTML file and a status that is not 2xx: neither preconditions nor ranges apply.

        Raises:
            OSError: The file cannot be read.
        """
        entry = shelf.at(key)
        if type(entry) is not PageEntry or entry.identity != file.identity:
            try:
                data = read_small(file)
            except BaseException:
                file.close()
                raise
            fields = [(b"Content-Type", b"text/html; charset=utf-8"), (b"Cache-Control", b"no-store")]
            fields.append((b"Vary", b"Accept, Sec-Fetch-Dest"))
            answer = PreparedAnswer(status, tuple(fields), file.size, data or b"")
            if data is None or not is_settled(file, self._wall_clock()):
                self._send_body(request, file, answer.head())
                return
            entry = PageEntry(file.identity, answer)
        file.close()
        request.answer_prepared(entry.answer)
        shelf.keep(key, entry, request.received)

    def _ready(self, chosen: Representation, etag: bytes) -> Ready:
        file = chosen.file
        modified = file.mtime_ns // 1_000_000_000
        # Last-Modified is never a time to come (RFC 9110 §8.8.2.1).
        told = is_dated(file) and modified <= self._wall_clock()
        try:
            return Ready(chosen, etag, modified if told else None)
        except BaseException:
            file.close()
            raise

    def _answer_once(self, request: Request, ready: Ready) -> None:
        try:
            ready.answer(request, self._disk)
        finally:
            ready.close()

    def _send_body(self, request: Request, file: OpenFile, head: ResponseHead) -> None:
        if request.head.method == b"HEAD" or not file.size:
            file.close()
            request.answer(head)
        else:
            FileBody(request, file, [ByteRange(0, file.size - 1)], self._disk).start(head)


class _Digesting(Discard):
    """Waits for the digest of a file whose time says nothing; afterwards its answer is like any other."""

    __slots__ = ("_answers", "_chosen", "_gone", "_request")

    def __init__(self, answers: FileAnswers, request: Request, chosen: Representation) -> None:
        self._answers = answers
        self._request = request
        self._chosen = chosen
        self._gone = False

    def start(self, disk: Disk, tags: ContentTags) -> None:
        """Let a thread read the file."""
        self._request.upstream = self
        disk.call(partial(self._digest, tags)).addCallback(self._digested, tags).addErrback(self._failed)

    def reset(self, error: GatewayError) -> None:
        """Give up; the file is closed once the thread has let go of it."""
        self._gone = True

    def _digest(self, tags: ContentTags) -> bytes:
        """Read the file, unless another request did so in the meantime (in a thread)."""
        file = self._chosen.file
        return tags.known(file.identity) or digest(file.descriptor, lambda: not self._gone)

    def _digested(self, made: bytes, tags: ContentTags) -> None:
        chosen = self._chosen
        if self._gone:
            chosen.file.close()
            return
        tags.keep(chosen.file.identity, made)
        self._answers.send_once(self._request, chosen)

    def _failed(self, failure: Failure) -> None:
        self._chosen.file.close()
        error = failure.value
        if isinstance(error, OSError):
            error = FileUnavailable(f"a file cannot be read: {error}")
        elif not isinstance(error, GatewayError):
            log.failure("a file could not be answered", failure)
            error = GatewayError("a file could not be answered")
        self._request.fail(error)
