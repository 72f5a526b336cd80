"""The reference of all settings, as Markdown, made from type hints, defaults and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.config.model import GatewayConfig
from gateway.config.schema import sentences_of
from gateway.config.site_file import SiteFile
from gateway.control.type_words import Words, is_table, name_type, show_default
from gateway.features import LEAVES, NOT_YET
from gateway.settings import ShortForm

Tables = Mapping[type, list[str]]
"""Settings classes, each with the keys whose value is such a table."""

_ROOTS: Mapping[type, tuple[str, str]] = {
    SiteFile: ("A site file", "`NAME.toml`, named after the host it serves. Keys outside of any table stand first."),
    GatewayConfig: (
        "gateway.toml",
        "What concerns the machine as a whole. Without the file everything has its default.",
    ),
}


def reference() -> str:
    """Make the whole reference."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from _INTRODUCTION.splitlines()
    for root, (title, sentence) in _ROOTS.items():
        tables = find_tables(root)
        yield from ("", f"## {title}", "", sentence, "", *_table(root, tables))
        for cls, keys in tables.items():
            yield from ("", f"### {_title(keys)}", "", _summary(cls), "")
            short = _short_forms(root, (root, *tables), cls)
            if short:
                yield from (*short, "")
            yield from _table(cls, tables)
    yield from _not_yet()


def find_tables(root: type) -> Tables:
    """Find the settings classes of the tables below a class, nearest first."""
    found: dict[type, list[str]] = {}
    waiting = [root]
    while waiting:
        cls = waiting.pop(0)
        for key, hint in _hints(cls).items():
            for inner in _classes(hint):
                keys = found.setdefault(inner, [])
                if not keys:
                    waiting.append(inner)
                if key not in keys:
                    keys.append(key)
    return found


def _table(cls: type, tables: Tables) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    hints, meanings = _hints(cls), sentences_of(cls)
    information: Mapping[str, FieldInfo] = cls.__pydantic_fields__  # type: ignore[attr-defined]  # what `@settings` adds
    words = Words({each: f"[table](#{_slug(_title(keys))})" for each, keys in tables.items()})
    for key in sorted(hints, key=partial(_rank, hints)):
        hint = hints[key]
        field = information[key]
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "needed" if default is PydanticUndefined else show_default(hint, default)
        meaning = _cell(meanings[key])
        yield f"| `{key}` | {_cell(name_type(hint, words) + _bounds(field))} | {shown} | {meaning} |"


def _bounds(field: FieldInfo) -> str:
    low = [str(mark.ge) for mark in field.metadata if isinstance(mark, Ge)]
    high = [str(mark.le) for mark in field.metadata if isinstance(mark, Le)]
    return f" from {low[0]} to {high[0]}" if low and high else ""


def _rank(hints: Mapping[str, Any], key: str) -> tuple[bool, bool]:
    """Order keys as people meet them: who answers, then plain values, then tables."""
    return is_table(hints[key]), key not in LEAVES or not hints.keys() >= LEAVES.keys()


def _short_forms(root: type, classes: tuple[type, ...], cls: type) -> list[str]:
    """Describe the short forms of a table, from the docstrings of what expands them."""
    found: dict[str, list[str]] = {}
    for each in classes:
        for key, hint in _hints(each).items():
            if cls not in _classes(hint):
                continue
            for form in _marks(hint, ShortForm):
                sentence = (inspect.getdoc(form.expand) or "").partition("\n")[0]
                keys = found.setdefault(sentence, [])
                if sentence and key not in keys:
                    keys.append(key)
    return [f"- Short for {_title(keys)}: {sentence}" for sentence, keys in found.items() if sentence]


def _not_yet() -> Iterator[str]:
    yield from _NOT_YET.splitlines()
    yield from (f"| `{key}` | {what} |" for key, what in sorted(NOT_YET.items()))


def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


def _classes(hint: Any) -> Iterator[type]:
    """Find the settings classes in a hint."""
    if isinstance(hint, type) and is_dataclass(hint) and hasattr(hint, "__pydantic_fields__"):
        yield hint
    for inner in get_args(hint)[: 1 if get_origin(hint) is Annotated else None]:
        yield from _classes(inner)


def _marks(hint: Any, kind: type) -> Iterator[Any]:
    """Find the marks of a kind in a hint, bare or wrapped in a validator."""
    if get_origin(hint) is Annotated:
        for mark in hint.__metadata__:
            inner = getattr(mark, "func", mark)
            if isinstance(inner, kind):
                yield inner
    for inner in get_args(hint):
        yield from _marks(inner, kind)


def _summary(cls: type) -> str:
    """Turn the first sentence of a settings class's docstring into one about the table."""
    sentence = (inspect.getdoc(cls) or "").partition("\n")[0]
    sentence = sentence.removeprefix("Settings").removeprefix(",").removeprefix(" of").strip()
    return sentence[:1].upper() + sentence[1:]


def _title(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def _slug(title: str) -> str:
    """Make the anchor that a heading gets on code hosting sites."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_INTRODUCTION = """# All settings

Printed by `gateway settings`, which makes it from the program itself; `make docs` writes this file anew. Editors can
have the same as JSON Schema: see [checking](checking.md#in-an-editor).

## How values are written

| value | written as |
|---|---|
| duration | `"30s"`, `"500ms"`, `"5m"`, `"1.5h"`, `"7d"`, or a number of seconds |
| size | `"16 KB"` (16,000 octets), `"8 MiB"` (8,388,608), `"1 GB"`, or a number of octets |
| path | a file or folder, also behind `unix:`; relative to the folder of the file it is written in |
| upstream | a port on 127.0.0.1 (`4000`), `"host:port"`, `"unix:/run/app.sock"`, `"http://host"`, `"https://host"` |
| address | a path (`"/new"`) or an absolute URL (`"https://example.com/new"`) |
| listener | `"127.0.0.1:8080"`, `"[::]:80"`, `"unix:/run/gateway.sock"`, `"systemd:NAME"` |
| network | `"10.0.0.0/8"`, `"2001:db8::/32"`, or one address |
| trusted peer | a network, `"private"` (loopback, private networks, UNIX sockets) or `"cloudflare"` (its networks) |
| text | in quotes |

Instead of a text, path, duration, size or upstream may stand `"env:NAME"` (an environment variable), `"file:PATH"` (a
file's content without its final line end) or `"credential:NAME"` (a systemd credential). What they stand for is never
shown in messages about mistakes."""

_NOT_YET = """
## Not yet

These keys are known and wait for a later version. **A site that uses one is not served**, its hosts answer 503: it
may rely on what the key promises.

| key | what it is for |
|---|---|"""
