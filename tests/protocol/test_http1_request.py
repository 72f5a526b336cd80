"""Request heads, section by section. What must be refused stands in the corpus of hostile requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProtocolError
from gateway.http.fields import pairs
from gateway.http.known import ACCEPT, COOKIE, FORWARDING, HOST, TE
from gateway.http.message import Framing, RequestHead
from gateway.protocol.http1_head import HeadLimits, parse_request
from gateway.units import ByteCount

LIMITS = HeadLimits()


def parse(*lines: bytes, start: bytes = b"GET / HTTP/1.1", limits: HeadLimits = LIMITS) -> RequestHead:
    head = parse_request(b"\r\n".join([start, *lines, b"", b""]), limits)
    assert head is not None
    return head


def site(*lines: bytes, start: bytes = b"GET / HTTP/1.1", limits: HeadLimits = LIMITS) -> RequestHead:
    return parse(b"Host: example.com", *lines, start=start, limits=limits)


def refusal(data: bytes, limits: HeadLimits = LIMITS) -> int | None:
    with pytest.raises(ProtocolError) as caught:
        parse_request(data, limits)
    return caught.value.status


class TestMessageFormat:
    """RFC 9112 §2."""

    def test_unfinished(self) -> None:
        """Without the blank line there is no head yet, wherever it is cut."""
        data = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
        for end in range(len(data)):
            assert parse_request(data[:end], LIMITS) is None
        assert parse_request(data, LIMITS) is not None

    def test_what_follows_is_not_looked_at(self) -> None:
        """The size says where the head ends."""
        data = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        head = parse_request(data + b"\x00\r\n\r\n", LIMITS)
        assert head is not None
        assert head.size == len(data)
        assert head.raw == data[:-2]

    @pytest.mark.parametrize(
        "start", [b"GET /\r\n", b"GET / HTTP/3.0\r\n", b"GET /\n", b"\x16\x03", b"G[ / HTTP/1.1\r\n"]
    )
    def test_certain_error_is_refused_early(self, start: bytes) -> None:
        """What no further octet can mend is refused before the blank line comes."""
        assert refusal(start) in (400, 505)

    def test_obs_text_in_values_passes(self) -> None:
        """Octets from 0x80 up are opaque in values (RFC 9110 §5.5)."""
        assert site(b"X: \xc3\xa4\xff").fields == b"X: \xc3\xa4\xff\r\n"


class TestRequestLine:
    """RFC 9112 §3."""

    def test_parts(self) -> None:
        """Method, target and version come out as they were."""
        head = site(start=b"PROPFIND /a?b=%20//../c HTTP/1.0")
        assert (head.method, head.target, head.version) == (b"PROPFIND", b"/a?b=%20//../c", 0)

    def test_absolute_form(self) -> None:
        """Its authority overrides Host (§3.2.2)."""
        head = parse(b"Host: other.test", start=b"GET HTTP://Example.com:81/a@b?c HTTP/1.1")
        assert (head.target, head.host, head.hostname) == (b"/a@b?c", b"Example.com:81", b"example.com")

    @pytest.mark.parametrize(
        ("start", "target"),
        [
            (b"GET http://example.com HTTP/1.1", b"/"),
            (b"GET http://example.com?a HTTP/1.1", b"/?a"),
            (b"OPTIONS http://example.com HTTP/1.1", b"*"),
            (b"OPTIONS * HTTP/1.1", b"*"),
        ],
    )
    def test_target_without_path(self, start: bytes, target: bytes) -> None:
        """An empty path is `/`, or the server itself for OPTIONS (§3.2.1, §3.2.4)."""
        assert site(start=start).target == target

    def test_absolute_form_needs_host_every_time(self) -> None:
        """An authority met before does not make up for a missing Host."""
        for _ in range(2):
            assert refusal(b"GET http://never-met.test/ HTTP/1.1\r\n\r\n") == 400


class TestHost:
    """RFC 9112 §3.2; RFC 9110 §7.2."""

    @pytest.mark.parametrize(
        ("host", "name"),
        [
            (b"example.com", b"example.com"),
            (b"EXAMPLE.com:8080", b"example.com"),
            (b"example.com.", b"example.com"),
            (b"example.com.:80", b"example.com"),
            (b"example.com:", b"example.com"),
            (b"my_app.localhost", b"my_app.localhost"),
            (b"[::1]:80", b"[::1]"),
            (b"[2001:DB8::1]", b"[2001:db8::1]"),
            (b"192.0.2.1:65535", b"192.0.2.1"),
            (b"xn--bcher-kva.example", b"xn--bcher-kva.example"),
        ],
    )
    def test_name(self, host: bytes, name: bytes) -> None:
        """Sites are found without case, port and one trailing dot; Host itself is kept."""
        head = parse(b"Host: \t" + host + b" ")
        assert (head.host, head.hostname) == (host, name)
        assert head.known & HOST

    def test_absent_in_http_1_0(self) -> None:
        """Only HTTP/1.0 may leave it out."""
        head = parse(start=b"GET / HTTP/1.0")
        assert (head.host, head.hostname) == (b"", b"")


class TestFieldLines:
    """RFC 9112 §5; RFC 9110 §5, §7.6.1."""

    def test_end_to_end_fields_keep_their_octets_and_order(self) -> None:
        """Nothing is folded, sorted or rewritten."""
        head = site(b"x-B:1", b"X-a: \t2 ", b"x-b:  3", b"Cookie: a", b"Cookie: b")
        assert head.fields == b"x-B:1\r\nX-a: \t2 \r\nx-b:  3\r\nCookie: a\r\nCookie: b\r\n"
        assert head.known & COOKIE
        assert not head.known & ACCEPT
        assert head.get_all(b"x-b") == [b"1", b"3"]

    def test_fields_of_one_connection_are_not_passed_on(self) -> None:
        """Hop-by-hop fields, framing, Host and what the gateway writes itself are left out."""
        names = b"Connection Keep-Alive Proxy-Connection Proxy-Authenticate Proxy-Authorization TE Trailer Upgrade"
        names += b" HTTP2-Settings X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Forwarded-Port Forwarded"
        names += b" X-Real-IP X-Request-Id Via Proxy X_Forwarded_For x-forwarded_proto Remote_User Content_Length"
        head = site(*[name + b": a" for name in names.split()], b"X: y")
        assert head.fields == b"X: y\r\n"
        assert head.known & FORWARDING
        assert head.known & TE

    def test_named_by_connection(self) -> None:
        """Fields that Connection names stay here too; several lines add up."""
        head = site(b"Connection: x-a, ,X-B", b"X-A: 1", b"x-b: 2", b"X-C: 3", b"connection: keep-alive")
        assert head.fields == b"X-C: 3\r\n"

    def test_harmless_underscores_pass(self) -> None:
        """A name with an underscore that imitates nothing is passed on."""
        assert site(b"my_field: 1").fields == b"my_field: 1\r\n"


class TestFraming:
    """RFC 9112 §6."""

    def test_none(self) -> None:
        """Without either field there is no content."""
        head = site()
        assert (head.framing, head.content_length) == (Framing.NONE, 0)

    @pytest.mark.parametrize(
        "lines", [[b"Content-Length: 12"], [b"content-length:\t0012 "], [b"Content-Length: 12"] * 2]
    )
    def test_length(self, lines: list[bytes]) -> None:
        """One number, though repeated, is the length (§6.3)."""
        head = site(*lines)
        assert (head.framing, head.content_length, head.fields) == (Framing.LENGTH, 12, b"")

    def test_chunked(self) -> None:
        """The coding's name has no case (§7)."""
        assert site(b"Transfer-Encoding:  Chunked").framing is Framing.CHUNKED


class TestPersistence:
    """RFC 9112 §9.3."""

    @pytest.mark.parametrize(
        ("version", "lines", "kept"),
        [
            (b"1.1", [], True),
            (b"1.1", [b"Connection: close"], False),
            (b"1.1", [b"Connection: keep-alive, Close"], False),
            (b"1.1", [b"Connection: x", b"Connection: close"], False),
            (b"1.0", [], False),
            (b"1.0", [b"Connection: Keep-Alive"], True),
            (b"1.0", [b"Connection: keep-alive, close"], False),
        ],
    )
    def test_keep_alive(self, version: bytes, lines: list[bytes], kept: bool) -> None:
        """Version and Connection say whether another request may follow."""
        assert site(*lines, start=b"GET / HTTP/" + version).keep_alive is kept


class TestUpgrade:
    """RFC 9110 §7.8."""

    def test_with_its_connection_option(self) -> None:
        """Upgrade counts only together with its option, in HTTP/1.1, on a request without content."""
        lines = (b"Upgrade: WebSocket", b"Connection: keep-alive, Upgrade")
        assert site(*lines).upgrade == b"websocket"
        assert site(lines[0]).upgrade == b""
        assert site(lines[1]).upgrade == b""
        assert site(*lines, start=b"GET / HTTP/1.0").upgrade == b""
        assert site(*lines, b"Content-Length: 5").upgrade == b""


class TestExpect:
    """RFC 9110 §10.1.1."""

    def test_continue(self) -> None:
        """100-continue counts in HTTP/1.1, where content follows."""
        length = b"Content-Length: 5"
        assert site(b"Expect: 100-Continue", length).expects_continue
        assert not site(length).expects_continue
        assert not site(b"Expect: 100-continue").expects_continue
        assert not site(b"Expect: 100-continue", length, start=b"POST / HTTP/1.0").expects_continue


class TestLimits:
    """RFC 9110 §5.4, §15.5.15; RFC 6585 §5."""

    SMALL = HeadLimits(size=ByteCount(100), line=ByteCount(50), count=3)

    def check(self, fitting: bytes, over: bytes, status: int) -> None:
        """Check that a limit is the same for every split of the head."""
        for end in range(len(fitting)):
            assert parse_request(fitting[:end], self.SMALL) is None
        assert parse_request(fitting, self.SMALL) is not None
        assert refusal(over, self.SMALL) == status

    def test_line(self) -> None:
        """The request line may have just as many octets."""
        rest = b" HTTP/1.1\r\nHost: a\r\n\r\n"
        self.check(b"GET /" + b"a" * 36 + rest, b"GET /" + b"a" * 37 + rest, 414)
        assert refusal(b"GET /" + b"a" * 46, self.SMALL) == 414

    def test_size(self) -> None:
        """All field lines together may have just as many octets."""
        start = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
        self.check(start + b"y" * 86 + b"\r\n\r\n", start + b"y" * 87 + b"\r\n\r\n", 431)
        assert refusal(start + b"y" * 100, self.SMALL) == 431

    def test_count(self) -> None:
        """Just as many field lines may come."""
        start = b"GET / HTTP/1.1\r\nHost: a\r\n"
        self.check(start + b"X: y\r\n" * 2 + b"\r\n", start + b"X: y\r\n" * 3 + b"\r\n", 431)


TOKENS = st.text("abcXYZ09!#$%&'*+-.^_`|~", min_size=1, max_size=12).map(str.encode)
VALUES = st.binary(max_size=20).map(lambda value: bytes(octet for octet in value if octet == 9 or 32 <= octet != 127))
TARGETS = st.text("abc/?&=%20.~;:@!$'()*+,[]", max_size=20).map(lambda text: b"/" + text.encode())
OWN = {b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"}
FIELDS = st.lists(st.tuples(TOKENS.filter(lambda name: name.lower() not in OWN), VALUES), max_size=8)


@given(TOKENS.filter(lambda method: method not in (b"CONNECT", b"TRACE")), TARGETS, FIELDS)
def test_reads_back_what_was_written(method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    """Method, target and every field come out of the parser as they were written."""
    lines = [name + b":" + value for name, value in fields]
    head = parse(b"Host: a", *lines, start=b"%b %b HTTP/1.1" % (method, target))
    assert (head.method, head.target) == (method, target)
    found = list(pairs(head.raw.partition(b"\r\n")[2]))
    assert found == [(b"Host", b"a"), *((name, value.strip(b" \t")) for name, value in fields)]
