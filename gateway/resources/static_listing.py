"""Lists of what is in a folder, as a page or as JSON."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from functools import partial
from html import escape
from operator import attrgetter
from typing import Final
from urllib.parse import quote

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import FileUnavailable, GatewayError
from gateway.http.dates import http_date
from gateway.http.message import ResponseHead
from gateway.http.negotiation import AnswerForm, choose_form
from gateway.http.paths import is_private
from gateway.http.stream import Discard
from gateway.net.disk import Disk
from gateway.units import Seconds
from gateway.web.request import Request

log = Logger()

MAX_ENTRIES: Final = 10_000
"""Names shown of one folder, as the disk gives them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a list.

    Attributes:
        name: Its name.
        folder: Whether it is a folder.
        size: Octets of a file; None for folders and links.
        modified: When it was last changed, in seconds since 1970; None for links.
    """

    name: bytes
    folder: bool
    size: int | None
    modified: int | None


class Listing(Discard):
    """Answers with the list of a folder.

    Args:
        request: The exchange.
        descriptor: The folder, closed by this object.
    """

    __slots__ = ("_descriptor", "_gone", "_request")

    def __init__(self, request: Request, descriptor: int) -> None:
        self._request = request
        self._descriptor = descriptor
        self._gone = False

    def start(self, disk: Disk) -> None:
        """Let a thread read the folder and write the list, for both may take long; then answer."""
        request = self._request
        request.upstream = self
        as_json = choose_form(request.head) is AnswerForm.JSON
        write = make_json if as_json else partial(make_page, request.path.decoded)
        disk.call(lambda: write(read_entries(self._descriptor))).addBoth(self._close).addCallbacks(
            self._answer, self._failed, (as_json,)
        ).addErrback(self._failed)

    def reset(self, error: GatewayError) -> None:
        """Give up."""
        self._gone = True

    def _close(self, result: bytes | Failure) -> bytes | Failure:
        os.close(self._descriptor)
        return result

    def _answer(self, content: bytes, as_json: bool) -> None:
        if self._gone:
            return
        fields = [
            (b"Content-Type", b"application/json" if as_json else b"text/html; charset=utf-8"),
            (b"Cache-Control", b"no-cache"),
            (b"Vary", b"Accept, Sec-Fetch-Dest"),
            (b"X-Content-Type-Options", b"nosniff"),
        ]
        if not as_json:
            fields.append((b"Content-Security-Policy", _POLICY))
        self._request.answer(ResponseHead.make(200, tuple(fields), len(content)), content)

    def _failed(self, failure: Failure) -> None:
        if self._gone:
            return
        error = failure.value
        if isinstance(error, OSError):
            error = FileUnavailable(f"a folder cannot be read: {error}")
        elif not isinstance(error, GatewayError):
            log.failure("a folder could not be listed", failure)
            error = GatewayError("a folder could not be listed")
        self._request.fail(error)


def read_entries(descriptor: int) -> list[Entry]:
    """Read what a folder shows: no private names, nothing but files, folders and links; folders first, by name."""
    found: list[Entry] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            if is_private(name) or len(found) >= MAX_ENTRIES:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # deleted in the meantime
                continue
            if stat.S_ISLNK(status.st_mode):  # what it leads to is looked at when it is asked for
                found.append(Entry(name, False, None, None))
            elif stat.S_ISDIR(status.st_mode):
                found.append(Entry(name, True, None, int(status.st_mtime)))
            elif stat.S_ISREG(status.st_mode):
                found.append(Entry(name, False, status.st_size, int(status.st_mtime)))
    found.sort(key=attrgetter("name"))
    found.sort(key=attrgetter("folder"), reverse=True)
    return found


def make_json(entries: list[Entry]) -> bytes:
    """Write a list for programs."""
    rows = [
        {
            "name": _shown(entry.name),
            "type": "folder" if entry.folder else "file",
            "size": entry.size,
            "modified": _date(entry),
        }
        for entry in entries
    ]
    return json.dumps(rows, indent=1).encode("ascii") + b"\n"


def make_page(path: bytes, entries: list[Entry]) -> bytes:
    """Write a list for people; every name is escaped.

    Args:
        path: Decoded path of the folder, ending in a slash.
        entries: What is in it.
    """
    rows = [] if path == b"/" else ['<tr><td><a href="../">../</a><td><td>']
    for entry in entries:
        slash = "/" if entry.folder else ""
        # `./`: a name with a colon is no scheme.
        link = f'<a href="./{escape(quote(entry.name, safe=""))}{slash}">{escape(_shown(entry.name))}{slash}</a>'
        size = "" if entry.size is None else f"{entry.size:,}"
        rows.append(f"<tr><td>{link}<td>{size}<td>{escape(_date(entry))}")
    title = escape(_shown(path))
    page = _PAGE.replace("{title}", title).replace("{rows}", "\n".join(rows))
    return page.encode("utf-8")


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _date(entry: Entry) -> str:
    return "" if entry.modified is None else http_date(Seconds(entry.modified)).decode("ascii")


_POLICY: Final = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root { color-scheme: light dark; --ground: #fafaf9; --text: #1c1917; --quiet: #6b6560; --line: #e7e5e4; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1c1917; --text: #f5f5f4; --quiet: #a8a29e; --line: #44403c; }
}
body { margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { padding: 2rem; max-width: 60rem; margin: 0 auto; overflow-x: auto; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td { padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); white-space: nowrap; }
td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
td + td { color: var(--quiet); text-align: right; font-variant-numeric: tabular-nums; }
a { color: inherit; }
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<table>
{rows}
</table>
</main>
</body>
</html>
"""
