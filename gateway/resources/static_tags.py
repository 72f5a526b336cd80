"""Entity tags of files: from time and size, or from the content where the time says nothing."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.resources.static_folder import OpenFile

Identity = tuple[int, int, int, int]


class ContentTags:
    """Digests of files whose time says nothing, kept as long as the files stay as they are."""

    __slots__ = ("_digests",)

    def __init__(self) -> None:
        self._digests: OrderedDict[Identity, bytes] = OrderedDict()

    def find(self, file: OpenFile, coding: bytes) -> bytes | None:
        """Find a file's strong entity tag; None where its content must be read first (`digest`).

        Args:
            file: The file.
            coding: Its content coding, for two codings of one content are two representations; may be empty.
        """
        state = b"%d-%d" % (file.mtime_ns, file.size) if is_dated(file) else self._digests.get(file.identity)
        return state if state is None else b'"%b-%b"' % (state, coding) if coding else b'"%b"' % state

    def known(self, identity: Identity) -> bytes | None:
        """Find the digest of a file; may be called in any thread."""
        return self._digests.get(identity)

    def keep(self, identity: Identity, digest: bytes) -> None:
        """Remember the digest of a file."""
        self._digests[identity] = digest
        if len(self._digests) > _KEPT:
            self._digests.popitem(last=False)


def is_dated(file: OpenFile) -> bool:
    """Tell whether a file has a time of its own; reproducible builds and Nix set them all to 0 or 1."""
    return file.mtime_ns > _NO_TIME


def digest(descriptor: int, is_wanted: Callable[[], bool]) -> bytes:
    """Make the digest of a file's content; takes its time.

    Args:
        descriptor: The file.
        is_wanted: Asked before each piece; where it is not, the rest is left out and the digest is worth nothing.
    """
    made = hashlib.sha256()
    offset = 0
    while is_wanted() and (data := os.pread(descriptor, _READ, offset)):
        made.update(data)
        offset += len(data)
    return made.hexdigest()[:32].encode("ascii")


_NO_TIME: Final = 1_000_000_000
_READ: Final = 1 << 20
_KEPT: Final = 10_000
"""Digests kept; one takes about 200 bytes."""
