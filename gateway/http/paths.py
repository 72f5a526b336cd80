"""Paths: the form that routes and access are decided on (RFC 3986 §5.2.4, §6.2.2).

What goes upstream is always the bytes that came; what is decided on has no dot segments, no double slashes, no percent
escapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Path:
    """A request path as decisions see it; what goes upstream is always the bytes that came.

    Attributes:
        decoded: Percent-decoded, dot segments resolved, slashes merged; starts with `/`.
        literal: The same, but encoded slashes and backslashes taken as ordinary characters. Where the two forms would
            lead to different places, what was meant is in doubt.
    """

    decoded: bytes
    literal: bytes


def decide_path(target: bytes) -> Path:
    """Find the path that routes and access are decided on.

    Args:
        target: A request target in origin-form, or `*`.

    Raises:
        ProtocolError: 400: an invalid percent escape, an encoded control octet, or a climb above the root.
    """
    path = target.partition(b"?")[0]
    if path[:1] != b"/":  # `OPTIONS *` asks about the whole server
        return _ROOT
    if not _UNUSUAL.search(path):
        return Path(path, path)
    if _INVALID_PERCENT.search(path):
        raise ProtocolError("invalid percent escape in the path (RFC 3986 §2.1)")
    decoded = unquote_to_bytes(path)
    if _CONTROL.search(decoded):
        raise ProtocolError("encoded control octet in the path (RFC 3986 §7.3)")
    literal = _ENCODED_SEPARATOR.sub(b"%25\\g<1>", path)
    return Path(
        _resolve(decoded.replace(b"\\", b"/")),
        _resolve(unquote_to_bytes(literal)),
    )


def unresolved_path(target: bytes) -> bytes:
    """Find the path as an application sees it that decodes, but resolves no dot segments.

    Args:
        target: A request target in origin-form, or `*`, that `decide_path` accepts.
    """
    path = target.partition(b"?")[0]
    if path[:1] != b"/":
        return b"/"
    return _SLASHES.sub(b"/", unquote_to_bytes(path))


def strip_prefix(target: bytes, prefix: bytes) -> bytes:
    """Take a route's prefix off a target, leaving what follows it byte for byte.

    Args:
        target: A target in origin-form whose decided path lies within `prefix`.
        prefix: Decoded path without trailing slash.

    Raises:
        ProtocolError: 400: the prefix ends inside a segment of the target, behind an encoded slash.
    """
    path, question, query = target.partition(b"?")
    end = len(prefix)
    if _UNUSUAL.search(path):
        borders = [at for at, octet in enumerate(path) if octet == _SLASH and at] + [len(path)]
        # The last one: what precedes it may hold dot segments that lead back.
        ends = [at for at in borders if _resolve(unquote_to_bytes(path[:at])).rstrip(b"/") == prefix]
        if not ends:
            raise ProtocolError("encoded slash at the end of the route's prefix")
        end = ends[-1]
    return (path[end:] or b"/") + question + query


def file_names(path: Path, prefix: bytes = b"") -> list[bytes] | None:
    """Find the names of folders and file that a path leads through, below a route's prefix.

    Args:
        path: A path within `prefix`.
        prefix: Decoded path without trailing slash.

    Returns:
        Names for a walk down from the root of a folder; each is one name, not empty, not a dot segment. None where no
        file may be shown: the path is in doubt, or a name is private (`is_private`) but for a leading `.well-known`.
    """
    if path.literal != path.decoded:
        return None
    names = [name for name in path.decoded[len(prefix) :].split(b"/") if name]
    private = names[1:] if names[:1] == [b".well-known"] else names
    return None if any(is_private(name) for name in private) else names


def is_private(name: bytes) -> bool:
    """Tell whether a file or folder of this name is nobody's business.

    That is what is hidden (`.env`, `.git`), dot segments, what editors leave behind (`page.html~`, `page.html.bak`),
    site files (`*.toml`) and sources of an app (`*.ex`), also in compressed form.
    """
    return name.startswith(b".") or _PRIVATE.search(name) is not None or b"\0" in name


def _resolve(path: bytes) -> bytes:
    """Resolve dot segments and merge slashes; keeps a trailing slash.

    Raises:
        ProtocolError: 400 for a climb above the root.
    """
    kept: list[bytes] = []
    segments = path.split(b"/")
    for segment in segments:
        if segment == b"..":
            if not kept:
                raise ProtocolError("path climbs above the root (RFC 3986 §5.2.4)")
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    slash = b"/" if kept and segments[-1] in (b"", b".", b"..") else b""
    return b"/" + b"/".join(kept) + slash


_SLASH = ord("/")
_SLASHES = re.compile(rb"[/\\]+")
_UNUSUAL = re.compile(rb"%|//|/\.|\\")
_INVALID_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ENCODED_SEPARATOR = re.compile(rb"%(2[Ff]|5[Cc])")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_PRIVATE = re.compile(
    rb"(?i)(?:~|\A#.*#|\.(?:toml|exs?|[hle]eex|bak|orig|old|save|rej|sw[a-p]|tmp))(?:\.(?:gz|br|zst))?\Z", re.DOTALL
)
_ROOT = Path(b"/", b"/")
