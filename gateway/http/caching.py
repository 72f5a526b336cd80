"""How long files may be kept: Cache-Control for what is read from disk.

A name that changes with the content may be kept for ever, a page must be asked for every time, anything else for an
hour. A name wrongly taken for one with a digest would stick in browsers for a year, one wrongly not taken for it costs
a conditional request: in doubt a name has none.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

IMMUTABLE: Final = b"public, max-age=31536000, immutable"
REVALIDATE: Final = b"no-cache"
AN_HOUR: Final = b"max-age=3600"


def cache_control(name: bytes, content_type: bytes, query: bytes) -> bytes:
    """Choose the value of Cache-Control.

    Args:
        name: The file's name, without folders.
        content_type: Its media type.
        query: The request's query, without `?`; Phoenix marks digested files by `vsn=d`.
    """
    if content_type.startswith(b"text/html"):
        return REVALIDATE
    if has_digest(name) or b"vsn=d" in query.split(b"&"):
        return IMMUTABLE
    return AN_HOUR


def has_digest(name: bytes) -> bool:
    """Tell whether a file's name carries a digest of its content.

    Known are those of `mix phx.digest`, 32 hexadecimal digits, and those of Vite and esbuild, eight characters before
    the ending of a kind of file that they write. Eight characters may also be a word or a date (`-document.`,
    `-20240131.`): they count where upper case, lower case and digits alternate as in no word.
    """
    if _PHOENIX.search(name):
        return True
    found = _BUNDLER.search(name)
    if found is None:
        return False
    digest = found[1]
    kinds = [_kind(octet) for octet in digest]
    changes = sum(one != other for one, other in pairwise(kinds))
    return changes >= (_ALTERNATING - 1 if _BASE32.fullmatch(digest) else _ALTERNATING)


def _kind(octet: int) -> int:
    character = chr(octet)
    return 0 if character.isdigit() else 1 if character.isupper() else 2 if character.islower() else 3


_PHOENIX: Final = re.compile(rb"-[0-9a-f]{32}\.")
_BUNDLER: Final = re.compile(
    rb"[-.]([0-9A-Za-z_-]{8})\.(?:m?js|css|map|wasm|woff2?|ttf|svg|png|jpe?g|gif|webp|avif|ico)(?:\.map)?\Z"
)
_BASE32: Final = re.compile(rb"[A-Z2-7]{8}")
_ALTERNATING: Final = 3
"""Changes between kinds of characters; `Chapter1` has two, `IMG_2024` too."""
