"""A folder as one request sees it: opens files below it and cannot be led out of it.

Names are walked down one by one, each opened relative to the folder before it and never through a symbolic link, so
that no change of the disk at the same time leads elsewhere than a check has seen. A link is followed by hand: what it
leads to must lie inside the folder, or belong to whoever made the link (and every link on the way), for then he could
have copied it as well. The folder itself may be a link: it is opened once for each request, so that a request sees
the old or the new state of a link that is switched, nothing in between.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from gateway.units import ByteCount


class OpenFile:
    """A regular file open for reading; whoever has it closes it.

    Attributes:
        descriptor: Its file descriptor, of which the offset is nobody's; -1 once it is closed.
        size: Octets it has now.
        mtime_ns: When its content was last changed, in nanoseconds since 1970.
        identity: What it is and in which state, for caches.
    """

    __slots__ = ("_holders", "descriptor", "identity", "mtime_ns", "size")

    def __init__(self, descriptor: int, status: os.stat_result) -> None:
        self.descriptor = descriptor
        self.size = ByteCount(status.st_size)
        self.mtime_ns = status.st_mtime_ns
        self.identity = _state(status)
        self._holders = [1]  # one number for all of them

    @property
    def ctime_ns(self) -> int:
        """When anything of it was last changed, in nanoseconds since 1970."""
        return self.identity[3]

    def share(self) -> OpenFile:
        """Make a second holder of the same descriptor, which is closed once all have closed theirs."""
        shared = OpenFile.__new__(OpenFile)
        shared.descriptor, shared.size, shared.mtime_ns = self.descriptor, self.size, self.mtime_ns
        shared.identity, shared._holders = self.identity, self._holders
        self._holders[0] += 1
        return shared

    def is_current(self) -> bool:
        """Tell whether it is still in the state in which it was opened."""
        return _state(os.fstat(self.descriptor)) == self.identity

    def close(self) -> None:
        """Close it, if it is still open."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            self._holders[0] -= 1
            if not self._holders[0]:
                os.close(descriptor)


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns)


class LinkRefused(OSError):
    """A link leads out of the folder to what is not its owner's."""


class Folder:
    """A folder, open until `close`; use it as a context manager.

    Args:
        path: Its path, which may be or lead through links.

    Raises:
        OSError: There is no such folder, or it may not be entered.
    """

    __slots__ = ("_open", "_root")

    def __init__(self, path: bytes) -> None:
        self._root = os.open(path, _FOLDER)
        self._open = [self._root]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all folders that were opened on the way; files stay open."""
        while self._open:
            os.close(self._open.pop())

    def open_file(self, names: Sequence[bytes]) -> OpenFile | None:
        """Open a regular file; None where there is none.

        Args:
            names: As of `gateway.http.paths.file_names`: no dot segments.

        Raises:
            LinkRefused: A link on the way may not be followed.
            PermissionError: It may not be read.
        """
        found = self._find(names)
        if found is None:
            return None
        descriptor, status = found
        if stat.S_ISREG(status.st_mode):
            return OpenFile(descriptor, status)
        os.close(descriptor)
        return None

    def has_folder(self, names: Sequence[bytes]) -> bool:
        """Tell whether there is a folder.

        Raises:
            LinkRefused: A link on the way may not be followed.
            PermissionError: It may not be entered.
        """
        found = self._find(names)
        if found is None:
            return False
        os.close(found[0])
        return stat.S_ISDIR(found[1].st_mode)

    def open_folder(self, names: Sequence[bytes]) -> int | None:
        """Open a folder for listing; None where there is none. Whoever calls closes the descriptor.

        Raises:
            LinkRefused: A link on the way may not be followed.
            PermissionError: It may not be read.
        """
        found = self._find(names)
        if found is None:
            return None
        descriptor, status = found
        if stat.S_ISDIR(status.st_mode):
            return descriptor
        os.close(descriptor)
        return None

    def _find(self, names: Sequence[bytes]) -> tuple[int, os.stat_result] | None:
        """Open whatever is at the end of a walk, for reading."""
        try:
            return self._walk(names)
        except LinkRefused:
            raise
        except PermissionError:
            raise
        except OSError as error:
            # Anything else means that no file is there: missing, too long a name, a loop of links, a socket.
            if error.errno in _NOT_ABSENCE:
                raise
            return None

    def _walk(self, names: Sequence[bytes]) -> tuple[int, os.stat_result]:
        steps = _Steps(self._root, self._open)
        steps.pending = list(reversed(names))
        while steps.pending:
            name = steps.pending.pop()
            if name == b".":
                continue
            if name == b"..":
                steps.up()
            elif steps.pending:
                steps.down(name)
            else:
                try:
                    descriptor = os.open(name, _CONTENT, dir_fd=steps.here)
                except OSError as error:
                    if error.errno != errno.ELOOP:
                        raise
                    steps.follow(name)
                    continue
                return descriptor, self._checked(descriptor, steps)
        descriptor = os.open(b".", _CONTENT, dir_fd=steps.here)
        return descriptor, self._checked(descriptor, steps)

    @staticmethod
    def _checked(descriptor: int, steps: _Steps) -> os.stat_result:
        status = os.fstat(descriptor)
        if not steps.inside and not steps.is_root(status) and steps.owners != {status.st_uid}:
            os.close(descriptor)
            raise LinkRefused(errno.EACCES, "a link leads out of the folder to what is not its owner's")
        return status


class _Steps:
    """A walk under way.

    Attributes:
        pending: Names still to go, the next one last.
        inside: Whether it is below the root.
        owners: Who made the links that were followed.
    """

    __slots__ = ("_count", "_identity", "_open", "_root", "_stack", "inside", "owners", "pending")

    def __init__(self, root: int, opened: list[int]) -> None:
        self._root = root
        self._open = opened
        self._stack = [root]
        self._identity: tuple[int, int] | None = None
        self._count = 0
        self.pending: list[bytes] = []
        self.inside = True
        self.owners: set[int] = set()

    @property
    def here(self) -> int:
        """The folder that the walk has come to."""
        return self._stack[-1]

    def is_root(self, status: os.stat_result) -> bool:
        """Tell whether the walk has come back to the root itself."""
        return (status.st_dev, status.st_ino) == self._root_identity()

    def down(self, name: bytes) -> None:
        """Enter a folder, or follow a link in its place."""
        try:
            descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.here)
        except NotADirectoryError:
            self.follow(name)
            return
        self._enter(descriptor)

    def up(self) -> None:
        """Go back to the folder above, which is outside where this is the root."""
        if len(self._stack) > 1:
            self._stack.pop()
        else:
            self._leave(os.open(b"..", _FOLDER, dir_fd=self.here))

    def follow(self, name: bytes) -> None:
        """Put the target of a link in its place.

        Raises:
            NotADirectoryError: It is no link.
        """
        target, owner = _read_link(name, self.here)
        self._step()
        self.owners.add(owner)
        if target.startswith(b"/"):
            self._leave(os.open(b"/", _FOLDER))
        parts = target.split(b"/")
        if parts[-1] in (b"", b"."):
            self.pending.append(b".")  # what is before it must be a folder
        self.pending += reversed([part for part in parts if part not in (b"", b".")])

    def _leave(self, descriptor: int) -> None:
        self.inside = False
        self._stack = []
        self._enter(descriptor)

    def _enter(self, descriptor: int) -> None:
        self._open.append(descriptor)
        self._step()
        self._stack.append(descriptor)
        if not self.inside and _identity(descriptor) == self._root_identity():
            self.inside = True
            self._stack = [self._root]

    def _root_identity(self) -> tuple[int, int]:
        if self._identity is None:
            self._identity = _identity(self._root)
        return self._identity

    def _step(self) -> None:
        self._count += 1
        if self._count > _MAX_STEPS:
            raise OSError(errno.ELOOP, "too many folders and links on the way")


def _read_link(name: bytes, folder: int) -> tuple[bytes, int]:
    """Read a link's target and its owner.

    Raises:
        NotADirectoryError: It is no link.
    """
    if sys.platform != "linux":  # without O_PATH another link may take its place in between
        return os.readlink(name, dir_fd=folder), os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid
    link = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    try:
        status = os.fstat(link)
        if not stat.S_ISLNK(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "neither a folder nor a link")
        return os.readlink(b"", dir_fd=link), status.st_uid
    finally:
        os.close(link)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


_FOLDER: Final = (os.O_PATH if sys.platform == "linux" else os.O_RDONLY) | os.O_DIRECTORY
# O_NONBLOCK: opening a named pipe must not wait for its other end.
_CONTENT: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_MAX_STEPS: Final = 128
"""Folders and links on the way to a file; the kernel allows 40 links."""
_NOT_ABSENCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})
