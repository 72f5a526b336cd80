"""Where log lines go: a file per site, opened when its first line is there, or standard output."""

from __future__ import annotations

import fcntl
import os
import select
import stat
from collections import OrderedDict, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.units import ByteCount

STANDARD_OUTPUT: Final = 1
OPEN_FILES: Final = 256
NO_SITE: Final = "_none"


class LinesLostError(Exception):
    """Lines could not be written.

    Args:
        count: Number of lines.
        reason: The file, and what the system says.
    """

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(reason)
        self.count = count


class LogFile:
    """Appends to one file.

    Args:
        path: The file; None for standard output, past twistd, which replaces `sys.stdout` by its own log.
        max_size: Octets after which the file is renamed and a new one begun; 0 for no limit.
        keep: Number of renamed files kept, the newest called `.1`.
        shared: Whether other processes append to it too, and rename it.
    """

    __slots__ = ("_descriptor", "_keep", "_max_size", "_path", "_shared", "_size")

    def __init__(
        self, path: Path | None, max_size: ByteCount = ByteCount(0), keep: int = 0, *, shared: bool = False
    ) -> None:
        self._shared = shared
        self._path = path
        self._max_size = max_size
        self._keep = keep
        self._descriptor: int | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append whole lines; the file and its folder are made if need be.

        Raises:
            LinesLostError: Some or all could not be written; those in the file are whole.
        """
        written = 0
        try:
            descriptor = self._ready()
            while written < len(data):
                written += os.write(descriptor, self._piece(data, written))
        except OSError as error:
            lost = data.count(b"\n", data.rfind(b"\n", 0, written) + 1)
            self._drop_fragment(data[:written])
            self.reopen()
            raise LinesLostError(lost, f"{self._path or 'standard output'}: {error.strerror}") from None
        self._size += written
        if self._max_size and self._size >= self._max_size and self._path is not None:
            self._rotate(self._path)
        elif self._shared and self._path is not None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def reopen(self) -> None:
        """Let the next line go to a file newly opened, after a rotation."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None and self._path is not None:
            with suppress(OSError):  # what could not be written was told when it was tried
                os.close(descriptor)

    def _ready(self) -> int:
        """Open the file, anew where it was renamed or removed; a shared one is locked until the lines are in it."""
        while True:
            descriptor = self._descriptor if self._descriptor is not None else self._open()
            self._descriptor = descriptor
            if self._path is None:
                return descriptor
            if self._shared:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            found = os.fstat(descriptor)
            self._size = found.st_size
            with suppress(FileNotFoundError):
                if os.path.samestat(found, os.stat(self._path)):
                    return descriptor
            self.reopen()

    def _piece(self, data: bytes, start: int) -> bytes:
        """Cut off what can be written at once; what several processes write to a pipe or socket, they write in pieces.

        A piece of this size is not mixed with another's (POSIX, write(); and no line is as long).
        """
        if not self._shared or self._path is not None or len(data) - start <= select.PIPE_BUF:
            return data[start:]
        return data[start : data.rfind(b"\n", start, start + select.PIPE_BUF) + 1 or start + select.PIPE_BUF]

    def _open(self) -> int:
        if self._path is None:
            return STANDARD_OUTPUT
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _drop_fragment(self, written: bytes) -> None:
        """Take back the part of a line that a full disk still took."""
        fragment = len(written) - written.rfind(b"\n") - 1
        if fragment and self._descriptor is not None:
            with suppress(OSError):
                found = os.fstat(self._descriptor)
                if stat.S_ISREG(found.st_mode):
                    os.ftruncate(self._descriptor, found.st_size - fragment)

    def _rotate(self, path: Path) -> None:
        """Rename the file, and those renamed before; the oldest is gone. Closing it afterwards frees the lock."""
        names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, self._keep + 1))]
        with suppress(OSError):  # the next line tells what is wrong with the folder
            for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                if newer.exists():
                    newer.replace(older)
            if not self._keep:
                path.unlink()
        self.reopen()


class LogFolder:
    """One file per site, of which only those used last are held open.

    Args:
        folder: The folder; None sends everything to standard output.
        max_size: As of `LogFile`; so is keep.
        open_files: Files held open at a time.
        shared: As of `LogFile`.
    """

    __slots__ = ("_files", "_folder", "_keep", "_max_size", "_open_files", "_shared")

    def __init__(
        self,
        folder: Path | None,
        max_size: ByteCount = ByteCount(0),
        keep: int = 0,
        open_files: int = OPEN_FILES,
        *,
        shared: bool = False,
    ) -> None:
        self._shared = shared
        self._folder = folder
        self._max_size = max_size
        self._keep = keep
        self._open_files = open_files
        self._files: OrderedDict[str, LogFile] = OrderedDict()

    def write(self, lines: list[tuple[str, bytes]]) -> None:
        """Append lines, each to the file of its site, in order.

        Raises:
            LinesLostError: Some could not be written; those of other sites were.
        """
        by_name: dict[str, list[bytes]] = defaultdict(list)
        if self._folder is None:
            by_name[""] = [line for _, line in lines]
        else:
            for site, line in lines:
                by_name[site].append(line)
        lost, reason = 0, ""
        for name, found in by_name.items():
            try:
                self._file(name).write(b"".join(found))
            except LinesLostError as error:
                lost += error.count
                reason = str(error)
        if lost:
            raise LinesLostError(lost, reason)

    def reopen(self) -> None:
        """Close all files; they are opened anew by their names."""
        while self._files:
            self._files.popitem()[1].reopen()

    def _file(self, name: str) -> LogFile:
        file = self._files.get(name)
        if file is None:
            path = None if self._folder is None else self._folder / file_name(name)
            file = self._files[name] = LogFile(path, self._max_size, self._keep, shared=self._shared)
            if len(self._files) > self._open_files:
                self._files.popitem(last=False)[1].reopen()
        self._files.move_to_end(name)
        return file


def standard_output_is_dropped() -> bool:
    """Tell whether what goes to standard output goes nowhere, as with a twistd in the background."""
    try:
        return os.path.samestat(os.fstat(STANDARD_OUTPUT), os.stat(os.devnull))
    except OSError:
        return True


def file_name(site: str) -> str:
    """Name the log file of a site, or that of requests which came to none; never a path or a hidden file."""
    name = quote(site or NO_SITE, safe="[]:")[:_LONGEST]
    return f"{'%2E' + name[1:] if name.startswith('.') else name}.log"


_LONGEST: Final = 240
