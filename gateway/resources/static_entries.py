"""What leaves remember of a path: its file with encoded copies, a page, a better path, or that nothing is there."""

from __future__ import annotations

from typing import Final

from gateway.http.message import RequestHead
from gateway.http.prepared import PreparedAnswer
from gateway.resources.static_cache import Entry
from gateway.resources.static_found import Found, choose_coding
from gateway.resources.static_ready import Ready


class FileEntry(Entry):
    """A file and its encoded copies, as far as they were asked for.

    Args:
        found: The file and its copies.

    Attributes:
        ready: What was asked for so far, by coding.
    """

    __slots__ = ("_codings", "_names", "_state", "ready")

    def __init__(self, found: Found) -> None:
        super().__init__()
        self._names = found.names
        self._state = found.state
        self._codings = found.codings
        self.ready: dict[bytes, Ready] = {}

    def is_of(self, found: Found) -> bool:
        """Tell whether it is about just these files, in the state that they are in."""
        return self._state == found.state and self._names == found.names

    def choose(self, head: RequestHead) -> Ready | None:
        """Find what to answer a request with; None where the disk must be asked for it."""
        codings = self._codings
        ready = self.ready.get(choose_coding(head, codings) if codings else b"")
        if ready is None or (ready.body is None and not ready.is_current()):
            return None
        return ready

    def weigh(self) -> int:
        """Tell how many octets it holds, about; an open file may have come to it."""
        self.opened = any(ready.body is None for ready in self.ready.values())
        return super().weigh() + sum(ready.weigh() for ready in self.ready.values())

    def release(self) -> None:
        """Close its files."""
        ready, self.ready = self.ready, {}
        for each in ready.values():
            each.close()


class PageEntry(Entry):
    """A page that is sent with a status that is not 2xx.

    Args:
        identity: Of its file.
        answer: The answer.
    """

    __slots__ = ("answer", "identity")

    def __init__(self, identity: tuple[int, int, int, int], answer: PreparedAnswer) -> None:
        super().__init__()
        self.identity = identity
        self.answer = answer

    def weigh(self) -> int:
        """Tell how many octets it holds, about."""
        return super().weigh() + _PAGE + len(self.answer.data)


class MovedEntry(Entry):
    """A redirect.

    Args:
        path: Where to, decoded, without query.
    """

    __slots__ = ("path",)

    def __init__(self, path: bytes) -> None:
        super().__init__()
        self.path = path


class MissingEntry(Entry):
    """Nothing is there."""

    __slots__ = ()


_PAGE: Final = 2000
"""Octets that fields and a prepared answer take, about."""
