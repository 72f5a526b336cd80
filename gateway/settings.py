"""The vocabulary of settings classes: one decorator, and types that read what people write.

A settings class is a frozen dataclass whose fields are a table of a site file; pydantic checks it by its type hints and
makes the JSON Schema from them. Scalars are read strictly: `"4000"` is no number and `1` is not true.
"""

from __future__ import annotations

import os.path
import re
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass as plain_dataclass
from dataclasses import is_dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, TypeVar, Union, cast, dataclass_transform, get_args, get_origin, get_type_hints

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.dataclasses import dataclass
from pydantic_core import CoreSchema, core_schema

from gateway.units import ByteCount, Seconds, parse_duration, parse_size

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
def settings(cls: _Class) -> _Class:
    """Make a class a settings class: frozen, keyword only, unknown keys refused, scalars strict."""
    hints = get_type_hints(cls, include_extras=True)
    cls.__annotations__ = {name: _strict(hints[name]) for name in cls.__annotations__}
    return cast("_Class", dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)(cls))


def _strict(hint: Any) -> Any:
    """Refuse the conversions between scalars that pydantic makes by default, for they hide mistakes."""
    if hint in (int, float, bool):
        return Annotated[hint, Strict()]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple or origin is dict:
        return origin[tuple(_strict(each) for each in inner)]
    if origin in (Union, types.UnionType):
        return Union[tuple(_strict(each) for each in inner)]  # noqa: UP007  (built at run time)
    if origin is Annotated and inner[0] in (int, float, bool):
        return Annotated[(inner[0], Strict(), *inner[1:])]
    return hint


@plain_dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: Annotated wants hashes
class ShortForm:
    """Marks a type that may also be written in a shorter form.

    Attributes:
        expand: Turns the short form into the full one, and leaves anything else alone.
        schema: JSON Schema of the short form.
    """

    expand: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Expand before anything is checked (pydantic)."""
        return core_schema.no_info_before_validator_function(self._expand, handler(source))

    def _expand(self, value: Any) -> Any:
        return value if is_dataclass(value) else self.expand(value)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe both forms (pydantic)."""
        return {"anyOf": [dict(self.schema), handler(schema)]}


class Secret(str):  # noqa: SLOT000  (a str with slots cannot hold an attribute of its own)
    """A text whose value must not be shown.

    Args:
        value: The text.
        reference: Where it came from, such as `env:NAME`; shown in its place.
    """

    reference: str

    def __new__(cls, value: str, reference: str) -> Secret:
        """Remember the reference beside the value."""
        secret = super().__new__(cls, value)
        secret.reference = reference
        return secret

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # two, as `__new__` takes
        """Say how to make it again, as copies and other processes do."""
        return str(self), self.reference

    def __repr__(self) -> str:
        return f"<{self.reference}>"


def beside_file(path: str, info: ValidationInfo) -> str:
    """Make a path absolute: it is relative to the file that it is written in.

    Args:
        path: The path; an empty one stays empty.
        info: Its context names the `folder` of the file.
    """
    folder = (info.context or {}).get("folder", "")
    return os.path.normpath(os.path.join(folder, path)) if path and folder else path


def _path(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("expected a path, got one with a NUL")
    return beside_file(value, info) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else _number(value, 'a duration such as "30s" or "5m"')


def _size(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else _number(value, 'a size such as "16 KB" or "8 MiB"')


def _number(value: Any, expected: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"expected {expected}, got {value!r}")
    return value


def _network(value: Any) -> Any:
    if isinstance(value, (IPv4Network, IPv6Network)):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return ip_network(value, strict=False)
    raise ValueError(f'expected an address or network such as "10.0.0.0/8", got {value!r}')


def _field_name(value: Any) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise ValueError(f"expected a field name (RFC 9110 §5.1), got {value!r}")
    if value.lower() in _FRAMING:
        raise ValueError(f"expected a field that is not part of the framing, got {value!r}")
    return value


def _field_value(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text in quotes, got {value!r}")
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError("expected a field value without control characters, line ends or outer blanks")
    return value


Duration = Annotated[
    Seconds,
    BeforeValidator(_duration),
    Field(ge=0, allow_inf_nan=False),
    WithJsonSchema({"type": ["string", "number"], "description": 'Duration: "30s", "500ms", "5m", or seconds'}),
]
Size = Annotated[
    ByteCount,
    BeforeValidator(_size),
    Field(ge=0),
    WithJsonSchema({"type": ["string", "integer"], "description": 'Size: "16 KB", "8 MiB", or bytes'}),
]
Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_network),
    WithJsonSchema({"type": "string", "description": "Address or network in CIDR form"}),
]
FilePath = Annotated[str, BeforeValidator(_path)]
"""Path of a file or folder; in a site file relative to that file, afterwards absolute."""
FieldName = Annotated[str, PlainValidator(_field_name), WithJsonSchema({"type": "string"})]
"""Name of a header field that may be edited."""
FieldValue = Annotated[str, PlainValidator(_field_value), WithJsonSchema({"type": "string"})]
"""Value of a header field; keeps a `Secret` as one."""

_CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_FIELD_VALUE = re.compile(r"(?:[!-~\x80-\U0010ffff](?:[\t -~\x80-\U0010ffff]*[!-~\x80-\U0010ffff])?)?")
# Editing these would make two ends disagree about where a message ends (RFC 9112 §11).
_FRAMING = frozenset({"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
