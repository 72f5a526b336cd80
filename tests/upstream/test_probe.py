"""One health check: what is asked, and what counts as well."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from gateway.net.sweeper import Sweeper
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.pool import Upstream
from gateway.upstream.probe import ENOUGH, Check, Health, Probe, check_path
from tests.support.transports import FakeEndpoint, FakeTransport

CHECK = Check(health=Health(path="/health?full=1"), host=b"www.example.com", alone=False)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LATE_ANSWER = "it did not answer GET /health?full=1 within 5 s"
LATE_END = "it did not end its answer to GET /health?full=1 within 5 s"


class Asking:
    """A check of an upstream that is the test."""

    def __init__(self, host: bytes = b"", check: Check = CHECK) -> None:
        self.clock = Clock()
        self.endpoint = FakeEndpoint()
        self.told: list[str] = []
        self.sweeper = Sweeper()
        self.upstream = Upstream(
            "127.0.0.1:4000",
            self.endpoint,  # type: ignore[arg-type]  # structural
            ExchangeLimits(),
            self.sweeper,
            64,
            host,
        )
        self.probe = Probe(self.upstream, check, self.clock, self.told.append)

    def start(self) -> FakeTransport:
        self.probe.start()
        return self.endpoint.last

    def over(self, transport: FakeTransport) -> bool:
        """Whether nothing is left, once the connection is closed."""
        assert transport.closing or transport.aborted
        transport.lose(clean=True)
        return not self.clock.getDelayedCalls() and not len(self.sweeper) and not self.upstream.idle


def test_what_is_asked() -> None:
    """As a client of the site would over HTTPS, on a connection that is closed afterwards."""
    asking = Asking()
    transport = asking.start()
    assert transport.take() == (
        b"GET /health?full=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: gateway-health\r\n"
        b"X-Forwarded-Proto: https\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    assert asking.told == []
    transport.receive(OK)
    assert asking.told == [""]
    assert asking.over(transport)


def test_an_https_upstream_is_asked_by_its_own_name() -> None:
    """As with every other request to it."""
    assert b"\r\nHost: app.lan\r\n" in Asking(b"app.lan").start().take()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 299 Fine\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK,
        OK + b"and what nobody asked for",
    ],
)
@pytest.mark.parametrize("size", [0, 1])
def test_well(answer: bytes, size: int) -> None:
    """Any answer from 200 to 299 passes, however it is framed and split; the connection is never used again."""
    asking = Asking()
    transport = asking.start()
    transport.receive(answer, size)
    assert asking.told == [""]
    assert asking.over(transport)


def test_an_answer_that_ends_with_its_connection() -> None:
    """Content without a length is complete when the connection is closed."""
    asking = Asking()
    transport = asking.start()
    transport.receive(b"HTTP/1.1 200 OK\r\n\r\nok")
    assert asking.told == []
    transport.finish()
    assert asking.told == [""]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "it answered GET /health?full=1 with 500"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "it answered GET /health?full=1 with 404"),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: https://www.example.com/health\r\nContent-Length: 0\r\n\r\n",
            "it answered GET /health?full=1 with 301, a redirect to 'https://www.example.com/health': is it force_ssl? "
            "It needs rewrite_on: [:x_forwarded_proto] in the app's endpoint",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /log\xffin\r\nContent-Length: 0\r\n\r\n",
            "it answered GET /health?full=1 with 302, a redirect to '/logÿin': "
            "`health` must name a path that is not redirected",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no status line but b'SSH-2.0-OpenSSH_9.2\\r\\n' (RFC 9112 §4)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "several unequal Content-Length"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, "response header over 16000 octets"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "101 to a request without"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40, "too many informational responses"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
    ],
)
def test_not_well(answer: bytes, reason: str) -> None:
    """Whatever else is answered says what it was, so that one can find out why; the connection is closed."""
    asking = Asking()
    transport = asking.start()
    transport.receive(answer)
    (told,) = asking.told
    assert reason in told
    assert asking.over(transport)


def test_closed() -> None:
    """A connection that is closed before the answer's end is no answer, even if the status was good."""
    for begun, reason in (
        (b"", "it closed the connection without an answer"),
        (b"HTTP/1.1 200", "it closed in the middle of its response head"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "it closed in the middle of its response"),
    ):
        asking = Asking()
        transport = asking.start()
        transport.receive(begun)
        transport.lose()
        assert asking.told == [reason]
        assert not asking.clock.getDelayedCalls()


def test_refused() -> None:
    """An upstream that cannot be reached is not well."""
    asking = Asking()
    asking.endpoint.refuse()
    asking.probe.start()
    assert asking.told == ["it refused the connection"]
    assert not asking.clock.getDelayedCalls()


def test_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    """A connection that fails with a bug counts as a check that failed."""
    asking = Asking()
    asking.endpoint.failing = RuntimeError()  # type: ignore[assignment]  # what it should not fail with
    asking.probe.start()
    assert asking.told == ["the check failed"]


def test_no_connection_in_time() -> None:
    """Connecting has the same time; a connection that comes later is closed."""
    asking = Asking()
    asking.endpoint.waiting = True
    asking.probe.start()
    asking.clock.advance(4.9)
    assert asking.told == []
    asking.clock.advance(0.1)
    assert asking.told == [LATE_ANSWER]


@pytest.mark.parametrize(
    ("begun", "drip", "reason"),
    [
        (b"", b"", LATE_ANSWER),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x", LATE_ANSWER),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", LATE_ANSWER),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"", LATE_END),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", LATE_END),
        (b"HTTP/1.1 500 Oops\r\n\r\n", b"x", "it answered GET /health?full=1 with 500"),
    ],
)
def test_no_answer_in_time(begun: bytes, drip: bytes, reason: str) -> None:
    """The whole answer has one deadline, which no dripping moves."""
    asking = Asking()
    transport = asking.start()
    transport.receive(begun)
    for _ in range(10):
        assert asking.told == []
        transport.receive(drip)
        asking.clock.advance(0.5)
    assert asking.told == [reason]
    assert asking.over(transport)


@pytest.mark.parametrize(
    ("status", "verdict"), [(b"200 OK", ""), (b"503 Down", "it answered GET /health?full=1 with 503")]
)
def test_an_answer_without_end(status: bytes, verdict: str) -> None:
    """Of content no more is read than `ENOUGH`, and then the status decides."""
    asking = Asking()
    transport = asking.start()
    transport.receive(b"HTTP/1.1 " + status + b"\r\nContent-Length: 1000000000\r\n\r\n")
    transport.receive(b"x" * (ENOUGH - 1))
    assert asking.told == []
    transport.receive(b"x")
    assert asking.told == [verdict]
    assert transport.aborted
    assert asking.over(transport)


def test_a_check_that_is_given_up() -> None:
    """Nobody is told anything, at whichever moment, and nothing is left."""
    asking = Asking()
    transport = asking.start()
    asking.probe.cancel()
    assert asking.over(transport)
    waiting = Asking()
    waiting.endpoint.waiting = True
    waiting.probe.start()
    waiting.probe.cancel()
    assert not waiting.clock.getDelayedCalls()
    assert asking.told == waiting.told == []


@pytest.mark.parametrize("path", ["/", "/health", "/a?b=c&d", "/%20", "/~a/b.c"])
def test_paths(path: str) -> None:
    """What can be a request target is taken as it is."""
    assert check_path(path) == path


@pytest.mark.parametrize("path", ["", "health", "//a", "/a b", "/a#b", "/ä", "/a\r\nX: 1", "http://a/"])
def test_no_paths(path: str) -> None:
    """Anything that would have to be changed first is refused."""
    with pytest.raises(ValueError, match="expected a path of the app"):
        check_path(path)
