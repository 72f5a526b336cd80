"""Values of Location that cannot lead elsewhere than meant (RFC 9110 §10.2.2, RFC 3986 §4.2).

A redirect within a host is a path, so that scheme, host and port stay the client's own; one to another name is written
from a name that the gateway was configured with.
"""

from __future__ import annotations

import re
from typing import Final


def local_location(target: bytes) -> bytes:
    """Make a path with its query a Location on the same host.

    Slashes and backslashes at the start become one slash: browsers take what follows two of them for another host.

    Args:
        target: Path and query, the path starting with a slash.
    """
    return _LEADING_SLASHES.sub(b"/", target)


def origin(name: bytes, host: bytes, *, secure: bool, local_port: int) -> bytes:
    """Make the scheme and authority of a redirect to a name, where the client's port still leads here.

    Args:
        name: The host name to go to.
        host: The authority of the request, as it came.
        secure: Whether the client uses HTTPS.
        local_port: The listener's port; the authority's port is kept only if it is the same.
    """
    scheme, default = (b"https", 443) if secure else (b"http", 80)
    _, _, port = host.rpartition(b":")
    if port.isdigit() and int(port) == local_port and local_port != default:
        return b"%b://%b:%d" % (scheme, name, local_port)
    return b"%b://%b" % (scheme, name)


def secure_origin(name: bytes, host: bytes, *, local_port: int, port: int) -> bytes:
    """Make the scheme and authority of a redirect from plain HTTP to HTTPS.

    A client that was led here from another port, as one that names none where we do not listen on 80, is led to 443 the
    same way: only one that names our own port is told the port of the TLS listener.

    Args:
        name: The host name to go to.
        host: The authority of the request, as it came.
        local_port: The plain listener's port.
        port: The TLS listener's port.
    """
    _, _, asked = host.rpartition(b":")
    direct = local_port == 80 if not asked.isdigit() else int(asked) == local_port
    return b"https://%b:%d" % (name, port) if direct and port != 443 else b"https://%b" % name


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Split a request target into its path and its query, which is empty or starts with `?`."""
    path, mark, query = target.partition(b"?")
    return path, mark + query


_LEADING_SLASHES: Final = re.compile(rb"\A[/\\]+")
