"""One authority as a client sees it, when it answers badly: each failure has its error, and none is a surprise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from requests.adapters import BaseAdapter

from gateway.tls.authority import Authority
from gateway.tls.problems import AccountGone, AuthorityRefused, AuthorityUnreachable, IssuingError
from tests.support.fake_ca import BASE, DIRECTORY, FakeCA
from tests.support.issuing import NOW

IDENTIFIER = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


class Answering(BaseAdapter):
    """Lets the test change answers of a fake authority.

    Args:
        change: Takes each answer but that of the directory, which it may spoil.
    """

    def __init__(self, change: Callable[[requests.Response], object]) -> None:
        super().__init__()
        self.ca = FakeCA(lambda: NOW)
        self.ca.window = (NOW, NOW + 1000)
        self._change = change

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        response = self.ca.send(request, *args, **kwargs)
        if request.url != DIRECTORY:
            self._change(response)
        return response

    def close(self) -> None:
        """Nothing to close."""


def ask(change: Callable[[requests.Response], object]) -> IssuingError:
    """Ask for renewal information, and give what comes of it."""
    with pytest.raises(IssuingError) as caught:
        Authority(DIRECTORY, "", Answering(change)).renewal_info(IDENTIFIER)
    return caught.value


def content(octets: bytes) -> Callable[[requests.Response], object]:
    def change(response: requests.Response) -> None:
        response._content = octets

    return change


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b'{"suggestedWindow": 7}',
        b'{"suggestedWindow": {"start": 1, "end": 2}}',
        b'{"suggestedWindow": {"start": "yesterday", "end": "tomorrow"}}',
        b'{"suggestedWindow": {"start": "2027-01-02T00:00:00Z", "end": "2027-01-01T00:00:00Z"}}',
        b'{"suggestedWindow": {"start": "0001-01-01T00:00:00", "end": "0001-01-01T00:00:00"}}',
        b"[" * 200_000,
    ],
)
def test_answers_that_make_no_sense(octets: bytes) -> None:
    """Whatever an authority sends is at worst an answer that is refused."""
    error = ask(content(octets))
    assert isinstance(error, AuthorityRefused)
    assert "makes no sense" in str(error)
    assert len(str(error)) < 500


def test_a_date_out_of_range_does_not_matter() -> None:
    """A Date that no calendar has leaves the answer as it is."""
    authority = Authority(
        DIRECTORY,
        "",
        Answering(
            lambda response: response.headers.update({"Date": "Sun, 99999999999999999999 Nov 2026 10:00:00 GMT"})
        ),
    )
    info = authority.renewal_info(IDENTIFIER)
    assert info is not None
    assert (info.start, info.end, info.explanation) == (NOW, NOW + 1000, f"{BASE}/why")


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", "http://ca.test/why", "https://ca.test/\u202e", "https://a b/"]
)
def test_pages_that_nobody_should_open(page: str) -> None:
    """Only an https address is shown to the operator."""
    window = b'"suggestedWindow": {"start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z"}'
    octets = b'{%b, "explanationURL": "%b"}' % (window, page.encode())
    info = Authority(DIRECTORY, "", Answering(content(octets))).renewal_info(IDENTIFIER)
    assert info is not None
    assert info.explanation == ""


def problem(status: int, code: str = "", **fields: str) -> Callable[[requests.Response], object]:
    def change(response: requests.Response) -> None:
        response.status_code = status
        response.headers.update({name.replace("_", "-"): value for name, value in fields.items()})
        if code:
            response.headers["Content-Type"] = "application/problem+json"
            response._content = b'{"type": "urn:ietf:params:acme:error:%b", "detail": "no\\nway"}' % code.encode()
        else:
            response._content = b"<h1>Bad Gateway</h1>"

    return change


def test_refusals_say_when_to_come_back() -> None:
    """The authority's code, its sentence without line ends, and its Retry-After reach whoever asked."""
    error = ask(problem(429, "rateLimited", Retry_After="600"))
    assert isinstance(error, AuthorityRefused)
    assert (error.code, error.retry_after) == ("rateLimited", 600.0)
    assert str(error) == "the authority answered rateLimited: no way"


def test_an_account_that_is_gone() -> None:
    """It has an error of its own, so that a new one is made."""
    assert isinstance(ask(problem(400, "accountDoesNotExist")), AccountGone)


@pytest.mark.parametrize(("status", "code"), [(404, "http-404"), (502, "")])
def test_errors_that_are_none_of_acme(status: int, code: str) -> None:
    """A proxy's error page has the status for its code, where the request was at fault; a server's trouble has none."""
    error = ask(problem(status, Retry_After="30"))
    assert isinstance(error, AuthorityRefused)
    assert (error.code, error.retry_after) == (code, 30.0)


def test_unreachable_once() -> None:
    """A connection that fails is told apart, and the next call begins with the directory again."""
    adapter = Answering(lambda response: None)
    adapter.ca.faults["renewal"] = [(0, "", {})]
    authority = Authority(DIRECTORY, "", adapter)
    with pytest.raises(AuthorityUnreachable, match=DIRECTORY):
        authority.renewal_info(IDENTIFIER)
    assert authority.renewal_info(IDENTIFIER) is not None
    assert adapter.ca.calls == ["directory", "renewal", "directory", "renewal"]


def test_why_it_is_unreachable() -> None:
    """What the operator reads is what began it, not what the layers of a library made of it."""

    def fail(_: requests.Response) -> None:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise requests.ConnectionError("HTTPSConnectionPool(host='ca.test'): Max retries exceeded") from error

    assert str(ask(fail)) == f"{DIRECTORY} cannot be reached: [Errno 111] Connection refused"


def test_an_authority_without_windows() -> None:
    """Renewal information is optional (RFC 9773)."""
    adapter = Answering(lambda response: None)
    adapter.ca.window = None
    assert Authority(DIRECTORY, "", adapter).renewal_info(IDENTIFIER) is None
