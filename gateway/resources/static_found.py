"""A file found for a path, with the encoded copies beside it, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.http.caching import cache_control, has_digest
from gateway.http.codings import EXTENSIONS, welcome_codings
from gateway.http.fields import Field
from gateway.http.known import RANGE
from gateway.http.message import RequestHead
from gateway.http.mime import content_type, may_be_encoded
from gateway.resources.static_folder import Folder, LinkRefused, OpenFile
from gateway.resources.static_ready import Representation
from gateway.units import Seconds

State = tuple[tuple[bytes, tuple[int, int, int, int]], ...]
"""The codings of a file, empty for the file itself, and the identity of the file in each."""

SETTLED = Seconds(1)
"""For how long a file must have been as it is for every change to show in its times."""


class Found:
    """A file that is the answer to a path, and its encoded copies (`app.css.br`), all open until `close`.

    A copy that is older than the file is none, unless the file's name has a digest of its content: such a file never
    changes, and what copies a release need not keep times. Nor is one that may not be read.

    Args:
        folder: Where the file is.
        names: Its names there; the last one says what it is.
        file: The file; it belongs to this object from here on.
        vary: Fields of the request that made this file the answer; empty for none.
        more: Further fields of the answer.

    Attributes:
        names: The names.
        codings: The codings there are copies in.
        state: Of the file and its copies.

    Raises:
        OSError: The machine is short of something.
    """

    __slots__ = ("_media_type", "_more", "_opened", "_vary", "codings", "names", "state")

    def __init__(
        self,
        folder: Folder,
        names: Sequence[bytes],
        file: OpenFile,
        vary: bytes = b"",
        more: tuple[Field, ...] = (),
    ) -> None:
        self.names = tuple(names)
        self._opened = {b"": file}
        self._media_type = content_type(names[-1])
        self._more = more
        self._vary = vary
        if may_be_encoded(self._media_type):
            self._vary = b"Accept-Encoding, " + vary if vary else b"Accept-Encoding"
            try:
                self._open_copies(folder, file)
            except BaseException:
                self.close()
                raise
        self.codings = tuple(self._opened)[1:]
        self.state: State = tuple((coding, each.identity) for coding, each in self._opened.items())

    def take(self, head: RequestHead, coding: bytes) -> Representation:
        """Take what is sent in a coding, empty for the file itself; its file belongs to the caller from here on."""
        query = head.target.partition(b"?")[2]
        return Representation(
            file=self._opened.pop(coding),
            content_type=self._media_type,
            coding=coding,
            cache_control=cache_control(self.names[-1], self._media_type, query),
            vary=self._vary,
            more=self._more,
        )

    def is_settled(self, now: Seconds) -> bool:
        """Tell whether all have been as they are for long enough that any change would show.

        Args:
            now: Seconds since 1970.
        """
        return all(is_settled(file, now) for file in self._opened.values())

    def close(self) -> None:
        """Close what was not taken."""
        for each in self._opened.values():
            each.close()

    def _open_copies(self, folder: Folder, file: OpenFile) -> None:
        never_changes = has_digest(self.names[-1])
        for coding, extension in EXTENSIONS.items():
            try:
                copy = folder.open_file([*self.names[:-1], self.names[-1] + extension])
            except (PermissionError, LinkRefused):
                continue
            if copy is None:
                continue
            if copy.mtime_ns < file.mtime_ns and not never_changes:
                copy.close()
            else:
                self._opened[coding] = copy


def choose_coding(head: RequestHead, available: tuple[bytes, ...]) -> bytes:
    """Choose a content coding; empty for the plain content.

    A range is one of the plain content, so that it fits whatever the client has from before.
    """
    if not available or (head.known & RANGE and head.method == b"GET"):
        return b""
    for coding in welcome_codings(head):
        if coding in available:
            return coding
    return b""


def is_settled(file: OpenFile, now: Seconds) -> bool:
    """Tell whether a file has been as it is for long enough that any change would show in its times.

    Args:
        file: The file.
        now: Seconds since 1970.
    """
    return max(file.ctime_ns, file.mtime_ns) < (now - SETTLED) * 1_000_000_000
