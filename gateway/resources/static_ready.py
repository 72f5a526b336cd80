"""A representation of a file, ready to be sent: all that answers say of it, made once.

The same whether it is remembered or made for one request only, so that no answer depends on that.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import HTTPError
from gateway.http.conditional import Outcome, Validators, evaluate, is_range_valid
from gateway.http.dates import http_date
from gateway.http.fields import Field
from gateway.http.known import CONDITIONAL, RANGE
from gateway.http.message import RequestHead, ResponseHead
from gateway.http.mime import UNKNOWN
from gateway.http.prepared import PreparedAnswer
from gateway.http.ranges import ByteRange, parse_ranges
from gateway.net.disk import Disk, read_cached
from gateway.resources.static_body import FileBody
from gateway.resources.static_folder import OpenFile
from gateway.units import ByteCount, Seconds
from gateway.web.request import Request

BODY: Final = ByteCount(128 * 1024)
"""Octets of the largest file that is read whole; of larger ones the open file is kept."""


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


class Ready:
    """A representation in one state, with the answers made of it.

    Args:
        chosen: The representation; its file belongs to this object from here on.
        etag: Its strong entity tag.
        modified: When it was last changed, in whole seconds since 1970; None where that is not told.

    Attributes:
        body: Its content; None where that stays in the file.
        file: The file, closed where the content is in memory.
    """

    __slots__ = ("_coding", "_content_type", "_fields", "_size", "_unchanged", "_validators", "_whole", "body", "file")

    def __init__(self, chosen: Representation, etag: bytes, modified: int | None) -> None:
        file = self.file = chosen.file
        self._validators = Validators(etag, modified)
        self._size = file.size
        self._coding = chosen.coding
        self._content_type = chosen.content_type
        fields = [(b"ETag", etag), (b"Cache-Control", chosen.cache_control)]
        if chosen.vary:
            fields.append((b"Vary", chosen.vary))
        fields += chosen.more  # also with 304: a cache would take a site's own policy in place of a file's
        self._unchanged = PreparedAnswer(304, tuple(fields))
        if modified is not None:
            fields.append((b"Last-Modified", http_date(Seconds(modified))))
        fields.append((b"Content-Encoding", chosen.coding) if chosen.coding else (b"Accept-Ranges", b"bytes"))
        if chosen.content_type == UNKNOWN and not any(name == b"X-Content-Type-Options" for name, _ in fields):
            fields.append((b"X-Content-Type-Options", b"nosniff"))
        self._fields = tuple(fields)
        self.body = read_small(file)
        if self.body is not None:
            file.close()
        self._whole = PreparedAnswer(
            200, (*fields, (b"Content-Type", chosen.content_type)), file.size, self.body or b""
        )

    def weigh(self) -> int:
        """Tell how many octets it holds, about."""
        return _WEIGHT + len(self.body or b"")

    def is_current(self) -> bool:
        """Tell whether what it says of an open file is still true."""
        return self.body is not None or self.file.is_current()

    def answer(self, request: Request, disk: Disk) -> None:
        """Answer GET or HEAD with 200, 206, 304, 412 or 416.

        Raises:
            HTTPError: 412 or 416.
        """
        head = request.head
        if head.known & _ASKS:
            outcome = evaluate(head, self._validators)
            if outcome is _FAILED:
                raise HTTPError(412, "precondition_failed")
            if outcome is _NOT_MODIFIED:
                request.answer_prepared(self._unchanged)
                return
            ranges = self._ranges(head)
            if ranges is not None:
                self._send_parts(request, ranges, disk)
                return
        if self.body is None and head.method != b"HEAD":
            self._send(request, self._whole.head(), [ByteRange(0, self._size - 1)], disk)
        else:
            request.answer_prepared(self._whole)

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def _ranges(self, head: RequestHead) -> list[ByteRange] | None:
        """Find the parts that are asked for; None for the whole.

        Raises:
            HTTPError: 416.
        """
        if not head.known & RANGE or head.method != b"GET" or self._coding:
            return None
        if not is_range_valid(head, self._validators):
            return None
        ranges = parse_ranges(head.get_all(b"range"), self._size)
        if ranges is not None and not ranges:
            raise HTTPError(416, "range_not_satisfiable", ((b"Content-Range", b"bytes */%d" % self._size),))
        return ranges

    def _send_parts(self, request: Request, ranges: Sequence[ByteRange], disk: Disk) -> None:
        """Answer 206 with one part, or with several as multipart/byteranges (RFC 9110 §14.6)."""
        if len(ranges) == 1:
            only = ranges[0]
            content_range = (b"Content-Range", only.content_range(self._size))
            fields = (*self._fields, (b"Content-Type", self._content_type), content_range)
            self._send(request, ResponseHead.make(206, fields, only.length), [only], disk)
            return
        boundary = secrets.token_hex(16).encode("ascii")
        parts: list[bytes | ByteRange] = []
        separator = b"--"
        for each in ranges:
            where = each.content_range(self._size)
            begin = (separator, boundary, self._content_type, where)
            parts.append(b"%b%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n" % begin)
            parts.append(each)
            separator = b"\r\n--"
        parts.append(b"\r\n--%b--\r\n" % boundary)
        fields = (*self._fields, (b"Content-Type", b"multipart/byteranges; boundary=%b" % boundary))
        length = ByteCount(sum(part.length if isinstance(part, ByteRange) else len(part) for part in parts))
        self._send(request, ResponseHead.make(206, fields, length), parts, disk)

    def _send(self, request: Request, head: ResponseHead, parts: Sequence[bytes | ByteRange], disk: Disk) -> None:
        body = self.body
        if body is None:
            FileBody(request, self.file.share(), parts, disk).start(head)
            return
        pieces = [body[part.first : part.last + 1] if isinstance(part, ByteRange) else part for part in parts]
        request.answer(head, b"".join(pieces))


def read_small(file: OpenFile) -> bytes | None:
    """Read a file whole; None where it is too large, must be waited for, or is changed meanwhile."""
    if file.size > BODY:
        return None
    data = read_cached(file.descriptor, file.size, 0) if file.size else b""
    return data if data is not None and len(data) == file.size and file.is_current() else None


# Looked up here once: an attribute of an Enum costs several times a global.
_NOT_MODIFIED, _FAILED = Outcome.NOT_MODIFIED, Outcome.FAILED
_ASKS: Final = CONDITIONAL | RANGE
_WEIGHT: Final = 4000
"""Octets that fields and prepared answers take, about."""
