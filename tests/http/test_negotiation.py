"""Which form an error answer takes."""

from __future__ import annotations

import pytest

from gateway.http.negotiation import AnswerForm, choose_form, is_long_poll
from tests.support.streams import get

CHROME = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (b"", AnswerForm.TEXT),
        (b"*/*", AnswerForm.TEXT),
        (CHROME, AnswerForm.HTML),
        (b"text/html", AnswerForm.HTML),
        (b"TEXT/HTML", AnswerForm.HTML),
        (b"application/xhtml+xml", AnswerForm.HTML),
        (b"text/html, application/json", AnswerForm.HTML),
        (b"application/json, text/html", AnswerForm.JSON),
        (b"text/html;q=0.5, application/json", AnswerForm.JSON),
        (b"text/html;q=0.9, application/json;q=0.8, */*", AnswerForm.TEXT),
        (b"application/json", AnswerForm.JSON),
        (b"application/vnd.api+json", AnswerForm.JSON),
        (b"application/json, text/plain, */*", AnswerForm.JSON),
        (b"application/json, text/javascript, */*; q=0.01", AnswerForm.JSON),
        (b"application/*", AnswerForm.JSON),
        (b"text/*", AnswerForm.TEXT),
        (b"text/html;q=0, */*", AnswerForm.TEXT),
        (b"text/plain;q=0, text/*", AnswerForm.HTML),
        (b"text/html;q=2, application/json;q=0.1", AnswerForm.JSON),
        (b"application/xml", AnswerForm.TEXT),
        (b"text/html;q=0", AnswerForm.TEXT),
        (b";;;,,,q=1", AnswerForm.TEXT),
        (b"image/avif,image/webp,image/apng,*/*;q=0.8", AnswerForm.EMPTY),
        (b"image/*", AnswerForm.EMPTY),
        (b"text/css,*/*;q=0.1", AnswerForm.EMPTY),
        (b"text/event-stream", AnswerForm.EMPTY),
        (b"application/json, text/event-stream", AnswerForm.JSON),
    ],
)
def test_accept_decides(accept: bytes, form: AnswerForm) -> None:
    """Weights first, then how exactly a type is named, then the order; resources get nothing."""
    fields = (b"Accept: " + accept,) if accept else ()
    assert choose_form(get(b"/", *fields)) is form


def test_several_accept_lines_are_one_list() -> None:
    """Lines of the same field belong together (RFC 9110 §5.3)."""
    assert choose_form(get(b"/", b"Accept: */*;q=0.1", b"Accept: text/html")) is AnswerForm.HTML


@pytest.mark.parametrize(
    ("destination", "form"),
    [
        (b"document", AnswerForm.HTML),
        (b"iframe", AnswerForm.HTML),
        (b"empty", AnswerForm.HTML),
        (b"image", AnswerForm.EMPTY),
        (b"script", AnswerForm.EMPTY),
        (b"style", AnswerForm.EMPTY),
        (b"FONT", AnswerForm.EMPTY),
    ],
)
def test_what_a_page_loads_gets_nothing(destination: bytes, form: AnswerForm) -> None:
    """A browser that says it loads an image, script or style gets no page in its place."""
    assert choose_form(get(b"/", b"Accept: text/html", b"Sec-Fetch-Dest: " + destination)) is form


def test_a_websocket_handshake_gets_nothing() -> None:
    """Nobody reads the content of a failed handshake."""
    head = get(b"/live/websocket", b"Connection: Upgrade", b"Upgrade: websocket", b"Accept: text/html")
    assert choose_form(head) is AnswerForm.EMPTY


@pytest.mark.parametrize("accept", [b"application/json", b"*/*", b"text/html"])
@pytest.mark.parametrize("target", [b"/live/longpoll", b"/socket/longpoll?vsn=2.0.0&token=x", b"/live/longpoll/"])
def test_a_long_poll_gets_nothing(target: bytes, accept: bytes) -> None:
    """Whatever it accepts: JSON would stop Phoenix's client for good."""
    assert choose_form(get(target, b"Accept: " + accept)) is AnswerForm.EMPTY


def test_only_the_path_makes_a_long_poll() -> None:
    """A query or another path that mentions it is none."""
    assert not is_long_poll(b"/a?b=/longpoll")
    assert not is_long_poll(b"/longpolls")
