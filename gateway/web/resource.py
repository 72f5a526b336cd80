"""The typed base of all resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from twisted.web.resource import IResource
from zope.interface import classImplements

if TYPE_CHECKING:
    from gateway.web.request import Request


class Resource:
    """A node of the tree: does its part and passes the request on, or answers it.

    To Twisted's traversal each is a leaf: routing is a look-up, not a walk over path segments.
    """

    __slots__ = ()
    isLeaf = True  # noqa: N815  (IResource)

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer a request, now or later, through `request.send_head` and its kin.

        Args:
            request: The exchange.
            data: Content that came together with the head.
            end: Whether that is all of the content.
        """
        raise NotImplementedError

    def getChildWithDefault(self, name: bytes, request: object) -> Resource:
        """Answer for any path segment (IResource)."""
        return self

    def putChild(self, path: bytes, child: object) -> NoReturn:
        """Refuse: the tree is built whole and never changed (IResource)."""
        raise TypeError("the tree is swapped, never mutated")


# No decorator: extension types take none.
classImplements(Resource, IResource)
