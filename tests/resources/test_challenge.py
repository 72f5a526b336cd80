"""Answers to http-01."""

from __future__ import annotations

import pytest

from gateway.core import Core
from gateway.http.forwarding import TrustedProxies
from gateway.resources.challenge import ChallengeAnswers
from tests.support.streams import FakeRuntime, RecordingStream, Reply, StatusOnly, get, location

TOKEN = b"abc-DEF_1"


def ask(target: bytes, *, method: bytes = b"GET", secure: bool = False) -> RecordingStream:
    """Send a request to a core whose only site answers everything with 418."""
    runtime = FakeRuntime()
    core = Core(
        location(Reply(418)),
        StatusOnly(),
        runtime.log,
        clock=runtime.clock,
        new_id=runtime.new_id,
        trusted=TrustedProxies(()),
        challenges=ChallengeAnswers({TOKEN: TOKEN + b".thumbprint"}),
    )
    stream = RecordingStream(secure=secure)
    core.handle(stream, get(target, method=method), b"", True)
    return stream


def test_answers_before_the_site() -> None:
    """The exact token is answered before any site sees the request, as plain octets."""
    stream = ask(b"/.well-known/acme-challenge/" + TOKEN)
    assert stream.status == 200
    assert stream.body == TOKEN + b".thumbprint"
    assert stream.get(b"content-type") == b"application/octet-stream"


def test_head() -> None:
    """HEAD gets the length without the content."""
    stream = ask(b"/.well-known/acme-challenge/" + TOKEN, method=b"HEAD")
    assert stream.status == 200
    assert stream.body == b""


@pytest.mark.parametrize(
    ("target", "method", "secure"),
    [
        (b"/.well-known/acme-challenge/unknown", b"GET", False),
        (b"/.well-known/acme-challenge/" + TOKEN + b"/", b"GET", False),
        (b"/.well-known/acme-challenge/" + TOKEN + b"?x", b"GET", False),
        (b"/.well-known/acme-challenge/", b"GET", False),
        (b"/x/.well-known/acme-challenge/" + TOKEN, b"GET", False),
        (b"/.well-known/acme-challenge/" + TOKEN, b"POST", False),
        (b"/.well-known/acme-challenge/" + TOKEN, b"GET", True),
    ],
)
def test_leaves_the_rest_to_the_site(target: bytes, method: bytes, secure: bool) -> None:
    """Anything but the exact token, with GET or HEAD, on plain HTTP, is the site's."""
    assert ask(target, method=method, secure=secure).status == 418
