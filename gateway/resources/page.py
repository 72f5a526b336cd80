"""Error pages and fixed replies: the answers the gateway makes up itself.

A page is prepared for each status when the site is built; a request only puts its id in. What is shown is the status, a
sentence for people, and the request's id to look up in the log: never the path, never anything about an upstream, never
the name of this software. Which form is sent is `gateway.http.negotiation`.
"""

from __future__ import annotations

import json
from html import escape
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from gateway.errors import GatewayError, HTTPError
from gateway.http import fields as field_lines
from gateway.http.fields import make_block
from gateway.http.known import BITS
from gateway.http.message import Framing, ResponseHead, reason_phrase
from gateway.http.negotiation import AnswerForm, choose_form
from gateway.settings import settings
from gateway.web.request import Request
from gateway.web.resource import Resource


@settings
class Reply:
    """Settings of a fixed reply, such as `"/gone" = 410` in `[redirects]`.

    Attributes:
        status: The status answered with, 200 to 599 but for redirects, which need a target.
    """

    status: Annotated[int, Field(ge=200, le=599)]

    def __post_init__(self) -> None:
        """Check what the range alone does not say.

        Raises:
            ValueError: The status is that of a redirect.
        """
        _check_reply(self.status)


class Page:
    """The answer for one status in all its forms, ready but for the request's id.

    Args:
        status: The status.
        sentence: What it means, for people.
        html: Template of the HTML form; `{title}`, `{sentence}` and `{id}` stand for what their names say.
    """

    __slots__ = ("_forms", "_phrase", "status")

    def __init__(self, status: int, sentence: str, html: str) -> None:
        self.status = status
        self._phrase = reason_phrase(status)
        title = f"{status} {self._phrase.decode('ascii')}".strip()
        shown = html.replace("{title}", escape(title)).replace("{sentence}", escape(sentence))
        error = {"error": self._phrase.decode("ascii").lower().replace(" ", "_").replace("'", ""), "status": status}
        texts = {
            AnswerForm.HTML: shown,
            AnswerForm.JSON: json.dumps({**error, "message": sentence, "request_id": "{id}"}) + "\n",
            AnswerForm.TEXT: f"{title}\n{sentence}\nRequest id: {{id}}\n",
            AnswerForm.EMPTY: "",
        }
        self._forms = {form: _prepare(status, form, text) for form, text in texts.items()}

    def answer(self, form: AnswerForm, request_id: bytes) -> tuple[ResponseHead, bytes]:
        """Make the head and the whole content.

        Args:
            form: Which form to send.
            request_id: The request's id; octets that are not `[A-Za-z0-9._-]` are left out.
        """
        fields, known, pieces = self._forms[form]
        data = request_id.translate(None, _NOT_IN_IDS).join(pieces)
        framing = Framing.NONE if self.status == HTTPStatus.NO_CONTENT else Framing.LENGTH
        length = None if framing is Framing.NONE else len(data)
        return ResponseHead(self.status, self._phrase, fields, known, framing, length, True, b"", 0), data


class ErrorPages:
    """Answers errors (`web.request.ErrorAnswers`), each with the page of its status."""

    __slots__ = ("_pages",)

    def __init__(self) -> None:
        self._pages = {int(status): _built_in(status) for status in HTTPStatus if status >= 400}

    def page(self, status: int) -> Page:
        """Find the page of a status."""
        page = self._pages.get(status)
        return page if page is not None else _built_in(status)

    def answer(self, request: Request, error: GatewayError) -> tuple[ResponseHead, bytes]:
        """Make a head and its whole content for an error whose status is not None.

        A request whose head could not be read, so that it has no method, is answered with a page: it may have been a
        browser with too many cookies.
        """
        form = choose_form(request.head) if request.head.method else AnswerForm.HTML
        status = error.status if error.status is not None else 500
        answer, data = self.page(status).answer(form, _id_of(request.id_line))
        if isinstance(error, HTTPError) and error.fields:
            answer.remove(frozenset(name.lower() for name, _ in error.fields))
            for name, value in error.fields:
                answer.add(name, value)
        return answer, data


class FixedReply(Resource):
    """A leaf that answers every request with one status and its page.

    Args:
        status: 200 to 599, but no redirect.
        pages: Where its page is.

    Raises:
        ValueError: The status is out of range.
    """

    __slots__ = ("_page",)

    def __init__(self, status: int, pages: ErrorPages) -> None:
        _check_reply(status)
        self._page = pages.page(status)

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer with the page, in the form that suits the request."""
        form = AnswerForm.EMPTY if self._page.status in _CONTENT_FORBIDDEN else choose_form(request.head)
        request.answer(*self._page.answer(form, _id_of(request.id_line)))


def _check_reply(status: int) -> None:
    if not 200 <= status < 600:
        raise ValueError(f"a reply's status is between 200 and 599, got {status}")
    if 300 <= status < 400:
        raise ValueError(f'status {status} needs a target, such as {{ to = "/new", status = 308 }}')


def _built_in(status: int) -> Page:
    default = _SERVER_ERROR if status >= 500 else _CLIENT_ERROR if status >= 400 else ""
    return Page(status, _SENTENCES.get(status, default), _HTML)


def _prepare(status: int, form: AnswerForm, text: str) -> tuple[bytes, int, list[bytes]]:
    """Make the field lines, their mask, and the content's pieces around the id."""
    fields: list[field_lines.Field] = []
    if form is not AnswerForm.EMPTY:
        fields.append((b"Content-Type", form.value))
        fields.append((b"X-Content-Type-Options", b"nosniff"))
    if form is AnswerForm.HTML:
        fields.append((b"Content-Security-Policy", _POLICY))
    if status in _TRY_AGAIN:
        fields.append((b"Retry-After", b"10"))
    if status == 405:
        fields.append((b"Allow", _ALLOW))
    if status >= 400 and status != HTTPStatus.GONE:
        fields.append((b"Cache-Control", b"no-store"))
    fields.append((b"Vary", b"Accept, Sec-Fetch-Dest"))
    known = 0
    for name, _ in fields:
        known |= BITS.get(name.lower(), 0)
    return make_block(fields), known, text.encode("utf-8").split(b"{id}")


def _id_of(id_line: bytes) -> bytes:
    return id_line.partition(b":")[2].strip()


_TRY_AGAIN: Final = frozenset({502, 503, 504})
_CONTENT_FORBIDDEN: Final = frozenset({204, 205})
_ALLOW: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_POLICY: Final = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_NOT_IN_IDS: Final = bytes(
    octet for octet in range(256) if octet not in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"
)

_CLIENT_ERROR: Final = "The request could not be answered."
_SERVER_ERROR: Final = "Something went wrong on our side. Please try again in a moment."
_AWAY: Final = "The site cannot be reached right now. Please try again in a moment."
_SENTENCES: Final = {
    400: "The request could not be understood.",
    401: "Please sign in to see this page.",
    403: "You may not see this page.",
    404: "There is nothing at this address.",
    405: "This cannot be done at this address.",
    408: "The request took too long to arrive. Please try again.",
    410: "What was here is gone for good.",
    413: "What was sent is too large.",
    414: "The address is too long.",
    417: "The request expects something that cannot be met.",
    421: "The request came to the wrong place. Please reload the page.",
    429: "Too many requests. Please wait a moment.",
    431: "The request carries too much. Deleting this site's cookies may help.",
    501: "The request uses something that is not supported.",
    502: _AWAY,
    503: _AWAY,
    504: "The site did not answer in time. Please try again in a moment.",
    505: "This version of HTTP is not supported.",
    508: "The request went round in a circle.",
}

_HTML: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root { color-scheme: light dark; --ground: #fafaf9; --text: #1c1917; --quiet: #6b6560; }
@media (prefers-color-scheme: dark) { :root { --ground: #1c1917; --text: #f5f5f4; --quiet: #a8a29e; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { padding: 2rem; max-width: 34rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
p { margin: 0 0 1.5rem; }
small { color: var(--quiet); overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{sentence}</p>
<small>Request id: <code>{id}</code></small>
</main>
</body>
</html>
"""
