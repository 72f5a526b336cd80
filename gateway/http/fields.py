"""A block of field lines as bytes: look-up, editing, and list values (RFC 9110 §5).

A block is zero or more lines, each ending in CRLF, already checked by the parser. Nothing makes an object per
field until somebody asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

try:
    from gateway.http._removal import without as without
except ModuleNotFoundError:
    from gateway.http.removal import without as without

Field = tuple[bytes, bytes]


def pairs(block: bytes) -> Iterator[Field]:
    """Yield each field's name, as it came, and its value without surrounding white space."""
    for line in block.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            yield name, value.strip(b" \t")


def get_all(block: bytes, name: bytes) -> list[bytes]:
    """Find the values of all field lines called `name` (lower case), in order."""
    # With an octet in front the first line begins like the others; offsets in `block` are one less.
    lower = b"\n" + block.lower()
    mark = b"\n%b:" % name
    found = []
    at = lower.find(mark)
    while at >= 0:
        start = at + len(mark) - 1
        found.append(block[start : block.index(b"\r\n", start)].strip(b" \t"))
        at = lower.find(mark, start)
    return found


def get(block: bytes, name: bytes) -> bytes | None:
    """Find the first value of the field `name` (lower case); None where it is absent."""
    values = get_all(block, name)
    return values[0] if values else None


def make_block(fields: Iterable[Field]) -> bytes:
    """Write fields as a block.

    Raises:
        ValueError: A name is not a token or a value holds CR, LF or NUL (RFC 9110 §5.1, §5.5).
    """
    return b"".join(make_line(name, value) for name, value in fields)


def make_line(name: bytes, value: bytes) -> bytes:
    """Write one field line, ending in CRLF.

    Raises:
        ValueError: `name` is not a token or `value` holds CR, LF or NUL (RFC 9110 §5.1, §5.5).
    """
    if not is_token(name) or not _FORBIDDEN_IN_VALUE.isdisjoint(value):
        raise ValueError(f"not a field line: {name!r}: {value!r}")
    return b"%b: %b\r\n" % (name, value)


def is_token(text: bytes) -> bool:
    """Tell whether `text` is a token (RFC 9110 §5.6.2)."""
    return bool(text) and not text.translate(None, TOKEN_OCTETS)


def split_list(value: bytes) -> list[bytes]:
    """Split a comma-separated list that holds no quoted strings, dropping empty members (RFC 9110 §5.6.1)."""
    return [member for part in value.split(b",") if (member := part.strip(b" \t"))]


def quality_values(value: bytes) -> list[tuple[bytes, float]]:
    """Read a weighted list such as Accept: each member in lower case and its weight from 0 to 1.

    A malformed weight counts as 0, so that the member is never chosen. Source: RFC 9110 §12.4.2.
    """
    found = []
    for member in split_list(value.lower()):
        name, *parameters = (part.strip(b" \t") for part in member.split(b";"))
        weights = [part[2:] for part in parameters if part.startswith(b"q=")]
        found.append((name, _weight(weights[0]) if weights else 1.0))
    return found


def _weight(text: bytes) -> float:
    if len(text) > 5 or text.translate(None, b"0123456789."):
        return 0.0
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if weight <= 1 else 0.0


TOKEN_OCTETS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORBIDDEN_IN_VALUE = frozenset(b"\r\n\0")
