"""Error pages and fixed replies: the answers the gateway makes up itself.

A page is prepared for each status when the site is built; a request only puts its id in, or its host where the
operator's own page asks for it. What is shown is the status, a sentence for people, and the request's id to look up in
the log: never the path, never anything about an upstream, never the name of this software. Which form is sent is
`gateway.http.negotiation`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from gateway.errors import RETRY_AFTER, GatewayError, HTTPError
from gateway.http import fields as field_lines
from gateway.http.fields import make_block
from gateway.http.known import BITS
from gateway.http.message import Framing, ResponseHead, reason_phrase
from gateway.http.negotiation import AnswerForm, choose_form
from gateway.resources.maintenance_page import MaintenancePage
from gateway.resources.template import ERROR, Template
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
    """The answer for one status in all its forms, ready but for what each request puts in.

    Args:
        status: The status.
        sentence: What it means, for people.
        html: The operator's page; the built-in one where None.
    """

    __slots__ = ("_forms", "_html", "_phrase", "status")

    def __init__(self, status: int, sentence: str, html: str | None = None) -> None:
        self.status = status
        self._phrase = reason_phrase(status)
        phrase = self._phrase.decode("ascii")
        title = f"{status} {phrase}".strip()
        heading = _HEADINGS.get(status, phrase) or f"Status {status}"
        mark = f"Error {status}" if status >= 400 else ""
        known = {"status": str(status), "mark": mark, "title": title, "heading": heading, "message": sentence}
        self._html = Template(ERROR if html is None else html, known)
        error = {"error": phrase.lower().replace(" ", "_").replace("'", ""), "status": status}
        texts = {
            AnswerForm.HTML: "",
            AnswerForm.JSON: json.dumps({**error, "message": sentence, "request_id": "{id}"}) + "\n",
            AnswerForm.TEXT: f"{title}\n{sentence}\nRequest id: {{id}}\n",
            AnswerForm.EMPTY: "",
        }
        self._forms = {form: _prepare(status, form, text, own=html is not None) for form, text in texts.items()}

    def answer(self, form: AnswerForm, variables: Mapping[str, bytes]) -> tuple[ResponseHead, bytes]:
        """Make the head and the whole content.

        Args:
            form: Which form to send.
            variables: Of `variables_of`.
        """
        fields, known, pieces = self._forms[form]
        data = self._html.fill(variables) if form is AnswerForm.HTML else variables["request_id"].join(pieces)
        framing = Framing.NONE if self.status == HTTPStatus.NO_CONTENT else Framing.LENGTH
        length = None if framing is Framing.NONE else len(data)
        return ResponseHead(self.status, self._phrase, fields, known, framing, length, True, b"", 0), data


class ErrorPages:
    """Answers errors (`web.request.ErrorAnswers`), each with the page of its status.

    Args:
        own: The operator's pages, by status (`404`) or class of status (`5xx`): HTML with variables.
        maintenance: What is answered while the site is away; the built-in page where None.
    """

    __slots__ = ("_away", "_own", "_pages")

    def __init__(self, own: Mapping[str, str] | None = None, maintenance: MaintenancePage | None = None) -> None:
        self._own = dict(own or {})
        self._away = maintenance or _AWAY_PAGE
        self._pages = {int(status): self._make(status) for status in HTTPStatus if status >= 400} if own else _BUILT_IN

    def page(self, status: int) -> Page:
        """Find the page of a status."""
        page = self._pages.get(status)
        return page if page is not None else self._make(status)

    def answer(self, request: Request, error: GatewayError) -> tuple[ResponseHead, bytes]:
        """Make a head and its whole content for an error whose status is not None.

        A request whose head could not be read, so that it has no method, is answered with a page: it may have been a
        browser with too many cookies.
        """
        form = choose_form(request.head) if request.head.method else AnswerForm.HTML
        variables = variables_of(request)
        if error.away:
            return self._away.answer(error, form, request.head.method, variables)
        status = error.status if error.status is not None else 500
        answer, data = self.page(status).answer(form, variables)
        if isinstance(error, HTTPError) and error.fields:
            answer.remove(frozenset(name.lower() for name, _ in error.fields))
            for name, value in error.fields:
                answer.add(name, value)
        return answer, data

    def _make(self, status: int) -> Page:
        html = self._own.get(str(status), self._own.get(f"{status // 100}xx"))
        return _BUILT_IN[status] if html is None and status in _BUILT_IN else _page(status, html)


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
        request.answer(*self._page.answer(form, variables_of(request)))


def _check_reply(status: int) -> None:
    if not 200 <= status < 600:
        raise ValueError(f"a reply's status is between 200 and 599, got {status}")
    if 300 <= status < 400:
        raise ValueError(f'status {status} needs a target, such as {{ to = "/new", status = 308 }}')


def variables_of(request: Request) -> dict[str, bytes]:
    """Find what pages show of a request; of its id, octets that are not `[A-Za-z0-9._-]` are left out."""
    request_id = request.id_line.partition(b":")[2].translate(None, _NOT_IN_IDS)
    return {"request_id": request_id, "host": request.head.hostname}


def _page(status: int, html: str | None = None) -> Page:
    default = _SERVER_ERROR if status >= 500 else _CLIENT_ERROR if status >= 400 else ""
    return Page(status, _SENTENCES.get(status, default), html)


def _prepare(status: int, form: AnswerForm, text: str, *, own: bool) -> tuple[bytes, int, list[bytes]]:
    """Make the field lines, their mask, and the content's pieces around the id."""
    fields: list[field_lines.Field] = []
    if form is not AnswerForm.EMPTY:
        fields.append((b"Content-Type", form.value))
        fields.append((b"X-Content-Type-Options", b"nosniff"))
    if form is AnswerForm.HTML and not own:
        fields.append((b"Content-Security-Policy", _POLICY))
    if status in _TRY_AGAIN:
        fields.append((b"Retry-After", b"%d" % RETRY_AFTER))
    if status == 405:
        fields.append((b"Allow", _ALLOW))
    if status >= 400 and status != HTTPStatus.GONE:
        fields.append((b"Cache-Control", b"no-store"))
    fields.append((b"Vary", b"Accept, Sec-Fetch-Dest"))
    known = 0
    for name, _ in fields:
        known |= BITS.get(name.lower(), 0)
    return make_block(fields), known, text.encode("utf-8").split(b"{id}")


_TRY_AGAIN: Final = frozenset({502, 503, 504})
_CONTENT_FORBIDDEN: Final = frozenset({204, 205})
_ALLOW: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_POLICY: Final = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_NOT_IN_IDS: Final = bytes(
    octet for octet in range(256) if octet not in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"
)

_HEADINGS: Final = {
    400: "That request made no sense",
    401: "Please sign in",
    403: "No entry here",
    404: "Page not found",
    405: "That is not possible here",
    408: "That took too long",
    410: "Gone for good",
    413: "That is too large",
    414: "That address is too long",
    421: "Wrong place",
    429: "Slow down, please",
    431: "Too much in the request",
    500: "Something went wrong",
    501: "Not supported",
    502: "The site gave no proper answer",
    503: "Out of reach",
    504: "The site took too long",
}
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

_BUILT_IN: Final = {int(status): _page(status) for status in HTTPStatus if status >= 400}
_AWAY_PAGE: Final = MaintenancePage()
