"""Writing files so that a crash leaves the old ones or the new ones; each step is one method, for tests to fail."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without hard links answer, link(2): vfat, SMB, some in user space."""


class Disk:
    """The steps of which safe writes are made."""

    def folder(self, path: Path) -> None:
        """Make a folder that only we may enter, and so those above it that are not there."""
        if not path.parent.exists():
            self.folder(path.parent)
        path.mkdir(exist_ok=True, mode=0o700)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)

    def write(self, path: Path, data: bytes) -> None:
        """Write a file that only we may read, down to the disk."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    def append(self, path: Path, data: bytes) -> None:
        """Add to the end of a file, down to the disk."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with open(descriptor, "ab") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    def link(self, path: Path, new: Path) -> None:
        """Give a file a second name; where the file system has no such thing, a copy."""
        with suppress(FileNotFoundError):
            new.unlink()
        try:
            os.link(path, new)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self.write(new, path.read_bytes())

    def rename(self, path: Path, new: Path) -> None:
        """Put a file in the place of another, in one step."""
        path.replace(new)

    def sync(self, folder: Path) -> None:
        """Make the names in a folder last."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, path: Path, data: bytes) -> None:
        """Write a file anew: whoever reads it finds all of the old or all of the new."""
        fresh = path.with_name(f"{path.name}.tmp")
        self.write(fresh, data)
        self.rename(fresh, path)
        self.sync(path.parent)
