"""HTML with variables: `{status}`, `{request_id}`, `{host}`, and for pages of our own a few more.

Braces around anything else stay as they are, so that styles and scripts need no care. What goes in is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Final

_FOLDER: Final = files("gateway.resources") / "pages"


def built_in(name: str) -> str:
    """Read a file of the built-in pages."""
    return (_FOLDER / name).read_text(encoding="utf-8")


class Template:
    """A page, ready but for what each request puts in.

    Args:
        html: The page.
        known: Variables whose value does not depend on the request.
    """

    __slots__ = ("_pieces",)

    def __init__(self, html: str, known: Mapping[str, str]) -> None:
        parts = _VARIABLE.split(html)
        pieces: list[bytes | str] = [parts[0].encode("utf-8")]
        for name, literal in zip(parts[1::2], parts[2::2], strict=True):
            if name in known:
                pieces.append(escape(known[name]).encode("utf-8"))
            else:
                pieces.append(name)
            pieces.append(literal.encode("utf-8"))
        self._pieces = tuple(pieces)

    def fill(self, variables: Mapping[str, bytes]) -> bytes:
        """Make the page.

        Args:
            variables: Values by name, taken as text and escaped; those that are not there stay empty.
        """
        return b"".join(
            piece if isinstance(piece, bytes) else _escape(variables.get(piece, b"")) for piece in self._pieces
        )


def _escape(value: bytes) -> bytes:
    return escape(value.decode("utf-8", "replace")).encode("utf-8")


_VARIABLE: Final = re.compile(r"\{(title|mark|heading|message|next|status|request_id|host)\}")
STYLE: Final = built_in("style.css")
ERROR: Final = built_in("error.html").replace("{style}", STYLE)
MAINTENANCE: Final = built_in("maintenance.html").replace("{style}", STYLE)
