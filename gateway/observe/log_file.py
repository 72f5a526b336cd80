"""Where log lines go: a file, opened when the first line is there, or standard output."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

STANDARD_OUTPUT: Final = 1


class LogFile:
    """Appends to one file.

    Args:
        path: The file; None for standard output, past twistd, which replaces `sys.stdout` by its own log.
    """

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor: int | None = None

    def write(self, data: bytes) -> None:
        """Append octets; the file and its folder are made if need be.

        Raises:
            OSError: The file cannot be written.
        """
        if self._descriptor is None:
            self._descriptor = self._open()
        while data:
            data = data[os.write(self._descriptor, data) :]

    def reopen(self) -> None:
        """Let the next line go to a file newly opened, after a rotation."""
        if self._descriptor is not None and self._path is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        if self._path is None:
            return STANDARD_OUTPUT
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
