from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.positions import KeyPath, Lines, Place, find_places

SOURCE = '''\
# a comment with = and [brackets]
top = 1   # behind
a.b . "c d" = { x = [1, "]", { y = "}" }], 'z z' = 2 } # end
date = 1979-05-27 07:32:00Z

[ "quoted.header" . plain ]
text = """
[not a header]
key = "no key"
""\\""""
literal = \'\'\'it's # no comment\'\'\'
[[list]]
k = "\\"a"
[list.sub]
deep = [
  1, # one
  # nothing
  [2,
   3],
]
[[list]]
k = 2
'''


def place_of(path: KeyPath, source: str = SOURCE) -> tuple[tuple[int, int], tuple[int, int]]:
    place = find_places(source)[path]
    lines = Lines(source)
    return lines.locate(place.key), lines.locate(place.value)


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("top",), (2, 1), (2, 7)),
        (("a",), (3, 1), (3, 1)),
        (("a", "b"), (3, 3), (3, 3)),
        (("a", "b", "c d"), (3, 7), (3, 15)),
        (("a", "b", "c d", "x", 0), (3, 22), (3, 22)),
        (("a", "b", "c d", "x", 1), (3, 25), (3, 25)),
        (("a", "b", "c d", "x", 2, "y"), (3, 32), (3, 36)),
        (("a", "b", "c d", "z z"), (3, 44), (3, 52)),
        (("date",), (4, 1), (4, 8)),
        (("quoted.header",), (6, 3), (6, 3)),
        (("quoted.header", "plain"), (6, 21), (6, 21)),
        (("quoted.header", "plain", "text"), (7, 1), (7, 8)),
        (("quoted.header", "plain", "literal"), (11, 1), (11, 11)),
        (("list",), (12, 3), (12, 3)),
        (("list", 0), (12, 3), (12, 3)),
        (("list", 0, "k"), (13, 1), (13, 5)),
        (("list", 0, "sub"), (14, 7), (14, 7)),
        (("list", 0, "sub", "deep", 0), (16, 3), (16, 3)),
        (("list", 0, "sub", "deep", 1, 1), (19, 4), (19, 4)),
        (("list", 1, "k"), (22, 1), (22, 5)),
    ],
)
def test_finds_keys_and_values(path: KeyPath, key: tuple[int, int], value: tuple[int, int]) -> None:
    """Every way to write a key or a value in TOML has its line and column."""
    assert place_of(path) == (key, value)


def test_finds_every_key_and_no_other() -> None:
    """What is found are the key paths that tomllib finds."""
    assert set(find_places(SOURCE)) == set(_paths(tomllib.loads(SOURCE)))


def test_a_header_is_told_from_an_inline_table() -> None:
    """Only a table with a header of its own counts as one."""
    places = find_places("a = { b = 1 }\n[c]\nd.e = 1\n[[f]]\n")
    assert {path for path, place in places.items() if place.header} == {("c",), ("f",), ("f", 0)}


def test_a_table_named_by_a_sub_tables_header_first_is_found_at_its_own() -> None:
    """A table opened after its own sub-table is found at its own header."""
    assert place_of(("a",), "[a.b]\nx = 1\n[a]\ny = 2\n")[0] == (3, 2)


def test_a_source_that_is_no_toml_is_refused() -> None:
    """The scanner stops where it understands nothing, instead of looping."""
    with pytest.raises(ValueError, match="no TOML at offset 0"):
        find_places("= 1")


def test_lines_give_their_text() -> None:
    """A line is found by its number, the last one without a line end too; line 0 is none."""
    lines = Lines("one\ntwo")
    assert [lines.text(number) for number in (0, 1, 2)] == ["", "one", "two"]


class _Writer:
    """Writes TOML by the draws of Hypothesis and notes where each thing went."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.places: dict[KeyPath, Place] = {}
        self.headers = 0

    def write(self, text: str) -> None:
        self.text += text

    def blank(self) -> None:
        self.write(self.draw(st.sampled_from(["", " ", "\t", "  "])))

    def line_end(self) -> None:
        self.blank()
        self.write(self.draw(st.sampled_from(["\n", "\n\n", ' # = [x] "\n', "\n# y = {1}\n"])))

    def key(self, name: str) -> int:
        start = len(self.text)
        bare = name and all(each.isascii() and (each.isalnum() or each in "_-") for each in name)
        forms = [json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")]
        if bare:
            forms.append(name)
        if all(each.isprintable() and each != "'" for each in name):
            forms.append(f"'{name}'")
        self.write(self.draw(st.sampled_from(forms)))
        return start

    def pair(self, table: KeyPath, name: str, value: object) -> None:
        start = self.key(name)
        self.blank()
        self.write("=")
        self.blank()
        self.places[(*table, name)] = Place(start, len(self.text))
        self.value((*table, name), value)

    def value(self, path: KeyPath, value: object) -> None:
        if isinstance(value, dict):
            self.write("{")
            for index, (name, inner) in enumerate(value.items()):
                self.write("," if index else "")
                self.blank()
                self.pair(path, name, inner)
                self.blank()
            self.write("}")
        elif isinstance(value, list):
            self.write("[")
            for index, inner in enumerate(value):
                self.write(self.draw(st.sampled_from(["", "\n", " # ]\n  "])))
                self.places[(*path, index)] = Place(len(self.text), len(self.text))
                self.value((*path, index), inner)
                self.blank()
                self.write("," if index < len(value) - 1 else "")
            self.write("]")
        elif isinstance(value, str):
            basic = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
            self.write(
                self.draw(st.sampled_from([basic, f'""{basic}""', f'""\n"{basic[1:-1]}"""'.replace('""\n"', '"""\n')]))
            )
        else:
            self.write(json.dumps(value))


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**40), 2**40), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=4)


@given(st.data(), TABLES, st.dictionaries(NAMES, TABLES | st.lists(TABLES, min_size=1, max_size=3), max_size=3))
def test_positions_of_any_source(data: Any, top: dict[str, object], tables: dict[str, Any]) -> None:
    """In any TOML, each key and each value is found just where it was written."""
    writer = _Writer(data.draw)
    for name, value in top.items():
        writer.pair((), name, value)
        writer.line_end()
    for name, value in tables.items():
        if name in top:
            continue
        for index, table in enumerate(value if isinstance(value, list) else [value]):
            path: KeyPath = (name,)
            writer.write("[[" if isinstance(value, list) else "[")
            start = writer.key(name)
            place = Place(start, start, header=True)
            writer.write("]]" if isinstance(value, list) else "]")
            writer.line_end()
            writer.places.setdefault(path, place)
            if isinstance(value, list):
                path = (*path, index)
                writer.places[path] = place
            for key, inner in table.items():
                writer.pair(path, key, inner)
                writer.line_end()
    assert set(_paths(tomllib.loads(writer.text))) == set(writer.places)
    assert find_places(writer.text) == writer.places


def _paths(value: object, path: KeyPath = ()) -> list[KeyPath]:
    inner: list[KeyPath] = [path] if path else []
    if isinstance(value, dict):
        for key, each in value.items():
            inner += _paths(each, (*path, key))
    if isinstance(value, list):
        for index, each in enumerate(value):
            inner += _paths(each, (*path, index))
    return inner
