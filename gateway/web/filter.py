"""The Filter interface: a step on the way to a leaf and on the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.web.request import Request
    from gateway.web.resource import Resource
    from gateway.web.tree import AddedFields


class Filter(Protocol):
    """A step that every request of a location passes; never waits, keeps no per-request state on itself.

    Work that does not depend on the request belongs in the constructor.

    Attributes:
        constant: Whether `on_response` does the same to equal heads, whatever the request, so that responses made
            beforehand need it only once.
    """

    constant: bool

    def on_request(self, request: Request) -> Resource | None:
        """Look at a request; a resource answers it instead of the location's leaf.

        Raises:
            HTTPError: The request is refused.
        """

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Edit any response's head: the leaf's, an early answer's, an error page's."""

    def prepared(self, added: AddedFields) -> AddedFields | None:
        """Say once what `added` and then `on_response` do to any head; None where that cannot be said beforehand."""


class BaseFilter:
    """A filter that lets everything pass; derive from it and override one side."""

    __slots__ = ()
    constant = False

    def on_request(self, request: Request) -> Resource | None:
        """Let the request pass."""
        return None

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Leave the head as it is."""

    def prepared(self, added: AddedFields) -> AddedFields | None:
        """Say that nothing is done to heads, unless `on_response` was overridden."""
        return added if type(self).on_response is BaseFilter.on_response else None


def asks(step: Filter) -> bool:
    """Tell whether a filter looks at requests."""
    return getattr(type(step), "on_request", None) is not BaseFilter.on_request
