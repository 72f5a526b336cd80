"""Key path → line and column in a TOML source, for every error about a setting.

`tomllib` tells positions of syntax errors only. `find_places` reads a source that `tomllib` has already accepted and
notes where each key and each value stands; it therefore checks nothing itself.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys of tables and indices of arrays, from the outermost."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a source, as offsets into it.

    Attributes:
        key: Offset of the key, or of the element of an array.
        value: Offset of the value; for a table with a header, that of the header's last part.
        header: Whether it is a table written as a header, `[name]` or `[[name]]`.
    """

    key: int
    value: int
    header: bool = False


def find_places(source: str) -> Mapping[KeyPath, Place]:
    r"""Find all keys and values of a TOML source.

    Args:
        source: Text that `tomllib.loads` accepts, with line ends already folded to `\n`.

    Returns:
        The place of every key path of the parsed source but the empty one.
    """
    return _Scanner(source).scan()


class Lines:
    """The lines of a source.

    Args:
        source: The text, with line ends folded.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._starts = [0, *(found.end() for found in re.finditer("\n", source))]

    def locate(self, offset: int) -> tuple[int, int]:
        """Tell the line and column of an offset; both count from 1, columns in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def text(self, number: int) -> str:
        """Give the text of a line; empty for line 0."""
        if not number:
            return ""
        start = self._starts[number - 1]
        return self._source[start:].partition("\n")[0]


class _Scanner:
    """Walks over a source once, from the start to the end."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.offset = 0
        self.places: dict[KeyPath, Place] = {}
        self.counts: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, Place]:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK_LINES)
            if self.offset == len(self.source):
                return self.places
            if self._next_is("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]` and find out which table it opens."""
        brackets = 2 if self.source.startswith("[[", self.offset) else 1
        self.offset += brackets
        parts = self._key()
        self._skip(_BLANK)
        self.offset += brackets
        path: KeyPath = ()
        for name, _ in parts[:-1]:
            path = self._last_element((*path, name))
            self.places.setdefault(path, Place(parts[0][1], parts[0][1], header=True))
        name, start = parts[-1]
        path = (*path, name)
        place = Place(start, start, header=True)
        if brackets == 2:
            self.places.setdefault(path, place)
            index = self.counts[path] = self.counts.get(path, -1) + 1
            path = (*path, index)
        # A dotted header may have named this table before its own header does.
        self.places[path] = place
        return path

    def _last_element(self, path: KeyPath) -> KeyPath:
        return (*path, self.counts[path]) if path in self.counts else path

    def _pair(self, table: KeyPath) -> None:
        """Read `a.b = value`."""
        path = table
        parts = self._key()
        for name, start in parts:
            path = (*path, name)
            self.places.setdefault(path, Place(start, start))
        self._skip(_BLANK)
        self.offset += 1  # the equals sign
        self._skip(_BLANK)
        self.places[path] = Place(parts[-1][1], self.offset)
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        """Read a dotted key: each part with its offset."""
        parts = []
        while True:
            self._skip(_BLANK)
            start = self.offset
            text = self._take(_KEY)
            parts.append((text if text[0] not in "\"'" else _unquote(text), start))
            self._skip(_BLANK)
            if not self._next_is("."):
                return parts
            self.offset += 1

    def _value(self, path: KeyPath) -> None:
        if self._next_is("["):
            self._array(path)
        elif self._next_is("{"):
            self._inline_table(path)
        else:
            self._take(_STRING if self.source[self.offset] in "\"'" else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.offset += 1
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self._next_is("]"):
                self.offset += 1
                return
            if self._next_is(","):
                self.offset += 1
                continue
            element = (*path, index)
            self.places[element] = Place(self.offset, self.offset)
            self._value(element)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.offset += 1
        while True:
            self._skip(_BLANK_LINES)
            if self._next_is("}"):
                self.offset += 1
                return
            if self._next_is(","):
                self.offset += 1
                continue
            self._pair(path)

    def _next_is(self, character: str) -> bool:
        return self.source.startswith(character, self.offset)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.source, self.offset)
        if found is None:
            raise ValueError(f"no TOML at offset {self.offset}")
        self.offset = found.end()
        return found[0]


def _unquote(text: str) -> str:
    (key,) = tomllib.loads(f"{text} = 0")
    return key


_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    r"""
    "{3}(?:[^"\\]|\\.|"{1,2}(?=[^"]))*"{3,5}
    | '{3}(?:[^']|'{1,2}(?=[^']))*'{3,5}
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    """,
    re.VERBOSE | re.DOTALL,
)
# A date may be parted from its time by a blank.
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")
