"""One TOML file: its text, what it says, and where each setting stands in it."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gateway.config.positions import KeyPath, Lines, Place, find_places
from gateway.errors import ConfigError
from gateway.units import ByteCount

MAX_SIZE = ByteCount(1_000_000)
"""Octets of a site file; the largest hand-written one is a hundredth of that."""

MAX_DEPTH = 32
"""How deep tables and arrays may be nested: what reads them goes down by recursion. No setting is deeper than eight."""

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting is set.

    Attributes:
        file: Path of the file, as the user named its folder.
        line: Line from 1; 0 where the file as a whole is meant.
        column: Column of the key from 1.
        key: Key path.
        text: Text of the line.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""
    text: str = ""

    def __str__(self) -> str:
        """Show it as log lines do: `sites/example.com.toml:5 max_body`."""
        return f"{self.file}:{self.line} {self.key}" if self.line else self.file


BYTE_ORDER_MARK = "\ufeff"
"""What some editors write before the text."""

NOWHERE = Origin()
"""Not set in any file."""


class Source:
    """A TOML file that was read and parsed.

    Args:
        file: Its path, as errors show it.
        text: Its text.

    Raises:
        ConfigError: The text is no TOML.
    """

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.text = text.replace("\r\n", "\n")
        try:
            self.data: Table = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise self._syntax_error(error) from None
        except RecursionError:
            raise self._too_deep() from None
        if _is_deeper(self.data, MAX_DEPTH):
            raise self._too_deep()

    @classmethod
    def read(cls, file: Path) -> Source:
        """Read a file.

        Raises:
            ConfigError: It cannot be read, is no regular file, too large, not UTF-8 or no TOML.
        """
        try:
            with open(file, "rb", opener=_open_regular) as stream:
                regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
                octets = stream.read(MAX_SIZE + 1) if regular else b""
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", file=str(file), kind="file") from error
        if not regular:
            raise ConfigError("is no regular file", file=str(file), kind="file")
        if len(octets) > MAX_SIZE:
            raise ConfigError(f"is larger than {MAX_SIZE} octets", file=str(file), kind="file")
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError as error:
            before = octets[: error.start].decode()
            line, column = Lines(before).locate(len(before))
            message = f"is not UTF-8: octet 0x{octets[error.start]:02x}"
            raise ConfigError(message, file=str(file), line=line, column=column, kind="syntax") from None
        return cls(file, text.removeprefix(BYTE_ORDER_MARK))

    @cached_property
    def places(self) -> Mapping[KeyPath, Place]:
        """Where the keys and values of the file stand."""
        return find_places(self.text)

    @cached_property
    def lines(self) -> Lines:
        """The lines of the file."""
        return Lines(self.text)

    @property
    def folder(self) -> str:
        """The folder that paths in the file are relative to."""
        return os.path.abspath(self.file.parent)

    def find(self, loc: Iterable[str | int]) -> KeyPath:
        """Find the key path that a location in the full settings was written as.

        Short forms leave out some keys and decorate others, so the longest way through `loc` that exists in the file
        wins, and one that has its last part beats one that has not.
        """
        return max(self._ways((), tuple(loc)), key=lambda way: way[0])[1]

    def _ways(self, path: KeyPath, loc: tuple[str | int, ...]) -> Iterable[tuple[tuple[bool, int], KeyPath]]:
        if not loc:
            yield (False, len(path)), path
            return
        first, rest = loc[0], loc[1:]
        if path or (first,) not in self.places:
            yield from self._ways(path, rest)
        for part in (first, f"+{first}", f"-{first}") if isinstance(first, str) else (first,):
            if (*path, part) in self.places:
                if not rest:
                    yield (True, len(path) + 1), (*path, part)
                yield from self._ways((*path, part), rest)

    def error(
        self,
        message: str,
        path: KeyPath = (),
        *,
        at_key: bool = False,
        expected: str = "",
        found: str = "",
        suggestion: str = "",
        kind: str = "value",
    ) -> ConfigError:
        """Make an error about a key path of this file, at its value or, if asked for, at its key."""
        place = self.places.get(path)
        line = column = 0
        if place is not None:
            line, column = self.lines.locate(place.key if at_key else place.value)
        return ConfigError(
            message,
            file=str(self.file),
            line=line,
            column=column,
            key=dotted(path),
            expected=expected,
            found=found,
            suggestion=suggestion,
            source_line=self.lines.text(line),
            kind=kind,
        )

    def origin(self, path: KeyPath) -> Origin:
        """Tell where a key is set."""
        place = self.places.get(path)
        line, column = self.lines.locate(place.key) if place else (0, 0)
        return Origin(str(self.file), line, column, dotted(path), self.lines.text(line))

    def _too_deep(self) -> ConfigError:
        return ConfigError("arrays or tables are nested too deeply", file=str(self.file), kind="syntax")

    def _syntax_error(self, error: tomllib.TOMLDecodeError) -> ConfigError:
        message = str(error)
        found = _AT.search(message)
        if found:
            line, column = int(found["line"]), int(found["column"])
        else:
            line, column = self.lines.locate(len(self.text))
        return ConfigError(
            f"no valid TOML: {_AT_ANY.sub('', message)}",
            file=str(self.file),
            line=line,
            column=column,
            source_line=self.lines.text(line),
            kind="syntax",
        )


def dotted(path: KeyPath) -> str:
    """Write a key path as TOML would: `routes."/api/*".to[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text += f".{name}" if text else name
    return text


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_is_deeper(each, levels - 1) for each in inner))


def _open_regular(path: str, flags: int) -> int:
    # A FIFO in the folder must not hang the start.
    return os.open(path, flags | os.O_NONBLOCK)


_AT = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")
_AT_ANY = re.compile(r" \(at [^()]*\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
