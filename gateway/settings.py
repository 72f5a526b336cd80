"""The vocabulary of settings classes: one decorator, and types that read what people write.

A settings class is a frozen dataclass whose fields are a table of a site file; pydantic checks it by its type hints and
makes the JSON Schema from them.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, TypeVar, cast, dataclass_transform

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.dataclasses import dataclass

from gateway.units import ByteCount, Seconds, parse_duration, parse_size

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
def settings(cls: _Class) -> _Class:
    """Make a class a settings class: frozen, keyword only, unknown keys refused."""
    return cast("_Class", dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)(cls))


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _size(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else value


def _network(value: Any) -> Any:
    return ip_network(value, strict=False) if isinstance(value, str) else value


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

_CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
