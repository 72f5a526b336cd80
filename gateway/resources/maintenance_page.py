"""The maintenance page: what is answered while a site is away, by plan or not; always 503 with Retry-After.

The page asks for its own address with HEAD, less and less often, and loads itself anew once the answer is not 503. A
page that answers a form does not: loading it again could send the form twice, so it only says that the site is back.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.errors import RETRY_AFTER, GatewayError, UnderMaintenance
from gateway.http.fields import Field
from gateway.http.message import ResponseHead
from gateway.http.negotiation import AnswerForm
from gateway.resources.template import MAINTENANCE, Template, built_in

if TYPE_CHECKING:
    from collections.abc import Mapping


class MaintenancePage:
    """The answers of one site while it is away.

    Args:
        html: The operator's page; the built-in one where None.
        message: What to say while maintenance is on; a general sentence where empty.
    """

    __slots__ = ("_message", "_pages", "_policies")

    def __init__(self, html: str | None = None, message: str = "") -> None:
        self._message = message or _PLANNED
        self._pages: dict[tuple[bool, bool], Template] = {}
        self._policies = {sent: _policy(sent) if html is None else b"" for sent in (False, True)}
        for sent in (False, True):
            page = with_refresh(MAINTENANCE if html is None else html, sent=sent)
            for planned in (False, True):
                known = {
                    "status": "503",
                    "heading": _HEADINGS[planned],
                    "title": _HEADINGS[planned],
                    "message": self._message if planned else _AWAY,
                    "next": _AFTER_FORM if sent else _BY_ITSELF,
                }
                self._pages[planned, sent] = Template(page, known)

    def answer(
        self, error: GatewayError, form: AnswerForm, method: bytes, variables: Mapping[str, bytes]
    ) -> tuple[ResponseHead, bytes]:
        """Make the head and the whole content.

        Args:
            error: Why the site is away.
            form: Which form to send.
            method: The request's method: only a page that GET asked for loads itself again.
            variables: `host` and `request_id`.
        """
        planned = isinstance(error, UnderMaintenance)
        wait = error.retry_after if isinstance(error, UnderMaintenance) else RETRY_AFTER
        sent = method not in (b"GET", b"HEAD")
        fields: list[Field] = [
            (b"Retry-After", b"%d" % wait),
            (b"Cache-Control", b"no-store"),
            (b"Vary", b"Accept, Sec-Fetch-Dest"),
            (b"X-Gateway-Reason", error.reason.encode("ascii")),
        ]
        if form is not AnswerForm.EMPTY:
            fields += [(b"Content-Type", form.value), (b"X-Content-Type-Options", b"nosniff")]
        data = b""
        if form is AnswerForm.HTML:
            if self._policies[sent]:
                fields.append((b"Content-Security-Policy", self._policies[sent]))
            data = self._pages[planned, sent].fill(variables)
        elif form is AnswerForm.JSON:
            data = json.dumps({"error": "maintenance", "retry_after": wait}, separators=(",", ":")).encode("ascii")
        elif form is AnswerForm.TEXT:
            text = self._message if planned else _AWAY
            data = f"{_HEADINGS[planned]}. {text}\nRequest id: ".encode() + variables["request_id"] + b"\n"
        return ResponseHead.make(503, tuple(fields), len(data)), data


def with_refresh(html: str, *, sent: bool) -> str:
    """Put in what brings a page back by itself, unless it has a script or a refresh of its own.

    Args:
        html: The page.
        sent: Whether it answers a form, so that it must not be loaded again.
    """
    if _OWN_WAY.search(html):
        return html
    if not sent:
        html = _insert(html, "</head>", '<noscript><meta http-equiv="refresh" content="15"></noscript>\n')
    return _insert(html, "</body>", f"<script>{_SCRIPTS[sent]}</script>\n")


def _insert(html: str, before: str, what: str) -> str:
    position = html.lower().rfind(before)
    return html + what if position < 0 else html[:position] + what + html[position:]


def _policy(sent: bool) -> bytes:
    digest = b64encode(sha256(_SCRIPTS[sent].encode("utf-8")).digest())
    return (
        b"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%b'; connect-src 'self'; base-uri 'none'; "
        b"form-action 'none'" % digest
    )


_OWN_WAY: Final = re.compile(r"<script|http-equiv\s*=\s*[\"']?refresh", re.IGNORECASE)
_SCRIPTS: Final = {sent: f"const sent = {json.dumps(sent)};\n{built_in('refresh.js')}" for sent in (False, True)}
_HEADINGS: Final = {False: "Back in a moment", True: "Under maintenance"}
_AWAY: Final = "The site cannot be reached right now. It is probably just being restarted."
_PLANNED: Final = "The site is being worked on and will be back soon."
_BY_ITSELF: Final = "The site opens here by itself as soon as it is back."
_AFTER_FORM: Final = "What you sent may not have arrived. Once the site is back, go back to the form and send it again."
