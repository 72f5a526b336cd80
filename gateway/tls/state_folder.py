"""Who may use the state folder, and what the operator leaves in it for the running gateway."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.tls.disk import Disk
from gateway.tls.names import folder_name, name_of_folder


class StateLock:
    """Keeps a second gateway from ordering and writing with the same state folder.

    Args:
        folder: The folder `acme` of the state folder.
        disk: How files are written.
    """

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._path = folder / "lock"
        self._disk = disk or Disk()
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock, or tell that another gateway has it. It is freed with the process, however that ends."""
        if self._file is not None:
            return True
        self._disk.folder(self._path.parent)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def is_held(self) -> bool:
        """Tell whether a gateway has it; leaves no trace."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Requests:
    """Wishes of `gateway certs renew`, one file each, removed once the gateway has taken them up.

    Args:
        folder: The folder `acme` of the state folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "requests"

    def ask(self, name: str) -> Path:
        """Leave a wish."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / folder_name(name)
        path.touch(mode=0o600)
        if os.geteuid() == 0:
            # Left by root, taken up by the gateway's own user.
            owner = self.folder.parent.stat()
            for each in (self.folder, path):
                os.chown(each, owner.st_uid, owner.st_gid)
        return path

    def take(self) -> Iterator[str]:
        """Take up all wishes."""
        try:
            found = sorted(entry.name for entry in os.scandir(self.folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in found:
            (self.folder / name).unlink(missing_ok=True)
            yield name_of_folder(name)
