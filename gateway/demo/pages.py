"""The demo's pages, made from the templates in `files/`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template

Fields = list[tuple[str, str]]
Renderer = Callable[[str, Fields], str]

_MEANING = {
    "host": "the name the browser asked for, kept as it was",
    "forwarded": "who asked, and how (RFC 7239)",
    "via": "the proxies on the way (RFC 9110 §7.6.3)",
    "x-forwarded-for": "the client's address",
    "x-forwarded-proto": "how the client reached the first proxy: http or https",
    "x-forwarded-host": "the name the client asked for",
    "x-forwarded-port": "the port the client connected to",
    "x-request-id": "one id for this request, the same in every log",
}
_ADDED = frozenset(_MEANING) - {"host"}


def start(fields: Fields) -> str:
    """The page at `http://localhost:8080/`: what is running and where to look."""
    received = _lower(fields)
    host = received.get("host", "localhost")
    sites = {name: f"{name}.{host}" for name in ("app", "blog", "spa", "away")}
    return _page(
        "start",
        title="gateway is running",
        **{name: escape(f"//{site}", quote=True) for name, site in sites.items()},
        **{f"{name}_name": escape(site) for name, site in sites.items()},
        gateway=escape(version("gateway")),
        python=escape(f"{platform.python_implementation()} {platform.python_version()}"),
        path=_path(received),
    )


def home(name: str, fields: Fields) -> str:
    """The app's first page: where to go, and what the app was told about the request."""
    received = _lower(fields)
    rows = "".join(_row(*field) for field in sorted(fields, key=_telling_first))
    return _page(name, title="demo app", path=_path(received), rows=rows)


def plain(name: str, fields: Fields) -> str:
    """A page that shows nothing of the request."""
    return _page(name, title=name)


def _path(received: dict[str, str]) -> str:
    if received.keys() & _ADDED:
        client = received.get("x-forwarded-for", "an address it did not tell")
        return f"This page came through the gateway, for a client at {escape(client)}."
    return "This page came straight from the demo app: no proxy has added anything."


def _row(name: str, value: str) -> str:
    meaning = _MEANING.get(name.lower(), "")
    kind = ' class="added"' if name.lower() in _ADDED else ""
    return f"<tr{kind}><th>{escape(name)}</th><td><code>{escape(value)}</code></td><td>{escape(meaning)}</td></tr>\n"


def _telling_first(field: tuple[str, str]) -> tuple[bool, str]:
    name = field[0].lower()
    return name not in _MEANING, name


def _lower(fields: Fields) -> dict[str, str]:
    return {name.lower(): value for name, value in fields}


def _page(name: str, title: str, **parts: str) -> str:
    folder = files("gateway.demo") / "files"
    body = Template((folder / f"{name}.html").read_text("utf-8")).substitute(parts)
    return Template((folder / "frame.html").read_text("utf-8")).substitute(title=escape(title), name=name, body=body)
