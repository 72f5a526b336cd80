"""Which form an answer of the gateway's own takes: whoever asked must be able to read it, or at least survive it.

Source: RFC 9110 §12.5.1; Fetch Metadata for what browsers load without showing it.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Final

from gateway.http.fields import quality_values
from gateway.http.known import ACCEPT
from gateway.http.message import RequestHead


class AnswerForm(Enum):
    """Form of an error answer's content."""

    HTML = b"text/html; charset=utf-8"
    JSON = b"application/json"
    TEXT = b"text/plain; charset=utf-8"
    EMPTY = b""


def choose_form(head: RequestHead) -> AnswerForm:
    """Choose the form of an error answer.

    Pages go to navigations, JSON to those who ask for it, plain text to tools that take anything. Nothing at all goes
    to WebSocket handshakes, event streams, images, scripts and styles, and to long polls: Phoenix's client gives up for
    good on any JSON it does not know, but tries again after an empty answer.
    """
    if head.upgrade or is_long_poll(head.target):
        return AnswerForm.EMPTY
    destination = head.get(b"sec-fetch-dest")
    if destination is not None and destination.lower() not in _SHOWN:
        return AnswerForm.EMPTY
    accept = b",".join(head.get_all(b"accept"))
    return _accepted(accept) if len(accept) <= _REMEMBERED else _accepted.__wrapped__(accept)


def accepts_page(head: RequestHead) -> bool:
    """Tell whether a client names HTML among what it accepts, as browsers do where a page will be shown."""
    if not head.known & ACCEPT:
        return False
    accept = b",".join(head.get_all(b"accept"))
    return _names_html(accept) if len(accept) <= _REMEMBERED else _names_html.__wrapped__(accept)


def is_long_poll(target: bytes) -> bool:
    """Tell whether a request target is that of a Phoenix long-poll transport."""
    return target.partition(b"?")[0].rstrip(b"/").endswith(b"/longpoll")


@lru_cache(maxsize=256)
def _names_html(accept: bytes) -> bool:
    ranges = quality_values(accept)
    return any(name in _TYPES[AnswerForm.HTML] and weight > 0 for name, weight in ranges)


@lru_cache(maxsize=256)
def _accepted(accept: bytes) -> AnswerForm:
    ranges = quality_values(accept)
    # On equal ranks the first: tools that take anything get plain text.
    forms = (AnswerForm.TEXT, AnswerForm.HTML, AnswerForm.JSON)
    ranks = {form: _rank(ranges, form) for form in forms}
    chosen = max(forms, key=lambda form: ranks[form])
    if ranks[chosen][1] < _EXACT and any(weight and _is_resource(name) for name, weight in ranges):
        return AnswerForm.EMPTY
    return chosen


def _rank(ranges: list[tuple[bytes, float]], form: AnswerForm) -> tuple[float, int, int]:
    """Tell how welcome a form is: weight, how exactly it was named, how early; the most exact range decides."""
    fits = [
        (exactness, -position, weight)
        for position, (name, weight) in enumerate(ranges)
        if (exactness := _exactness(name, form))
    ]
    exactness, position, weight = max(fits, default=(0, 0, 0.0))
    return (weight, exactness, position) if weight else (0.0, 0, -len(ranges))


def _exactness(name: bytes, form: AnswerForm) -> int:
    """Tell how exactly a media range names a form: 0 not at all, 3 by its full name."""
    if name in _TYPES[form] or (form is AnswerForm.JSON and name.endswith(b"+json")):
        return _EXACT
    if name == _TYPES[form][0].partition(b"/")[0] + b"/*":
        return 2
    return 1 if name == b"*/*" else 0


def _is_resource(name: bytes) -> bool:
    """Tell whether a media range is that of something a page loads and does not show as a page."""
    return name in _RESOURCE_TYPES or name.partition(b"/")[0] in _RESOURCE_KINDS


_REMEMBERED: Final = 300
"""Octets of the longest Accept that is remembered: browsers send few different ones."""
_EXACT: Final = 3
_TYPES: Final = {
    AnswerForm.TEXT: (b"text/plain",),
    AnswerForm.HTML: (b"text/html", b"application/xhtml+xml"),
    AnswerForm.JSON: (b"application/json",),
}
_SHOWN: Final = frozenset({b"document", b"iframe", b"frame", b"embed", b"object", b"empty"})
_RESOURCE_KINDS: Final = frozenset({b"image", b"audio", b"video", b"font"})
_RESOURCE_TYPES: Final = frozenset(
    {b"text/css", b"text/event-stream", b"text/javascript", b"application/javascript", b"application/wasm"}
)
