"""The one URL of a page: www or apex, trailing slash.

The host is corrected by a leaf of its own (`CanonicalRedirect`), which answers for the names of a site that are not the
canonical one, so that requests to the right name pass nothing. The slash is corrected by a filter. Where both are
wrong, the leaf corrects both: one hop.
"""

from __future__ import annotations

from typing import Literal

from gateway.http.location import local_location, origin, split_target
from gateway.http.message import RequestHead
from gateway.web.filter import BaseFilter
from gateway.web.moved import Moved
from gateway.web.request import Request
from gateway.web.resource import Resource

CanonicalHost = Literal["www", "apex", "name"]
"""Which host name is the canonical one; `name` is the site file's own."""

Slash = Literal["strip", "add", "keep"]
"""What happens to a trailing slash on GET and HEAD."""


class CanonicalRedirect(Resource):
    """A leaf that sends every request to the canonical name, path and query kept byte for byte.

    Args:
        name: The canonical host name.
        slash: The site's rule, applied in the same hop.
    """

    __slots__ = ("_name", "_slash")

    def __init__(self, name: bytes, slash: Slash = "keep") -> None:
        self._name = name
        self._slash = slash

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer with 308."""
        head = request.head
        target = corrected(head, self._slash) or head.target
        local_port = request.stream.local_port
        place = origin(self._name, head.host, secure=request.secure, local_port=local_port)
        Moved(place + (target if target.startswith(b"/") else b"/")).render(request, data, end)


class SlashFilter(BaseFilter):
    """Redirects GET and HEAD to the path with, or without, a trailing slash.

    Args:
        slash: `strip` or `add`.
    """

    __slots__ = ("_slash",)

    def __init__(self, slash: Slash) -> None:
        self._slash = slash

    def on_request(self, request: Request) -> Resource | None:
        """Answer a request with the wrong slash with 308."""
        target = corrected(request.head, self._slash)
        return None if target is None else Moved(target)


def corrected(head: RequestHead, slash: Slash) -> bytes | None:
    """Find the target that a request should have had.

    Never on `/`, below `/.well-known/`, on WebSockets and long polls; no slash is added to what looks like a file.

    Args:
        head: The request's head.
        slash: The rule.

    Returns:
        Path and query, starting with one slash; None where the target is right, or not this rule's business.
    """
    path, query = split_target(head.target)
    ends_in_slash = path.endswith(b"/")
    if slash == "keep" or ends_in_slash is (slash == "add") or head.method not in (b"GET", b"HEAD"):
        return None
    bare = path.rstrip(b"/")
    last = bare.rpartition(b"/")[2]
    if not bare.startswith(b"/") or last in (b".", b"..") or (slash == "add" and b"." in last):
        return None
    if head.upgrade or last in (b"websocket", b"longpoll") or local_location(path).startswith(b"/.well-known/"):
        return None
    return local_location(bare if slash == "strip" else bare + b"/") + query
