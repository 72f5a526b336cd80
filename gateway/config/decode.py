"""Plain data → settings, by pydantic; each of its complaints becomes a `ConfigError` with its place in the file."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Annotated, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.positions import KeyPath
from gateway.config.secrets import Resolved
from gateway.config.source import Source, dotted
from gateway.errors import ConfigError

_Settings = TypeVar("_Settings")
Loc = tuple[str | int, ...]


class Decoder(Generic[_Settings]):
    """Makes settings of one class from parsed TOML; made once, for that costs more than a hundred files.

    Args:
        cls: The settings class.
        not_yet: Keys that are known and wait for a later version, with what they will do.
        beside: Keys of an app that may also stand in a table beside those of its class, where there is an app; by the
            class.
        elsewhere: Keys that stand somewhere else than in the file as a whole, with a sentence that says where.
    """

    def __init__(
        self,
        cls: type[_Settings],
        not_yet: Mapping[str, str] | None = None,
        beside: Mapping[type, Iterable[str]] | None = None,
        elsewhere: Mapping[str, str] | None = None,
    ) -> None:
        self.cls = cls
        self.not_yet = not_yet or {}
        self.beside = beside or {}
        self.elsewhere = elsewhere or {}
        self.adapter = TypeAdapter(cls)

    def decode(self, resolved: Resolved, sources: Sequence[Source]) -> _Settings | list[ConfigError]:
        """Make settings, or tell all that is wrong.

        Args:
            resolved: The data of all sources, merged.
            sources: The files it came from; a key is looked for in the first of them first.
        """
        missing = [place_in(sources, path).error(message, path, kind="secret") for path, message in resolved.missing]
        try:
            settings = self.adapter.validate_python(resolved.data, context={"folder": sources[0].folder})
        except ValidationError as error:
            unset = {path for path, _ in resolved.missing}
            details = error.errors(include_url=False)
            found = [self._explain(each, resolved, sources) for each in details if not _follows(each)]
            return missing + [each for path, each in found if path not in unset]
        return missing or settings

    def known_keys(self, loc: Loc) -> list[str]:
        """List the keys that the table at a location may have; empty where any key may stand."""
        cls = _class_at(self.cls, loc)
        if cls is None:
            return []
        return [*(field.name for field in fields(cls)), *self.beside.get(cls, ())]

    def _explain(
        self, details: ErrorDetails, resolved: Resolved, sources: Sequence[Source]
    ) -> tuple[KeyPath, ConfigError]:
        loc = tuple(part for part in details["loc"] if part != "[key]")
        source = place_in(sources, loc)
        path = source.find(loc)
        at_key = details["loc"][-1:] == ("[key]",)
        match details["type"]:
            case "unexpected_keyword_argument":
                error = self._unknown_key(source, path, loc)
            case "missing":
                error = source.error(f"`{loc[-1]}` is missing", path, at_key=True, kind="missing")
            case _:
                error = self._wrong_value(source, path, details, _reference_near(resolved, path), at_key)
        return path, error

    def _unknown_key(self, source: Source, path: KeyPath, loc: Loc) -> ConfigError:
        key = str(loc[-1])
        if key in self.not_yet:
            message = f"`{key}` is not yet supported: {self.not_yet[key]} will come with a later version"
            return source.error(message, path, at_key=True, kind="not_yet")
        if len(path) == 1 and key in self.elsewhere:
            return source.error(self.elsewhere[key], path, at_key=True, kind="misplaced")
        known = self.known_keys(loc[:-1])
        if key in known:
            message = f"`{key}` is about an app: expected `phoenix` or `proxy` beside it"
            return source.error(message, path, at_key=True, kind="misplaced")
        suggestion = nearest(key, [*known, *self.not_yet])
        table = f" in {_table_name(path)}" if len(path) > 1 else ""
        expected = "one of " + ", ".join(sorted(known)) if known else ""
        return source.error(
            f"unknown key `{key}`{table}",
            path,
            at_key=True,
            expected=expected,
            suggestion=suggestion,
            kind="unknown_key",
        )

    @staticmethod
    def _wrong_value(source: Source, path: KeyPath, details: ErrorDetails, reference: str, at_key: bool) -> ConfigError:
        value, kind = details["input"], "value"
        found = f"the value of {reference}" if reference else _shown(value)
        expected = _EXPECTED.get(details["type"], details["msg"].replace("Input should be", "a value", 1))
        suggestion = ""
        if details["type"] == "literal_error":
            expected = str(details["ctx"]["expected"])
            choices = [each.strip("'") for each in expected.replace(" or ", ", ").split(", ")]
            suggestion = nearest(value, choices) if isinstance(value, str) and not reference else ""
        message = f"expected {expected}, got {found}"
        if details["type"] == "value_error":
            # Validators say "expected …, got …", or another sentence whose end may show the value.
            message = str(details["ctx"]["error"])
            start = message.partition(", got ")[0]
            if reference:
                message = f"{start}, got {found}" if start != message else f"{found} does not fit here"
            expected = start.removeprefix("expected ") if start.startswith("expected ") else ""
        return source.error(
            message, path, at_key=at_key, expected=expected, found=found, suggestion=suggestion, kind=kind
        )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _follows(details: ErrorDetails) -> bool:
    """Tell whether a list is only called too short because its elements are wrong, which is told anyway."""
    return details["type"] == "too_short" and len(details["input"]) > 0


def place_in(sources: Sequence[Source], loc: Loc) -> Source:
    """Choose the source in which a location is written; the first where none has more of it."""
    return max(sources, key=lambda source: len(source.find(loc)))


def nearest(word: str, known: Iterable[str]) -> str:
    """Find the known word that was probably meant; empty if none is near."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def _table_name(path: KeyPath) -> str:
    return f"[{dotted(path[:-1])}]"


def _reference_near(resolved: Resolved, path: KeyPath) -> str:
    """Find a reference at, above or below a key path: an error there may not show the value."""
    for place, reference in resolved.references.items():
        shorter = min(len(place), len(path))
        if place[:shorter] == path[:shorter]:
            return reference
    return ""


def _class_at(hint: object, loc: Loc) -> type | None:
    """Find the settings class of the table at a location, through optional, annotated, dict and tuple types."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _class_at(inner[0], loc)
    if origin in (Union, types.UnionType):
        found = [_class_at(each, loc) for each in inner]
        return next((each for each in found if each is not None), None)
    if origin in (dict, tuple):
        return _class_at(inner[1] if origin is dict else inner[0], loc[1:]) if loc else None
    if not isinstance(hint, type) or not is_dataclass(hint):
        return None
    if not loc:
        return hint
    field = get_type_hints(hint, include_extras=True).get(str(loc[0]))
    # A part that is no field is the tag of a union: go on behind it.
    return _class_at(hint if field is None else field, loc[1:])


_SHOWN = 120
"""Characters shown of a wrong value."""
_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "string_type": "a text in quotes",
    "tuple_type": "a list in brackets",
    "dict_type": "a table",
    "dataclass_type": "a table",
    "too_short": "a list with at least one element",
}
