"""The one URL of a page: www or apex, trailing slash.

The host is corrected by a leaf of its own (`CanonicalRedirect`), which answers for the names of a site that are not the
canonical one, so that requests to the right name pass nothing. The slash is corrected by a filter. Where both are
wrong, the leaf corrects both, by the rule of the location that the request is for: one hop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gateway.http.location import local_location, origin, split_target
from gateway.http.message import RequestHead
from gateway.web.filter import BaseFilter
from gateway.web.moved import Moved
from gateway.web.request import Request
from gateway.web.resource import Resource
from gateway.web.tree import SiteResource

CanonicalHost = Literal["www", "apex", "name"]
"""Which host name is the canonical one; `name` is the site file's own."""

Slash = Literal["strip", "add", "keep"]
"""What happens to a trailing slash on GET and HEAD."""

Correct = Callable[[Request], bytes]
"""Finds the target that a request should have had."""


def as_it_came(request: Request) -> bytes:
    """Find nothing wrong with a request's target."""
    return request.head.target


def corrected_in(site: SiteResource) -> Correct:
    """Make what corrects requests to other names, or by another scheme, as the locations of the site itself would."""

    def correct(request: Request) -> bytes:
        answering = request.location
        place = site.find(request)
        request.location = answering
        rules = (step for step in place.asking if isinstance(step, SlashFilter))
        return next((target for rule in rules if (target := rule.correct(request))), request.head.target)

    return correct


def on_path(place: bytes, target: bytes) -> bytes:
    """Put an origin and a target together; `*` asks about the whole server."""
    return place + (target if target.startswith(b"/") else b"/")


class CanonicalRedirect(Resource):
    """A leaf that sends every request to the canonical name, path and query kept byte for byte.

    Args:
        name: The canonical host name.
        correct: Corrects the target in the same hop.
    """

    __slots__ = ("_correct", "_name")

    def __init__(self, name: bytes, correct: Correct = as_it_came) -> None:
        self._name = name
        self._correct = correct

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer with 308."""
        local_port = request.stream.local_port
        place = origin(self._name, request.head.host, secure=request.secure, local_port=local_port)
        Moved(on_path(place, self._correct(request))).render(request, data, end)


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
        target = self.correct(request)
        return None if target is None else Moved(target)

    def correct(self, request: Request) -> bytes | None:
        """Find the target that a request should have had; None where it is right."""
        return corrected(request.head, self._slash)


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
