"""Heads of messages as views on checked bytes.

Owns what a request or response head means, in every HTTP version; parsing is `gateway.protocol`.
"""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

from gateway.http import fields as field_lines
from gateway.http.known import BITS, CONDITIONAL, FORWARDING


class Framing(Enum):
    """How the end of a message's content is found (RFC 9112 §6.3)."""

    NONE = "no content"
    LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "until close"


class RequestHead:
    """A request's head: method, target and fields, without content.

    Attributes:
        method: The method token, case kept.
        target: Path and query as they came (origin-form), or `*`.
        version: Minor version of HTTP/1 (0 or 1), or 20 and 30 for HTTP/2 and 3.
        host: The authority as it came, with its port; overrides Host where the target was in absolute-form.
        hostname: `host` in lower case without port and trailing dot; what sites are found by.
        raw: The checked octets from the request line to the last field line's CRLF.
        fields: End-to-end field lines for upstream: no Host, framing, hop-by-hop or forwarding field.
        known: Bit mask of the well-known fields present, from `gateway.http.known`.
        framing: NONE, LENGTH or CHUNKED.
        content_length: Octets of content; 0 unless `framing` is LENGTH.
        keep_alive: Whether the client allows another request on this connection.
        upgrade: The protocol asked for by Upgrade, in lower case; empty without the connection option.
        expects_continue: Whether the client waits for 100 (Continue).
        size: Octets the head took on the wire, blank line included.
    """

    __slots__ = (
        "content_length",
        "expects_continue",
        "fields",
        "framing",
        "host",
        "hostname",
        "keep_alive",
        "known",
        "method",
        "raw",
        "size",
        "target",
        "upgrade",
        "version",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        version: int,
        host: bytes,
        hostname: bytes,
        raw: bytes,
        fields: bytes,
        known: int,
        framing: Framing,
        content_length: int,
        keep_alive: bool,
        upgrade: bytes,
        expects_continue: bool,
        size: int,
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.host = host
        self.hostname = hostname
        self.raw = raw
        self.fields = fields
        self.known = known
        self.framing = framing
        self.content_length = content_length
        self.keep_alive = keep_alive
        self.upgrade = upgrade
        self.expects_continue = expects_continue
        self.size = size

    @property
    def takes_trailers(self) -> bool:
        """Whether TE says that trailers are welcome (RFC 9110 §10.1.4)."""
        return any(member.lower() == b"trailers" for member in self.get_list(b"te"))

    def get(self, name: bytes) -> bytes | None:
        """Find the first value of a field by its lower-case name; None where it is absent."""
        values = self.get_all(name)
        return values[0] if values else None

    def get_all(self, name: bytes) -> list[bytes]:
        """Find all values of a field by its lower-case name, in order."""
        bit = BITS.get(name)
        if bit is not None and not self.known & bit:
            return []
        return field_lines.get_all(self.raw.partition(b"\r\n")[2], name)

    def get_list(self, name: bytes) -> list[bytes]:
        """Find all members of a comma-separated field by its lower-case name."""
        return [member for value in self.get_all(name) for member in field_lines.split_list(value)]


class ResponseHead:
    """A response's head: status and fields, without content.

    Attributes:
        status: 100 to 599.
        reason: The reason phrase as it came; may be empty.
        fields: End-to-end field lines; framing and hop-by-hop fields are written below the core.
        known: Bit mask of the well-known fields present, from `gateway.http.known`.
        framing: How the content ends; NONE also for answers to HEAD, 1xx, 204 and 304.
        content_length: The Content-Length announced; None where none was.
        keep_alive: Whether the connection it came on may carry another exchange.
        upgrade: The protocol of a 101, in lower case; empty without the connection option.
        size: Octets the head took on the wire; 0 for one made here.
    """

    __slots__ = (
        "content_length",
        "fields",
        "framing",
        "keep_alive",
        "known",
        "reason",
        "size",
        "status",
        "upgrade",
    )

    def __init__(
        self,
        status: int,
        reason: bytes,
        fields: bytes,
        known: int,
        framing: Framing,
        content_length: int | None,
        keep_alive: bool,
        upgrade: bytes,
        size: int,
    ) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.known = known
        self.framing = framing
        self.content_length = content_length
        self.keep_alive = keep_alive
        self.upgrade = upgrade
        self.size = size

    @classmethod
    def make(
        cls,
        status: int,
        fields: tuple[field_lines.Field, ...] = (),
        content_length: int | None = None,
    ) -> ResponseHead:
        """Make a head of our own; `content_length` None means that the length is not known beforehand."""
        known = 0
        for name, _ in fields:
            known |= BITS.get(name.lower(), 0)
        if status < 200 or status in (204, 304):
            framing = Framing.NONE
        else:
            framing = Framing.CHUNKED if content_length is None else Framing.LENGTH
        block = field_lines.make_block(fields)
        phrase = reason_phrase(status)
        return cls(status, phrase, block, known, framing, content_length, True, b"", 0)

    def get(self, name: bytes) -> bytes | None:
        """Find the first value of a field by its lower-case name; None where it is absent."""
        bit = BITS.get(name)
        if bit is not None and not self.known & bit:
            return None
        return field_lines.get(self.fields, name)

    def get_all(self, name: bytes) -> list[bytes]:
        """Find all values of a field by its lower-case name, in order."""
        return field_lines.get_all(self.fields, name)

    def remove(self, names: frozenset[bytes]) -> None:
        """Drop the fields with these lower-case names.

        A bit that several names share stays set: it says that one of them may be there.
        """
        self.fields = field_lines.without(self.fields, names)
        for name in names:
            bit = BITS.get(name, 0)
            if bit & _SHARED == 0:
                self.known &= ~bit

    def add(self, name: bytes, value: bytes) -> None:
        """Append a field line.

        Raises:
            ValueError: `name` is not a token or `value` holds CR, LF or NUL.
        """
        self.fields += field_lines.make_line(name, value)
        self.known |= BITS.get(name.lower(), 0)

    def set(self, name: bytes, value: bytes) -> None:
        """Replace a field, or append it where it is absent.

        Raises:
            ValueError: `name` is not a token or `value` holds CR, LF or NUL.
        """
        self.remove(frozenset((name.lower(),)))
        self.add(name, value)


def reason_phrase(status: int) -> bytes:
    """Look up the registered reason phrase of a status; empty for an unknown one (RFC 9110 §15)."""
    return _PHRASES.get(status, b"")


_SHARED = CONDITIONAL | FORWARDING
_PHRASES = {int(status): status.phrase.encode("ascii") for status in HTTPStatus} | {
    # Python before 3.13 has those of older RFCs.
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}
