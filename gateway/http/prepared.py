"""Responses made beforehand, for what is asked for again and again.

A leaf makes a `PreparedAnswer` once; the location makes a `FinishedAnswer` of it, which has its fields too; the front
end keeps what it writes of that. Sending it anew costs a look at who finished it, and one write.
"""

from __future__ import annotations

from gateway.http import fields as field_lines
from gateway.http.message import ResponseHead
from gateway.units import ByteCount


class PreparedAnswer:
    """A whole response as a leaf makes it.

    Args:
        status: Its status.
        fields: Its fields.
        content_length: Octets of content that GET gets; None for a status without content.
        data: The content, or nothing where the leaf sends it by other ways.

    Attributes:
        data: The content.
        plain: What a location made of it for plain HTTP; None before.
        secure: The same for HTTPS.
    """

    __slots__ = ("_content_length", "_fields", "_status", "data", "plain", "secure")

    def __init__(
        self,
        status: int,
        fields: tuple[field_lines.Field, ...],
        content_length: ByteCount | None = None,
        data: bytes = b"",
    ) -> None:
        self._status = status
        self._fields = fields
        self._content_length = content_length
        self.data = data
        self.plain: FinishedAnswer | None = None
        self.secure: FinishedAnswer | None = None

    def head(self) -> ResponseHead:
        """Make a head of its own for one exchange, whose filters may edit it."""
        return ResponseHead.make(self._status, self._fields, self._content_length)


class FinishedAnswer:
    """A prepared response with all that its location adds; only date and request id are missing.

    Args:
        head: Its head; nobody changes it any more.
        lines: Field lines behind the head's own.
        data: Its content.
        place: Stands for who finished it.
        added: With which fields.

    Attributes:
        start: What HTTP/1.1 writes up to the fields of the one exchange; kept by that front end, empty before.
        framing: What it writes between them and the content.
    """

    __slots__ = ("added", "data", "framing", "head", "lines", "place", "start", "status")

    def __init__(self, head: ResponseHead, lines: bytes, data: bytes, place: object, added: object) -> None:
        self.head = head
        self.status = head.status
        self.lines = lines
        self.data = data
        self.place = place
        self.added = added
        self.start = b""
        self.framing = b""
