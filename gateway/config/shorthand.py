"""The short forms that people write, and the full settings that they mean.

Each `expand_…` turns one short form into the table that the settings class has, and leaves what it does not know to the
decoder, which then complains about it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from gateway.config.hosts import normal_pattern
from gateway.filters.headers import HeaderEdits, check_request_edits
from gateway.filters.hsts import Hsts
from gateway.filters.maintenance import Maintenance, expand_maintenance
from gateway.resources.page import Reply
from gateway.resources.proxy import Proxy
from gateway.resources.redirect import Redirect
from gateway.resources.static import Static
from gateway.settings import FilePath, ShortForm

PROXY_KEYS = frozenset(Proxy.__dataclass_fields__)
"""Keys of a proxied location's table."""


def expand_proxy(value: Any) -> Any:
    """`4000`, `"host:port"` or a list of these → `{ to = [...] }`."""
    if isinstance(value, dict):
        to = value.get("to")
        return value if to is None or isinstance(to, list) else {**value, "to": [to]}
    return {"to": value if isinstance(value, list) else [value]}


def expand_static(value: Any) -> Any:
    """`"dir"` → `{ root = "dir" }`."""
    return value if isinstance(value, dict) else {"root": value}


def expand_spa(value: Any) -> Any:
    """`"dir"` → `{ root = "dir", spa = true }`."""
    return {**expand_static(value), "spa": True}


def expand_redirect(value: Any) -> Any:
    """`"https://example.com"` → `{ to = "https://example.com" }`."""
    return value if isinstance(value, dict) else {"to": value}


def expand_redirect_entry(value: Any) -> Any:
    """`"/new"` → `{ to = "/new" }`; `410` → `{ status = 410 }`."""
    if isinstance(value, dict):
        return value
    return {"to": value} if isinstance(value, str) else {"status": value}


def expand_headers(value: Any) -> Any:
    """`X = "a"`, `"+X" = "b"`, `-Y = ""` and `remove = ["Z"]` → `{ set, add, remove }`."""
    if not isinstance(value, dict) or (value.keys() <= _EDITS and all(_is_full(key, value[key]) for key in value)):
        return value
    table: dict[str, Any] = {"set": {}, "add": {}, "remove": []}
    for key, content in value.items():
        if key == "remove":
            if not isinstance(content, list):
                raise ValueError(f'expected `remove = ["Name"]`, got {content!r}')
            table["remove"] += content
        elif key.startswith("-") and len(key) > 1:
            if content != "":
                raise ValueError(f'expected `{key} = ""`, for the field is removed, got {content!r}')
            table["remove"].append(key[1:])
        elif key.startswith("+") and len(key) > 1:
            table["add"][key[1:]] = content
        else:
            table["set"][key] = content
    return table


def expand_route(value: Any) -> Any:
    """`4000` → `{ proxy = { to = [4000] } }`; keys of the proxy may stand beside `proxy` or `to`."""
    if not isinstance(value, dict):
        return {"proxy": value}
    leaf = "phoenix" if "phoenix" in value else "proxy"
    beside = {key: content for key, content in value.items() if key in PROXY_KEYS}
    rest = {key: content for key, content in value.items() if key not in PROXY_KEYS}
    if not beside or (leaf not in rest and "to" not in beside):
        return value
    inner = {**expand_proxy(rest[leaf]), **beside} if leaf in rest else beside
    return {**rest, leaf: inner}


def check_path_pattern(text: str) -> str:
    """Check a key of `[routes]` or `[redirects]`: `/exact` or `/prefix/*`.

    Raises:
        ValueError: It is neither.
    """
    if not _PATH_PATTERN.fullmatch(text) or _DOTS.search(text):
        raise ValueError(f'expected a path such as "/about" or "/docs/*", decoded and without query, got {text!r}')
    return text


def split_pattern(text: str) -> tuple[str, bool]:
    """Split a key of `[routes]` into its prefix and whether it is exact: `/docs/*` → `/docs`, False."""
    return (text.removesuffix("/*"), False) if text.endswith("/*") else (text, True)


def _is_full(key: str, content: Any) -> bool:
    return isinstance(content, list) if key == "remove" else isinstance(content, dict)


def _entry_kind(value: Any) -> str:
    return "redirect" if isinstance(value, Redirect) or (isinstance(value, dict) and "to" in value) else "reply"


def _reply(reply: Reply) -> Reply:
    if not 400 <= reply.status <= 599:
        raise ValueError(f"expected a target, or a status from 400 to 599, got {reply.status}")
    return reply


def _host(value: Any) -> Any:
    return normal_pattern(value) if isinstance(value, str) else value


def _error_key(text: str) -> str:
    if not _ERROR_KEY.fullmatch(text):
        raise ValueError(f'expected a status such as "404", or "4xx" or "5xx", got {text!r}')
    return text


def _contact(text: str) -> str:
    if text and not _CONTACT.fullmatch(text):
        raise ValueError(f'expected "mailto:someone@example.com", "https://…" or "tel:…", got {text!r}')
    return text


def read_https(value: Any) -> Any:
    """`true` → `redirect`, `false` → `off`."""
    return {True: "redirect", False: "off"}[value] if isinstance(value, bool) else value


def expand_hsts(value: Any) -> Any:
    """`false` → `{ on = false }`."""
    return {"on": value} if isinstance(value, bool) else value


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


_TEXT = {"type": "string"}
_UPSTREAMS = {"type": ["integer", "string", "array"], "items": {"type": ["integer", "string"]}}

ProxyForm = Annotated[Proxy, ShortForm(expand_proxy, _UPSTREAMS)]
"""A proxy, as one writes it."""
StaticForm = Annotated[Static, ShortForm(expand_static, _TEXT)]
"""A static folder, as one writes it."""
SpaForm = Annotated[Static, ShortForm(expand_spa, _TEXT)]
"""A single-page app's folder, as one writes it."""
RedirectForm = Annotated[Redirect, ShortForm(expand_redirect, _TEXT)]
"""A redirect of all that a site or route gets."""
RedirectEntry = Annotated[
    Annotated[Redirect, Tag("redirect")] | Annotated[Reply, AfterValidator(_reply), Tag("reply")],
    Discriminator(_entry_kind),
    ShortForm(expand_redirect_entry, {"type": ["string", "integer"]}),
]
"""A value of `[redirects]`."""
HeadersForm = Annotated[
    HeaderEdits,
    ShortForm(
        expand_headers,
        {
            "type": "object",
            "properties": {"remove": {"type": "array", "items": _TEXT}},
            "additionalProperties": _TEXT,
        },
    ),
]
"""The table `[headers]`."""
RequestHeadersForm = Annotated[HeadersForm, AfterValidator(check_request_edits)]
"""The table `[request_headers]`."""
PathPattern = Annotated[str, AfterValidator(check_path_pattern)]
"""A key of `[routes]` or `[redirects]`."""
HostPattern = Annotated[str, BeforeValidator(_host)]
"""An element of `hosts`."""
ErrorKey = Annotated[str, AfterValidator(_error_key)]
"""A key of `[errors]`."""
Contact = Annotated[str, AfterValidator(_contact)]
"""Whom to tell about a hole (RFC 9116 §2.5.3)."""
MaintenanceForm = Annotated[Maintenance, ShortForm(expand_maintenance, {"type": ["string", "boolean"]})]
"""A page's path, or whether maintenance is on."""
HstsForm = Annotated[Hsts, ShortForm(expand_hsts, {"type": "boolean"})]
"""Whether, and how, browsers are told to use HTTPS only."""
PathsForm = Annotated[tuple[FilePath, ...], ShortForm(_list, _TEXT)]
"""One path or several."""

_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+|tel:[+0-9-]+")
_PATH_PATTERN = re.compile(r"/(?!/)(?:[^*%?#\\\x00-\x1f\x7f/]|/(?!/))*\*?", re.ASCII)
_DOTS = re.compile(r"/\.\.?(?:/|$)|[^/]\*$")
_ERROR_KEY = re.compile(r"[45](?:\d\d|xx)", re.ASCII)
_EDITS = frozenset({"set", "add", "remove"})
