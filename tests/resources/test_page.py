"""Error pages and fixed replies."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from gateway import errors
from gateway.errors import GatewayError, HTTPError, ProtocolError
from gateway.http.message import Framing
from gateway.resources.page import ErrorPages, FixedReply, Reply
from gateway.web.request import Request
from gateway.web.resource import Resource
from tests.support.streams import FakeRuntime, RecordingStream, exchange, get, location

PAGES = ErrorPages()
ID = "00000000000000000001"


class Failing(Resource):
    def __init__(self, error: GatewayError) -> None:
        self.error = error

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise self.error


def fail(
    error: GatewayError, accept: bytes = b"*/*", target: bytes = b"/", method: bytes = b"GET", *fields: bytes
) -> RecordingStream:
    head = get(target, b"Accept: " + accept, *fields, method=method)
    return exchange(location(Failing(error), errors=PAGES), head, errors=PAGES)


def test_a_browser_gets_a_page() -> None:
    """A navigation is answered with a whole, self-contained document that shows status, sentence and id."""
    stream = fail(HTTPError(404), b"text/html")
    page = stream.body.decode("utf-8")
    assert stream.status == 404
    assert stream.get(b"content-type") == b"text/html; charset=utf-8"
    assert page.startswith("<!doctype html>")
    assert "<h1>Page not found</h1>" in page
    assert "Error 404" in page
    assert "There is nothing at this address." in page
    assert f"<code>{ID}</code>" in page
    assert "prefers-color-scheme: dark" in page
    for outside in ("http:", "https:", "//", "url(", "<script", "gateway", "src="):
        assert outside not in page.lower()


def test_the_operators_page_stands_in() -> None:
    """A page by status beats one by class; both know status, id and host, escaped; other forms stay ours."""
    pages = ErrorPages({"404": "<p>{status} {host} {request_id} {x}</p>", "4xx": "<p>four</p>", "5xx": "<p>five</p>"})

    def answer(status: int, accept: bytes) -> RecordingStream:
        return exchange(location(Failing(HTTPError(status)), errors=pages), get(b"/", b"Accept: " + accept))

    assert answer(404, b"text/html").body == f"<p>404 example.com {ID} {{x}}</p>".encode()
    assert answer(404, b"text/html").get(b"content-security-policy") is None
    assert answer(403, b"text/html").body == b"<p>four</p>"
    assert answer(599, b"text/html").body == b"<p>five</p>"
    assert json.loads(answer(404, b"application/json").body)["status"] == 404


def test_an_api_gets_json() -> None:
    """JSON is asked for and parses."""
    stream = fail(HTTPError(404), b"application/json")
    assert stream.get(b"content-type") == b"application/json"
    assert json.loads(stream.body) == {
        "error": "not_found",
        "status": 404,
        "message": "There is nothing at this address.",
        "request_id": ID,
    }


@pytest.mark.parametrize(
    ("status", "token"), [(413, "content_too_large"), (414, "uri_too_long"), (416, "range_not_satisfiable")]
)
def test_errors_have_the_names_of_today(status: int, token: str) -> None:
    """They are those of RFC 9110 in every version of Python."""
    assert json.loads(fail(HTTPError(status), b"application/json").body)["error"] == token


def test_a_tool_gets_text() -> None:
    """A tool that takes anything gets three lines."""
    stream = fail(HTTPError(403))
    assert stream.get(b"content-type") == b"text/plain; charset=utf-8"
    assert stream.body.decode() == f"403 Forbidden\nYou may not see this page.\nRequest id: {ID}\n"


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_long_poll_gets_an_empty_answer(method: bytes) -> None:
    """Phoenix's client stops for good on JSON it does not know, and tries again after nothing."""
    stream = fail(errors.ConnectionRefused("x"), b"application/json", b"/live/longpoll?vsn=2.0.0", method)
    assert (stream.status, stream.body, stream.ended) == (503, b"", True)
    assert stream.head is not None
    assert stream.head.content_length == 0
    assert stream.get(b"content-type") is None
    assert stream.get(b"retry-after") == b"10"


def test_head_gets_the_length_and_no_content() -> None:
    """An answer to HEAD announces what GET would get."""
    answers = [fail(HTTPError(404), b"text/html", method=method) for method in (b"GET", b"HEAD")]
    assert answers[1].body == b""
    assert answers[1].head is not None
    assert answers[1].head.content_length == len(answers[0].body)
    assert answers[1].fields == answers[0].fields


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (errors.ConnectionRefused("x"), 503, b"10"),
        (errors.ConnectionReset("x"), 503, b"10"),
        (errors.NameLookupFailed("x"), 503, b"10"),
        (errors.CertificateInvalid("x"), 503, b"10"),
        (errors.ResponseInvalid("x"), 502, b"10"),
        (errors.ResponseHeaderTooLarge("x"), 502, b"10"),
        (errors.NoUpstreamAvailable("x"), 503, b"10"),
        (errors.GatewayStopping("x"), 503, b"10"),
        (errors.ConnectionTimeout("x"), 503, b"10"),
        (errors.ResponseTimeout("x"), 503, b"10"),
        (errors.ResponseStalled("x"), 504, b"10"),
        (GatewayError("x"), 500, None),
        (ProtocolError("x"), 400, None),
        (ProtocolError("x", 431), 431, None),
        (HTTPError(410), 410, None),
    ],
)
def test_errors_are_answered_with_their_status(error: GatewayError, status: int, retry: bytes | None) -> None:
    """Each error has its status; what passes says when to come back."""
    stream = fail(error)
    assert (stream.status, stream.get(b"retry-after")) == (status, retry)
    assert stream.get(b"cache-control") == (None if status == 410 else b"no-store")


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
def test_nothing_of_the_request_or_the_upstream_is_shown(accept: bytes) -> None:
    """Neither path nor host nor the error's own words reach the public."""
    error = errors.ResponseInvalid("10.9.8.7:4000 refused to make sense")
    stream = fail(error, accept, b"/<script>alert(1)</script>?q=secret", b"GET", b"X-A: {id}{title}")
    sent = stream.fields + stream.body
    for secret in (b"10.9.8.7", b"4000", b"alert", b"secret", b"refused", b"example.com"):
        assert secret not in sent


class HostileIds(FakeRuntime):
    def new_id(self) -> bytes:
        return b'X-Request-Id: "><b>\\x{"a"}{id}\r\n'


@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
def test_an_id_cannot_break_out(accept: bytes) -> None:
    """Even an id that should never have been made stays text."""
    head = get(b"/", b"Accept: " + accept)
    stream = exchange(Failing(HTTPError(404)), head, errors=PAGES, runtime=HostileIds())
    assert b"bxaid" in stream.body
    assert b"<b>" not in stream.body


def test_the_fields_of_an_error_are_sent_in_place_of_our_own() -> None:
    """Several lines of one name are all kept; a field that the page has too is replaced."""
    error = HTTPError(
        401,
        fields=(
            (b"WWW-Authenticate", b"Basic"),
            (b"WWW-Authenticate", b"Bearer"),
            (b"Cache-Control", b"private"),
        ),
    )
    stream = fail(error)
    assert stream.get_all(b"www-authenticate") == [b"Basic", b"Bearer"]
    assert stream.get_all(b"cache-control") == [b"private"]


def test_one_answer_does_not_change_the_next() -> None:
    """Heads are made afresh: what filters do to one leaves the prepared page alone."""
    fail(HTTPError(404, fields=((b"X-Once", b"1"),)))
    assert fail(HTTPError(404)).get(b"x-once") is None


def test_405_from_the_parser_says_what_is_allowed() -> None:
    """405 carries Allow (RFC 9110 §15.5.6); a leaf's own Allow stands."""
    assert b"GET" in (fail(ProtocolError("TRACE", 405)).get(b"allow") or b"")
    assert fail(HTTPError(405, fields=((b"Allow", b"GET, HEAD"),))).get_all(b"allow") == [b"GET, HEAD"]


def test_an_unreadable_head_is_answered_with_a_page() -> None:
    """Where nothing says who asked, a person may have: a browser with too many cookies."""
    head = get(b"/")
    head.method = b""
    stream = exchange(Failing(ProtocolError("x", 431)), head, errors=PAGES)
    assert stream.get(b"content-type") == b"text/html; charset=utf-8"
    assert b"cookies" in stream.body


def test_a_status_without_a_page_has_one() -> None:
    """A status nobody registered is answered too."""
    stream = fail(HTTPError(599), b"text/html")
    assert stream.status == 599
    assert b"<h1>Status 599</h1>" in stream.body


def test_answers_differ_by_what_they_depend_on() -> None:
    """Caches are told which fields chose the form (RFC 9110 §12.5.5)."""
    assert fail(HTTPError(410)).get(b"vary") == b"Accept, Sec-Fetch-Dest"


def test_a_fixed_reply_uses_the_page_of_its_status() -> None:
    """A reply looks like an error page but is no error."""
    stream = exchange(location(FixedReply(410, PAGES)), get(b"/old", b"Accept: text/html"))
    assert stream.status == 410
    assert b"What was here is gone for good." in stream.body
    assert isinstance(stream.handler, Request)
    assert stream.handler.error is None


def test_a_fixed_reply_without_content() -> None:
    """204 has neither content nor a content type."""
    stream = exchange(location(FixedReply(204, PAGES)), get(b"/", b"Accept: text/html"))
    assert stream.head is not None
    assert (stream.status, stream.body, stream.head.framing) == (204, b"", Framing.NONE)
    assert stream.head.content_length is None
    assert stream.get(b"content-type") is None


def test_a_reset_content_reply_is_empty() -> None:
    """205 forbids content but is framed (RFC 9110 §15.3.6)."""
    stream = exchange(location(FixedReply(205, PAGES)), get(b"/", b"Accept: text/html"))
    assert stream.head is not None
    assert (stream.body, stream.head.content_length) == (b"", 0)


@pytest.mark.parametrize("status", [199, 600, 301, 304])
def test_replies_that_cannot_be_are_refused(status: int) -> None:
    """A redirect needs a target, and nothing lies outside 200 to 599."""
    with pytest.raises(ValidationError):
        Reply(status=status)
    with pytest.raises(ValueError, match=str(status)):
        FixedReply(status, PAGES)
