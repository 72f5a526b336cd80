"""Files that an app hands over by X-Accel-Redirect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.served import Served

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Accel-Redirect: %b\r\n%b\r\n"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    files = tmp_path / "private"
    files.mkdir()
    (files / "report.pdf").write_bytes(b"0123456789")
    (tmp_path / "secret").write_bytes(b"secret")
    sites = tmp_path / "sites"
    sites.mkdir()
    return Served(sites, monkeypatch, a__com=f'proxy = {{ to = 4000, accel = "{files}" }}\n')


def ask(served: Served, path: bytes, more: bytes = b"", *, request: bytes = b"", content: bytes = b"app") -> bytes:
    """Let the app answer a request with the head above, and give what the client gets."""
    client = served.world.client()
    client.receive(b"GET /download/1 HTTP/1.1\r\nHost: a.com\r\n" + request + b"\r\n")
    app = served.endpoints["127.0.0.1:4000"].last
    app.take()
    app.receive(HEAD % (path, more) + content)
    answer: bytes = client.take()
    return answer


def test_the_file_takes_the_place_of_the_answer(served: Served) -> None:
    """Its content is sent, with what only the app knows of it; the field itself and the app's content never are."""
    more = b"Content-Type: application/x-report\r\nContent-Disposition: attachment\r\nSet-Cookie: a=1\r\n"
    answer = ask(served, b"/report.pdf", more + b"Cache-Control: private\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n0123456789")
    for line in (more + b"Cache-Control: private\r\nContent-Length: 10").split(b"\r\n"):
        assert line in answer
    assert b"x-accel" not in answer.lower()


def test_ranges_and_conditions_hold(served: Served) -> None:
    """A range of the file is sent, and nothing where the client has it already."""
    assert ask(served, b"/report.pdf", request=b"Range: bytes=2-4\r\n").endswith(b"\r\n\r\n234")
    etag = ask(served, b"/report.pdf").partition(b"ETag: ")[2].partition(b"\r\n")[0]
    assert ask(served, b"/report.pdf", request=b"If-None-Match: " + etag + b"\r\n").startswith(b"HTTP/1.1 304 ")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/none", b"404"),
        (b"/", b"404"),
        (b"/../secret", b"400"),
        (b"/%2e%2e/secret", b"400"),
        (b"report.pdf", b"502"),
        (b"http://elsewhere/", b"502"),
    ],
)
def test_what_is_no_file_of_the_folder(served: Served, path: bytes, status: bytes) -> None:
    """Nothing outside the folder is ever sent, and the app's own content is not either."""
    answer = ask(served, path)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"secret" not in answer
    assert not answer.endswith(b"app")


def test_other_answers_pass(served: Served) -> None:
    """An answer that names no file is the app's, and so is one to another method, without the field."""
    client = served.world.client()
    client.receive(b"POST /x HTTP/1.1\r\nHost: a.com\r\nContent-Length: 0\r\n\r\n")
    served.endpoints["127.0.0.1:4000"].last.receive(HEAD % (b"/report.pdf", b"") + b"app")
    answer = client.take()
    assert answer.endswith(b"\r\n\r\napp")
    assert b"x-accel" not in answer.lower()


def test_content_that_is_still_coming_is_given_up(served: Served) -> None:
    """The app's connection is closed where its own content has not come yet, and what comes late is dropped."""
    answer = ask(served, b"/report.pdf", content=b"a")
    assert answer.endswith(b"0123456789")
    assert served.endpoints["127.0.0.1:4000"].last.aborted
    assert served.world.upstreams[0].in_flight == 0
