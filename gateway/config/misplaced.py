"""The most common mistake of beginners: a key of the file below a header, where TOML takes it for the table's."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from gateway.config.decode import Decoder
from gateway.config.positions import KeyPath
from gateway.config.source import Source, dotted
from gateway.errors import ConfigError


def misplaced_keys(source: Source, decoder: Decoder[Any], top: AbstractSet[str]) -> dict[KeyPath, ConfigError]:
    """Find keys of the file as a whole that ended up inside a table.

    Args:
        source: The file.
        decoder: Knows which keys the tables have.
        top: Keys of the file as a whole.
    """
    if not any(_may_hold(value, top) for value in source.data.values()):
        return {}
    found: dict[KeyPath, ConfigError] = {}
    places = source.places
    headers = [place.key for place in places.values() if place.header]
    for path in places:
        table, key = path[:-1], path[-1]
        if not table or not places[table].header or places[path].header or key not in top:
            continue
        names = tuple(part for part in table if isinstance(part, str))
        if table[0] not in decoder.not_yet and key in decoder.known_keys(names):
            continue
        line, _ = source.lines.locate(min(headers))
        message = f"`{key}` is inside [{dotted(names)}]; move it above line {line}"
        found[path] = source.error(message, path, at_key=True, suggestion=str(key), kind="misplaced")
    return found


def _may_hold(value: object, top: AbstractSet[str]) -> bool:
    """Look quickly whether a value has such keys at all; most files need no look at positions."""
    if isinstance(value, list):
        return any(_may_hold(each, top) for each in value)
    if not isinstance(value, dict):
        return False
    return not value.keys().isdisjoint(top) or any(_may_hold(each, top) for each in value.values())
