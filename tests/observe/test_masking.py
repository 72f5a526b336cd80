"""Secrets stay out of the log."""

from __future__ import annotations

import pytest

from gateway.observe.masking import mask
from tests.exchange.test_websocket import handshake
from tests.support.logged import Logged
from tests.support.streams import Reply
from tests.support.transports import World

S = b"SeCrEt-1234567890abcdefghij"


@pytest.mark.parametrize(
    "text",
    [
        b"/x?token=" + S,
        b"/x?a=1&token=" + S + b"&b=2",
        b"/x?TOKEN=" + S,
        b"/x?access_token=" + S,
        b"/x?_csrf_token=" + S,
        b"/x?user[password]=" + S,
        b"/x?user%5Bpassword%5D=" + S,
        b"/x?to%6ben=" + S,
        b"/x?to%256ben=" + S,
        b"/x?code=" + S + b"&state=1",
        b"/x?api_key=" + S,
        b"/x?apikey=" + S,
        b"/x?key=" + S,
        b"/x?X-Amz-Signature=" + S,
        b"/x?session_id=" + S,
        b"/x?jwt=" + S,
        b"/x?auth=" + S,
        b"/x?a=1;token=" + S,
        b"/x?token=a;" + S,
        b"/x?token=a=" + S,
        b"/x?token=a?" + S,
        b"/x?token=a/" + S,
        b"/x?next=/login?token=" + S,
        b"/x?next=%2Flogin%3Ftoken%3D" + S,
        b"/x?next=%252Flogin%253Ftoken%253D" + S,
        b"/x?filter=%7B%22token%22%3A%22" + S + b"%22%7D",
        b"/x;token=" + S,
        b"/token=" + S + b"/x",
        b"https://example.com/cb#access_token=" + S,
        b"https://example.com/cb#/x?token=" + S,
        b"https://user:" + S + b"@example.com/",
        b"https://user:a@b" + S + b"@example.com/",
        b"/users/log-in/" + S * 2,
        b"/users/reset_password/" + S * 2,
        b"/users/confirm/" + S * 2,
        b"/reset/" + S,
        b"/magic/" + S[:20],
        b"/reset/MQ/" + S + b"/",
        b"/email/verify/17/" + S + b"?expires=1",
        b"/x?SAMLResponse=" + S,
        b"/x?pw=" + S,
        b"Agent (token=" + S + b" x)",
    ],
)
def test_hidden(text: bytes) -> None:
    """A value that may be a secret does not appear, wherever it stands."""
    assert S[:20] not in mask(text)
    assert b"***" in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        b"/",
        b"/x?page=2&q=hello+world",
        b"/x?q=a%20b%3Dc",
        b"/assets/app-0123456789abcdef0123456789abcdef.css?vsn=d",
        b"/live/websocket?vsn=2.0.0",
        b"/x?monkey=1&postcode=2&keyword=3&design=4&author=5&pwa=6",
        b"https://example.com/a?b=https://example.org/c",
        b"https://example.com/@user/1",
        b"/users/log-in/a-short-name",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
    ],
)
def test_shown(text: bytes) -> None:
    """What is no secret stays as it is."""
    assert mask(text) == text


def test_only_the_value_is_hidden() -> None:
    """The line still says what was asked for."""
    assert mask(b"/x?a=1&token=abc&b=2#c") == b"/x?a=1&token=***&b=2#c"
    assert mask(b"https://u:p@h/?next=%2F%3Fkey%3D1") == b"https://***@h/?next=***"


@pytest.mark.parametrize(
    "text",
    [
        b"/?" + b"&".join(b"a%d=" % number + S for number in range(101)),
        b"/?a=" + b"%26".join(b"a%d%%3d" % number + S for number in range(101)),
    ],
)
def test_very_many_parameters(text: bytes) -> None:
    """They are not judged one by one, which would take long: none is shown."""
    assert S[:20] not in mask(text)


@pytest.mark.parametrize("text", [b"/=" + b"a" * 100_000, b"/?a=" + b":" * 100_000, b"://" * 30_000 + b"@"])
def test_time_grows_with_the_length_only(text: bytes) -> None:
    """Even the worst text is read once: at the square of this length the test would not come to its end."""
    assert mask(text)


@pytest.mark.parametrize("form", ["combined", "json"])
def test_planted_secrets_are_in_no_line(form: str) -> None:
    """Neither in the lines of ordinary requests, nor of sockets, nor of refused ones."""
    logged = Logged(World(Reply()), form=form)  # type: ignore[arg-type]  # a literal
    lines = (
        b"Authorization: Bearer " + S,
        b"Cookie: session=" + S,
        b"X-Api-Key: " + S,
        b"Referer: https://u:" + S + b"@example.com/a?token=" + S + b"#key=" + S,
        b"User-Agent: agent?token=" + S,
        b"Sec-WebSocket-Protocol: bearer." + S,
    )
    block = b"\r\n".join(lines)
    for data in (
        b"GET /a?token=" + S + b" HTTP/1.1\r\nHost: example.com\r\n" + block + b"\r\n\r\n",
        b"GET /reset/" + S + b" HTTP/1.1\r\nHost: example.com\r\n" + block + b"\r\n\r\n",
        b"GET http://example.com/a?token=" + S + b" HTTP/1.1\r\nHost: example.com\r\n" + block + b"\r\n\r\n",
        b"GET /a?token=" + S + b" HTTP/1.1\r\nHost: elsewhere.com\r\n" + block + b"\r\n\r\n",
        b"GET /a?token=" + S + b" HTTP/9.9\r\n" + block + b"\r\n\r\n",
        b"GET /a?token=" + S + b" HTTP/1.1\r\nHost: " + S + b"@x\r\n\r\n",
        handshake(*lines, request=b"GET /live?token=" + S + b" HTTP/1.1"),
        handshake(*lines, request=b"POST /live?token=" + S + b" HTTP/1.1"),
    ):
        logged.world.client().receive(data)
        logged.world.client().receive(data)  # now from memory
    assert len(logged.lines) == 16
    assert S.decode() not in logged.text()
