"""Type hints of settings in the words of people who write site files."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from datetime import datetime, time
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from gateway.config.model import Listen, TrustedProxy
from gateway.config.shorthand import (
    ErrorKey,
    HostPattern,
    PathPattern,
    PathsForm,
    ProxyForm,
    RedirectEntry,
    RedirectForm,
    SpaForm,
    StaticForm,
)
from gateway.config.site_file import Route
from gateway.settings import Duration, FieldName, FilePath, Network, ShortForm, Size
from gateway.units import ByteCount, Seconds
from gateway.upstream.address import Upstream


@dataclass(frozen=True)
class Words:
    """How tables are called.

    Attributes:
        tables: Settings class → its words, perhaps a link.
    """

    tables: Mapping[type, str]


def name_type(hint: Any, words: Words) -> str:
    """Say what may be written where a hint stands."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _either([name_type(each, words) for each in inner if each is not types.NoneType])
    if origin is Annotated:
        return _name_annotated(hint, words)
    if origin is Literal:
        return _either([_quoted(each) for each in inner])
    if origin is tuple:
        return f"list of {_plural(name_type(inner[0], words))}"
    if origin is dict:
        return f"table: {name_type(inner[0], words)} = {name_type(inner[1], words)}"
    if isinstance(hint, type) and is_dataclass(hint):
        return words.tables.get(hint, "table")
    return _SCALARS.get(hint) or str(getattr(hint, "__name__", hint))


def is_table(hint: Any) -> bool:
    """Tell whether a key is written as a table only, so that it stands below the others."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return all(is_table(each) for each in inner if each is not types.NoneType)
    if origin is Annotated:
        shorts = [mark for mark in inner[1:] if isinstance(mark, ShortForm)]
        return is_table(inner[0]) and all(mark.schema.get("type") == "object" for mark in shorts)
    return origin is dict or (isinstance(hint, type) and is_dataclass(hint))


def show_default(hint: Any, value: object) -> str:
    """Write a default as people would; a dash stands for nothing."""
    if value is None or value == "" or value == () or value == {} or is_dataclass(value):
        return "—"
    named = _find_name(hint)
    if named == "duration" and isinstance(value, (int, float)):
        return f"`{_show_quantity(value, _DURATIONS)}`"
    if named == "size" and isinstance(value, int):
        return f"`{_show_quantity(value, _SIZES)}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(_plain(each) for each in value)}]`"
    return f"`{_plain(value)}`"


def _name_annotated(hint: Any, words: Words) -> str:
    inner, marks = hint.__origin__, hint.__metadata__
    named = _find_name(hint)
    if named:
        table = _find_table(inner, words)
        return f"{named} or {table}" if table else named
    for mark in marks:
        if isinstance(mark, ShortForm):
            kinds = mark.schema["type"]
            short = [_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
            return _either([each for each in short if each != "table"] + [name_type(inner, words)])
    return name_type(inner, words)


def _find_name(hint: Any) -> str:
    """Find the word for a type that has one; further validators behind it do not matter."""
    for known, name in _NAMED:
        if get_origin(hint) is not Annotated or hint.__origin__ != known.__origin__:
            continue
        if hint.__metadata__[: len(known.__metadata__)] == known.__metadata__:
            return name
    return ""


def _find_table(hint: Any, words: Words) -> str:
    if isinstance(hint, type) and is_dataclass(hint):
        return words.tables.get(hint, "")
    return next((found for each in get_args(hint) if (found := _find_table(each, words))), "")


def _either(choices: list[str]) -> str:
    choices = list(dict.fromkeys(choices))
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _plural(word: str) -> str:
    return word if word.endswith("s") else f"{word}s"


def _quoted(value: object) -> str:
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return f'"{getattr(value, "name", value)}"'


def _show_quantity(value: float, units: Mapping[str, float]) -> str:
    """Write a quantity in the largest unit that divides it."""
    for unit, scale in units.items():
        if value and not value % scale:
            return f'"{value / scale:g}{unit}"'
    return f"{value:g}"


_NAMED: Final[tuple[tuple[Any, str], ...]] = (
    (Route, "upstream, list of these"),
    (ProxyForm, "upstream, list of these"),
    (StaticForm, "path"),
    (SpaForm, "path"),
    (RedirectForm, "address"),
    (RedirectEntry, "address, status"),
    (PathsForm, "path, list of paths"),
    (Duration, "duration"),
    (Size, "size"),
    (FilePath, "path"),
    (FieldName, "header name"),
    (Network, "network"),
    (Upstream, "upstream"),
    (Listen, "listener"),
    (TrustedProxy, "trusted peer"),
    (HostPattern, "host"),
    (ErrorKey, "status"),
    (PathPattern, "path"),
)
_SCALARS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    time: "time of day",
    datetime: "date with time",
    Seconds: "duration",
    ByteCount: "size",
}
_KINDS: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "array": "list",
    "object": "table",
}
_DURATIONS: Final[Mapping[str, float]] = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_SIZES: Final[Mapping[str, float]] = {" GB": 10**9, " MB": 10**6, " KB": 10**3, " MiB": 2**20, " KiB": 2**10}
