"""One line for each exchange, whatever happens to it and whatever a client sends."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe.lines import Format
from gateway.resources.redirect import RedirectResource, Target
from tests.exchange.test_websocket import accept, handshake
from tests.support.logged import COMBINED, KEYS, Logged
from tests.support.streams import Reply
from tests.support.transports import World
from tests.support.websocket import TEXT, close, frame

GET = b"GET %b HTTP/1.1\r\nHost: example.com\r\n%b\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ask(logged: Logged, data: bytes, answer: bytes = OK) -> None:
    client = logged.world.client()
    client.receive(data)
    if answer and logged.world.endpoint.accepted:
        logged.world.clock.advance(0.25)
        logged.world.endpoint.last.receive(answer)


def test_an_answer_of_the_app() -> None:
    """Every field of a line that has them all."""
    logged = Logged()
    ask(
        logged,
        b"POST /a/b HTTP/1.1\r\nHost: Example.com:80\r\nUser-Agent: Agent/1.0\r\nReferer: https://example.com/\r\n"
        b"Content-Length: 3\r\n\r\nabc",
    )
    assert logged.text() == (
        '203.0.113.9 - - [22/Nov/2026:10:00:00 +0000] "POST /a/b HTTP/1.1" 200 2 "https://example.com/" "Agent/1.0" '
        "host=example.com id=0123456789abcdef0123 in=3 ms=250.00 upstream=127.0.0.1:4000 upstream_ms=250.00 retries=0 "
        "held_ms=0 socket=- code=- tls=- reason=-\n"
    )
    assert logged.lines[0][0] == "example.com"


def test_an_answer_of_the_app_as_json() -> None:
    """The same fields under names."""
    logged = Logged(form="json")
    ask(logged, GET % (b"/a", b'user-agent: \xc3\xa4 "quoted" \\\r\nReferer: https://example.com/\r\n'))
    assert logged.json() == [
        {
            "time": "2026-11-22T10:00:00Z",
            "request_id": "0123456789abcdef0123",
            "client": "203.0.113.9",
            "host": "example.com",
            "method": "GET",
            "path": "/a",
            "proto": "HTTP/1.1",
            "status": 200,
            "bytes_in": 0,
            "bytes_out": 2,
            "ms": 250.0,
            "upstream": "127.0.0.1:4000",
            "upstream_ms": 250.0,
            "retries": 0,
            "held_ms": 0,
            "socket": "",
            "code": None,
            "tls": False,
            "reason": "",
            "site": "example.com",
            "referer": "https://example.com/",
            "user_agent": '\xc3\xa4 "quoted" \\',
        }
    ]
    assert tuple(logged.json()[0]) == KEYS


def test_the_time_moves_on() -> None:
    """The stamp is written anew when the second is over, and not before."""
    now = [1_795_341_600.9]
    logged = Logged(World(Reply()), wall_clock=lambda: now[0])  # type: ignore[arg-type,return-value]  # Seconds
    for step in (0.05, 0.1, 0.9, 3.0):
        ask(logged, GET % (b"/", b""))
        logged.world.clock.advance(step)
        now[0] += step
    ask(logged, GET % (b"/", b""))
    assert [line["time"][-8:-6] for line in logged.combined()] == ["00", "00", "01", "01", "04"]


def kinds() -> dict[str, Logged]:
    """One exchange of each kind."""
    found: dict[str, Logged] = {}

    def case(name: str, world: World | None = None) -> Logged:
        return found.setdefault(name, Logged(world))

    ask(case("app"), GET % (b"/", b""))
    ask(case("redirect", World(RedirectResource(Target("/new"), 301))), GET % (b"/old", b""))
    ask(
        case("not modified"), GET % (b"/", b'If-None-Match: "a"\r\n'), b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
    )
    ask(case("unknown host"), b"GET / HTTP/1.1\r\nHost: elsewhere.com\r\n\r\n")
    ask(case("too large", World(max_body=1)), b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\nab")
    case("refused by the app").world.endpoint.refuse()
    ask(found["refused by the app"], GET % (b"/", b""))
    ask(case("maintenance", World(Reply(503))), GET % (b"/", b""))
    ask(case("refused request"), b"\x16\x03\x01\x02\r\n\r\n")
    ask(case("HTTP/1.0"), b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
    ask(case("HEAD"), b"HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    gone = case("client gone").world.client()
    gone.receive(GET % (b"/slow", b""))
    gone.lose()
    socket = case("socket").world.client()
    socket.receive(handshake())
    app = found["socket"].world.endpoint.last
    app.receive(accept(app.take()))
    socket.receive(frame(TEXT, b"hello", masked=True))
    app.receive(frame(TEXT, b"world!"))
    socket.receive(close(4001, masked=True))
    app.receive(close(4001))
    app.finish()
    ask(
        case("trusted proxy", World(trusted=("203.0.113.0/24",))),
        GET % (b"/", b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"),
    )
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app", {"method": "GET", "status": "200", "out": "2", "upstream": "127.0.0.1:4000"}),
        ("redirect", {"status": "301", "upstream": "-", "upstream_ms": "-"}),
        ("not modified", {"status": "304", "out": "0"}),
        ("unknown host", {"status": "404", "host": "elsewhere.com", "reason": "unknown_host"}),
        ("too large", {"status": "413", "reason": "body_too_large"}),
        ("refused by the app", {"status": "503", "reason": "upstream_refused", "upstream": "127.0.0.1:4000"}),
        ("maintenance", {"status": "503"}),
        (
            "refused request",
            {"method": "-", "path": "-", "proto": "-", "host": "-", "status": "400", "reason": "bad_request"},
        ),
        ("HTTP/1.0", {"proto": "HTTP/1.0", "status": "200"}),
        ("HEAD", {"method": "HEAD", "out": "0"}),
        ("client gone", {"status": "499", "reason": "client_gone", "path": "/slow", "upstream_ms": "-"}),
        ("trusted proxy", {"client": "192.0.2.7", "tls": "yes"}),
    ],
)
def test_kinds_of_lines(name: str, expected: dict[str, str]) -> None:
    """Each kind of exchange has one line, that says what it was."""
    (line,) = kinds()[name].combined()
    assert {key: line[key] for key in expected} == expected


def test_a_socket_has_two_lines() -> None:
    """One when it opens; one at its end, with all octets both ways and the close code."""
    opened, closed = kinds()["socket"].combined()
    assert (opened["status"], opened["socket"], opened["code"]) == ("101", "open", "-")
    assert (closed["status"], closed["socket"], closed["code"]) == ("101", "close", "4001")
    assert opened["id"] == closed["id"]
    assert opened["upstream"] == closed["upstream"] == "127.0.0.1:4000"
    sent = len(frame(TEXT, b"hello", masked=True) + close(4001, masked=True))
    assert (opened["in"], opened["out"], closed["in"]) == ("0", "0", str(sent))
    assert closed["out"] == str(len(frame(TEXT, b"world!") + close(4001)))


@pytest.mark.parametrize(
    ("lose", "code", "reason"), [("client", 1006, "client_gone"), ("app", 1006, "upstream_incomplete")]
)
def test_a_socket_that_is_lost(lose: str, code: int, reason: str) -> None:
    """Without a close frame the code is 1006; the line says whose fault it was, and how long it lasted."""
    logged = Logged(form="json")
    client = logged.world.client()
    client.receive(handshake())
    app = logged.world.endpoint.last
    app.receive(accept(app.take()))
    logged.world.clock.advance(60)
    if lose == "client":
        client.lose()
    else:
        app.lose()
        client.receive(close(1012, masked=True))
    assert [line["socket"] for line in logged.json()] == ["open", "close"]
    closed = logged.json()[1]
    assert (closed["code"], closed["reason"], closed["ms"]) == (1006, reason, 60_000.0)


def test_a_client_without_an_address() -> None:
    """A client on a UNIX socket gets an address that no client has, for some readers refuse anything else."""
    logged = Logged(World(Reply()))
    logged.world.client("").receive(GET % (b"/", b""))
    assert logged.combined()[0]["client"] == "0.0.0.0"


def test_requests_of_no_site() -> None:
    """They are of no site, and go to a file of their own."""
    assert [site for site, _ in kinds()["unknown host"].lines] == [""]
    assert [site for site, _ in kinds()["refused request"].lines] == [""]


def test_long_texts_are_cut() -> None:
    """No line is longer than goaccess takes; a cut never splits an escape sequence."""
    for form in ("combined", "json"):
        logged = Logged(World(Reply()), form=form)  # type: ignore[arg-type]  # a literal
        for size in range(490, 500):
            odd = b"a" * (size % 7) + b'"' * size
            ask(logged, GET % (b"/" + odd * 3, b"Referer: " + odd * 3 + b"\r\nUser-Agent: " + odd * 3 + b"\r\n"))
        ask(logged, b"A" * 900 + GET[3:] % (b"/", b""))
        assert max(map(len, logged.text().splitlines())) < 4095
        if form == "json":
            assert len(logged.json()) == 11
        else:
            for line in logged.combined():
                assert re.fullmatch(r"/?a*(\\x22)*(\.\.\.)?", line["path"])


OCTETS = st.binary(max_size=60)
TEXTS = st.binary(max_size=60).map(lambda text: bytes(octet for octet in text if octet not in b"\r\n"))


def whole(target: bytes, referer: bytes, agent: bytes) -> bytes:
    return GET % (b"/" + target.replace(b" ", b""), b"Referer: " + referer + b"\r\nUser-Agent:" + agent + b"\r\n")


@given(data=OCTETS | st.builds(whole, TEXTS, TEXTS, TEXTS), form=st.sampled_from(["combined", "json"]))
def test_any_octets(data: bytes, form: Format) -> None:
    """Each exchange makes one line with the same fields, of printable ASCII only."""
    logged = Logged(World(Reply()), form=form)
    client = logged.world.client()
    client.receive(data)
    answers = client.take().count(b"HTTP/1.1 ")
    text = logged.text()
    assert text.replace("\n", "").isprintable()
    assert text.isascii()
    lines = logged.json() if form == "json" else logged.combined()
    assert len(lines) == answers
    assert {tuple(line) for line in lines} <= {KEYS, tuple(COMBINED.groupindex)}


def test_upstreams_and_reasons_are_words() -> None:
    """A space in a socket's path, or anything else, does not shift the fields behind it."""
    world = World()
    world.upstreams[0].name = 'unix:/run/my "app\n.sock'
    logged = Logged(world)
    ask(logged, GET % (b"/", b""))
    assert logged.combined()[0]["upstream"] == "unix:/run/my__app_.sock"


def test_a_made_head_is_enough() -> None:
    """What is answered before anything was read has a line as well."""
    logged = Logged(World(max_connections=1))
    logged.world.client()
    logged.world.client()
    (line,) = logged.combined()
    assert (line["status"], line["reason"], line["method"]) == ("503", "too_many_connections", "-")
