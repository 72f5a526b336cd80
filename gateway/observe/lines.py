"""The two formats of the access log: what a line says, and how it stays one line whatever a client sends.

Lines are made by hand. What a client sent goes in as it came where one look tells that all of it is harmless; else it
is masked, escaped and cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final, Literal

from gateway.http import fields as field_lines
from gateway.http.known import REFERER, USER_AGENT
from gateway.observe.line_formats import HARMLESS
from gateway.observe.masking import mask
from gateway.units import Seconds

try:
    from gateway.observe._line_formats import combined, is_plain, json, usual_field
except ModuleNotFoundError:
    from gateway.observe.line_formats import combined, is_plain, json, usual_field

if TYPE_CHECKING:
    from gateway.http.message import RequestHead
    from gateway.web.request import Request

Format = Literal["combined", "json"]


class Combined:
    """The combined format of Apache and nginx; what they do not have follows as `name=value`.

    Args:
        wall_clock: Seconds since 1970.
    """

    __slots__ = ("_stamp", "_texts")

    def __init__(self, wall_clock: Callable[[], Seconds]) -> None:
        self._stamp = Stamp(wall_clock, "%d/%b/%Y:%H:%M:%S +0000")
        self._texts = Texts(hexadecimal)

    def line(self, request: Request) -> bytes:
        """Make the line of an exchange that is over, or of a WebSocket that has just been opened."""
        target, referer, agent = self._texts.of(request.head)
        ended, stamp, error = request.finished or request.first_byte, self._stamp, request.error
        return combined(
            request,
            stamp.text if ended < stamp.until else stamp.renew(ended),
            target,
            referer,
            agent,
            (_words.get(request.upstream_name) or _upstream(request)) if request.leased else b"",
            None if request.status != 101 else _socket(request, b"-"),
            b"" if error is None else _word(error.reason),
        )


class JSON:
    """One JSON object per line, always with the same keys.

    Args:
        wall_clock: Seconds since 1970.
    """

    __slots__ = ("_stamp", "_texts")

    def __init__(self, wall_clock: Callable[[], Seconds]) -> None:
        self._stamp = Stamp(wall_clock, "%Y-%m-%dT%H:%M:%SZ")
        self._texts = Texts(unicode)

    def line(self, request: Request) -> bytes:
        """Make the line of an exchange that is over, or of a WebSocket that has just been opened."""
        target, referer, agent = self._texts.of(request.head)
        ended, stamp, error = request.finished or request.first_byte, self._stamp, request.error
        return json(
            request,
            stamp.text if ended < stamp.until else stamp.renew(ended),
            target,
            referer,
            agent,
            (_words.get(request.upstream_name) or _upstream(request)) if request.leased else b"",
            None if request.status != 101 else _socket(request, b"null"),
            b"" if error is None else _word(error.reason),
            _words.get(request.location.site) or _word(request.location.site),
        )


class Stamp:
    """The time as text, written anew once a second.

    Args:
        wall_clock: Seconds since 1970.
        form: As `strftime` takes it, in UTC.

    Attributes:
        text: The time, until `until` in monotonic seconds.
    """

    __slots__ = ("_form", "_wall_clock", "text", "until")

    def __init__(self, wall_clock: Callable[[], Seconds], form: str) -> None:
        self._wall_clock = wall_clock
        self._form = form
        self.text = b""
        self.until = float("-inf")

    def renew(self, now: float) -> bytes:
        """Write the time that it is at `now`, in monotonic seconds."""
        wall = self._wall_clock()
        self.until = now + 1 - wall % 1
        self.text = strftime(self._form, gmtime(wall)).encode("ascii")
        return self.text


class Texts:
    """Takes what a client sent out of a head, fit to stand between quotation marks.

    Args:
        escape: Writes an octet that may not stand there.
    """

    __slots__ = ("_escape", "_known")

    def __init__(self, escape: Callable[[re.Match[bytes]], bytes]) -> None:
        self._escape = escape
        self._known: dict[bytes, bytes] = {}

    def of(self, head: RequestHead) -> tuple[bytes, bytes, bytes]:
        """Give target, Referer and User-Agent; empty where they are absent."""
        raw, known, target, cleaned = head.raw, head.known, head.target, self._known
        referer = agent = b""
        if known & USER_AGENT:
            agent = usual_field(raw, b"User-Agent") or _field(raw, b"user-agent")
            agent = cleaned.get(agent) or self._clean(agent, _MAX_FIELD)
        if known & REFERER:
            referer = usual_field(raw, b"Referer") or _field(raw, b"referer")
            referer = cleaned.get(referer) or self._clean(referer, _MAX_FIELD)
        if not is_plain(target):
            target = cleaned.get(target) or self._clean(target, _MAX_TARGET)
        return target, referer, agent

    def _clean(self, text: bytes, limit: int) -> bytes:
        """Mask, escape and cut, never through an escape sequence; texts without secrets are remembered."""
        masked = cleaned = mask(text)
        if cleaned.translate(None, HARMLESS):
            cleaned = _HARMFUL.sub(self._escape, cleaned)
        if len(cleaned) > limit:
            cleaned = _CUT_ESCAPE.sub(b"", cleaned[:limit]) + b"..."
        if masked == text and len(text) < _MAX_FIELD:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = cleaned
        return cleaned


def hexadecimal(found: re.Match[bytes]) -> bytes:
    """Write an octet as Apache and nginx do."""
    return b"\\x%02x" % found[0][0]


def unicode(found: re.Match[bytes]) -> bytes:
    """Write an octet as JSON can."""
    return b"\\u%04x" % found[0][0]


def _field(raw: bytes, name: bytes) -> bytes:
    """Find a field that is not spelled in the usual way."""
    return field_lines.get(raw.partition(b"\r\n")[2], name) or b""


def _upstream(request: Request) -> bytes:
    """Name who answers, or answered."""
    return _word(request.lease.name if request.lease is not None else request.upstream_name)


def _socket(request: Request, nothing: bytes) -> tuple[bytes, bytes]:
    """Tell whether a WebSocket opens or is over, and its close code; 1006 for none at all (RFC 6455 §7.1.5)."""
    if not request.finished:
        return b"open", nothing
    code = getattr(request.state, "code", 0)
    return b"close", b"%d" % (code if isinstance(code, int) and code else _ABNORMAL)


def _word(name: str) -> bytes:
    """Write a name of our own or of the operator's as one word; names met are remembered."""
    word = _words.get(name)
    if word is None:
        if len(_words) >= _REMEMBERED:
            _words.clear()
        word = _words[name] = _NO_WORD.sub(b"_", name.encode("utf-8", "replace"))
    return word


_ABNORMAL: Final = 1006
# goaccess takes no line of more than 4,095 octets; these leave room for the rest of it.
_MAX_TARGET: Final = 1_500
_MAX_FIELD: Final = 500
_HARMFUL: Final = re.compile(rb'[^\x20-\x7e]|["\\]')
_CUT_ESCAPE: Final = re.compile(rb"\\(?:x[0-9a-f]?|u[0-9a-f]{0,3})?$")
_NO_WORD: Final = re.compile(rb"[^!#-\[\]-~]")
_REMEMBERED: Final = 2_000
_words: dict[str, bytes] = {}
