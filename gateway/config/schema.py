"""JSON Schema of site files and of gateway.toml, for editors: it describes the forms that people write."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from gateway.config.acme import Acme, ExternalAccountBinding
from gateway.config.model import GatewayConfig, Limits, LogSettings
from gateway.config.shorthand import PROXY_KEYS
from gateway.config.site_file import RouteTable, SiteFile
from gateway.features import NOT_YET
from gateway.filters.conditions import When
from gateway.filters.headers import HeaderEdits
from gateway.filters.hsts import Hsts
from gateway.filters.maintenance import Maintenance
from gateway.resources.page import Reply
from gateway.resources.proxy import Proxy
from gateway.resources.redirect import Redirect
from gateway.resources.static import Static
from gateway.resources.websocket import WebSocket
from gateway.upstream.probe import Health

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CLASSES = (
    *(Acme, ExternalAccountBinding, GatewayConfig, HeaderEdits, Health, Hsts, Limits, LogSettings, Maintenance, Proxy),
    Redirect,
    *(Reply, RouteTable, SiteFile, Static, WebSocket, When),
)


def site_schema() -> Schema:
    """Make the schema of a site file.

    Keys that wait for a later version are in it, marked as such, for an editor should not call them unknown.
    """
    schema = _schema_of(SiteFile, "gateway: a site file")
    definitions = schema["$defs"]
    proxy, route = definitions["Proxy"], definitions["RouteTable"]
    upstreams = proxy["properties"]["to"]
    proxy["properties"]["to"] = {"description": upstreams["description"], "anyOf": [upstreams["items"], upstreams]}
    beside = {key: proxy["properties"][key] for key in PROXY_KEYS}
    route["properties"] = {**beside, **route["properties"]}
    waiting = {key: {"description": f"Not yet supported: {what}."} for key, what in NOT_YET.items()}
    for table in (schema, route, proxy):
        table["properties"] = {**waiting, **table["properties"]}
    return schema


def gateway_schema() -> Schema:
    """Make the schema of gateway.toml."""
    return _schema_of(GatewayConfig, "gateway: gateway.toml")


def _schema_of(cls: type, title: str) -> Schema:
    schema = TypeAdapter(cls).json_schema()
    described = {"": cls, **{each.__name__: each for each in _CLASSES}}
    for name, table in {"": schema, **schema.get("$defs", {})}.items():
        _describe(table, described[name])
    return {"$schema": _DIALECT, **schema, "title": title}


def sentences_of(cls: type) -> dict[str, str]:
    """Find what the docstring of a settings class says about each of its attributes."""
    found = _ATTRIBUTE.findall(inspect.getdoc(cls) or "")
    return {name: " ".join(sentence.split()) for name, sentence in found}


def _describe(table: Schema, cls: type) -> None:
    """Give each key the sentence that its class's docstring has for it."""
    table["description"] = (inspect.getdoc(cls) or "").partition("\n")[0]
    sentences = sentences_of(cls)
    for field in fields(cls):
        table["properties"][field.name]["description"] = sentences[field.name]


_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
