"""The answer from an open file: validators, preconditions, ranges, fields."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import FileUnavailable, GatewayError, HTTPError
from gateway.http.caching import cache_control
from gateway.http.codings import EXTENSIONS, welcome_codings
from gateway.http.conditional import Outcome, Validators, evaluate, is_range_valid
from gateway.http.dates import http_date
from gateway.http.fields import Field
from gateway.http.known import RANGE
from gateway.http.message import ResponseHead
from gateway.http.mime import UNKNOWN, content_type, may_be_encoded
from gateway.http.ranges import ByteRange, parse_ranges
from gateway.http.stream import Discard
from gateway.net.disk import Disk
from gateway.resources.static_body import FileBody
from gateway.resources.static_folder import Folder, OpenFile
from gateway.resources.static_listing import Listing
from gateway.resources.static_tags import ContentTags, digest, is_dated
from gateway.units import ByteCount, Seconds
from gateway.web.request import Request

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """What is sent of a file.

    Attributes:
        file: The file, or an encoded copy of it.
        content_type: Media type of the decoded content.
        coding: Its content coding; empty for none.
        cache_control: How long it may be kept.
        vary: Fields of the request that it was chosen by; empty for none.
        more: Further fields.
    """

    file: OpenFile
    content_type: bytes
    coding: bytes = b""
    cache_control: bytes
    vary: bytes = b""
    more: tuple[Field, ...] = ()


class FileAnswers:
    """Answers requests from open files.

    Args:
        disk: Who waits for the disk.
        wall_clock: Seconds since 1970.
    """

    __slots__ = ("_disk", "_tags", "_wall_clock")

    def __init__(self, disk: Disk, wall_clock: Callable[[], Seconds]) -> None:
        self._disk = disk
        self._wall_clock = wall_clock
        self._tags = ContentTags()

    def send(self, request: Request, chosen: Representation) -> None:
        """Answer GET or HEAD with 200, 206, 304, 412 or 416; the file is closed in any case.

        Raises:
            HTTPError: 412 or 416.
        """
        etag = self._tags.find(chosen.file, chosen.coding)
        if etag is not None:
            self._respond(request, chosen, etag)
            return
        _Digesting(self, request, chosen).start(self._disk, self._tags)

    def send_listing(self, request: Request, descriptor: int) -> None:
        """Answer with the list of a folder, given open; it is closed in any case."""
        Listing(request, descriptor).start(self._disk)

    def send_page(self, request: Request, file: OpenFile, status: int) -> None:
        """Answer with an HTML file and a status that is not 2xx: neither preconditions nor ranges apply."""
        fields = [(b"Content-Type", b"text/html; charset=utf-8"), (b"Cache-Control", b"no-store")]
        fields.append((b"Vary", b"Accept, Sec-Fetch-Dest"))
        self._send_body(request, file, ResponseHead.make(status, tuple(fields), file.size), _whole(file.size))

    def _respond(self, request: Request, chosen: Representation, etag: bytes) -> None:
        file, head = chosen.file, request.head
        try:
            validators = Validators(etag, self._modified(file))
            fields = [(b"ETag", etag), (b"Cache-Control", chosen.cache_control)]
            if chosen.vary:
                fields.append((b"Vary", chosen.vary))
            outcome = evaluate(head, validators)
            if outcome is Outcome.FAILED:
                raise HTTPError(412, "precondition_failed")
            if outcome is Outcome.NOT_MODIFIED:
                file.close()
                request.answer(ResponseHead.make(304, tuple(fields)))
                return
            if validators.modified is not None:
                fields.append((b"Last-Modified", http_date(Seconds(validators.modified))))
            fields += chosen.more
            answer, parts = _parts(request, chosen, validators, fields)
        except BaseException:
            file.close()
            raise
        self._send_body(request, file, answer, parts)

    def _modified(self, file: OpenFile) -> int | None:
        """Find the time for Last-Modified, which is never one to come (RFC 9110 §8.8.2.1)."""
        modified = file.mtime_ns // 1_000_000_000
        return modified if is_dated(file) and modified <= self._wall_clock() else None

    def _send_body(
        self, request: Request, file: OpenFile, head: ResponseHead, parts: Sequence[bytes | ByteRange]
    ) -> None:
        if request.head.method == b"HEAD" or not parts:
            file.close()
            request.answer(head)
        else:
            FileBody(request, file, parts, self._disk).start(head)


def choose_coding(request: Request, folder: Folder, names: Sequence[bytes], file: OpenFile) -> tuple[OpenFile, bytes]:
    """Choose between a file and its encoded copies beside it (`app.css.br`).

    A copy that is older than the file is none. A range is one of the plain content, so that it fits whatever the client
    has from before.

    Args:
        request: The exchange.
        folder: Where the file is.
        names: Its names there.
        file: The file; closed where a copy is chosen.

    Returns:
        What to send, and its coding, which is empty for the file itself.
    """
    head = request.head
    if head.known & RANGE and head.method == b"GET":
        return file, b""
    for coding in welcome_codings(head):
        try:
            copy = folder.open_file([*names[:-1], names[-1] + EXTENSIONS[coding]])
        except PermissionError:
            continue
        if copy is None:
            continue
        if copy.mtime_ns >= file.mtime_ns:
            file.close()
            return copy, coding
        copy.close()
    return file, b""


def represent(
    request: Request,
    folder: Folder,
    names: Sequence[bytes],
    file: OpenFile,
    *,
    vary: bytes = b"",
    more: tuple[Field, ...] = (),
) -> Representation:
    """Decide what is sent of a file; see `choose_coding`.

    Args:
        request: The exchange.
        folder: Where the file is.
        names: Its names there; the last one says what it is.
        file: The file.
        vary: Fields of the request that made this file the answer; empty for none.
        more: Further fields of the answer.
    """
    media_type = content_type(names[-1])
    query = request.head.target.partition(b"?")[2]
    coding = b""
    if may_be_encoded(media_type):
        try:
            file, coding = choose_coding(request, folder, names, file)
        except BaseException:
            file.close()
            raise
        vary = b"Accept-Encoding, " + vary if vary else b"Accept-Encoding"
    return Representation(
        file=file,
        content_type=media_type,
        coding=coding,
        cache_control=cache_control(names[-1], media_type, query),
        vary=vary,
        more=more,
    )


def _parts(
    request: Request, chosen: Representation, validators: Validators, fields: list[Field]
) -> tuple[ResponseHead, list[bytes | ByteRange]]:
    """Make the head of a 200 or 206 and list what its content consists of.

    Raises:
        HTTPError: 416.
    """
    size = chosen.file.size
    if chosen.coding:
        fields.append((b"Content-Encoding", chosen.coding))
    else:
        fields.append((b"Accept-Ranges", b"bytes"))
    if chosen.content_type == UNKNOWN and not any(name == b"X-Content-Type-Options" for name, _ in fields):
        fields.append((b"X-Content-Type-Options", b"nosniff"))
    ranges = None
    head = request.head
    if head.known & RANGE and head.method == b"GET" and not chosen.coding and is_range_valid(head, validators):
        ranges = parse_ranges(head.get_all(b"range"), size)
    if ranges is None:
        fields.append((b"Content-Type", chosen.content_type))
        return ResponseHead.make(200, tuple(fields), size), _whole(size)
    if not ranges:
        raise HTTPError(416, "range_not_satisfiable", ((b"Content-Range", b"bytes */%d" % size),))
    if len(ranges) == 1:
        fields.append((b"Content-Type", chosen.content_type))
        fields.append((b"Content-Range", ranges[0].content_range(size)))
        return ResponseHead.make(206, tuple(fields), ranges[0].length), [ranges[0]]
    return _multipart(ranges, chosen, fields)


def _multipart(
    ranges: Sequence[ByteRange], chosen: Representation, fields: list[Field]
) -> tuple[ResponseHead, list[bytes | ByteRange]]:
    """Make the head and the parts of a multipart/byteranges answer (RFC 9110 §14.6)."""
    boundary = secrets.token_hex(16).encode("ascii")
    parts: list[bytes | ByteRange] = []
    separator = b"--"
    for each in ranges:
        where = each.content_range(chosen.file.size)
        part_type = chosen.content_type
        parts.append(b"%b%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n" % (separator, boundary, part_type, where))
        parts.append(each)
        separator = b"\r\n--"
    parts.append(b"\r\n--%b--\r\n" % boundary)
    fields.append((b"Content-Type", b"multipart/byteranges; boundary=%b" % boundary))
    length = ByteCount(sum(part.length if isinstance(part, ByteRange) else len(part) for part in parts))
    return ResponseHead.make(206, tuple(fields), length), parts


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
        self._answers.send(self._request, chosen)

    def _failed(self, failure: Failure) -> None:
        self._chosen.file.close()
        error = failure.value
        if isinstance(error, OSError):
            error = FileUnavailable(f"a file cannot be read: {error}")
        elif not isinstance(error, GatewayError):
            log.failure("a file could not be answered", failure)
            error = GatewayError("a file could not be answered")
        self._request.fail(error)


def _whole(size: ByteCount) -> list[bytes | ByteRange]:
    return [ByteRange(0, size - 1)] if size else []
