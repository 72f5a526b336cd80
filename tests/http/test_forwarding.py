"""What applications are told about the client, and whom the gateway believes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import HTTPError
from gateway.http import fields as field_lines
from gateway.http.forwarding import (
    Forwarding,
    TrustedProxies,
    Via,
    add_forwarded,
    add_host,
    connection_lines,
)
from tests.support.streams import get, request_head

PROXY = "10.0.0.1"
ID = b"a" * 20


def read(*fields: bytes, peer: str = PROXY, header: str = "", secure: bool = False, port: int = 80) -> Forwarding:
    return TrustedProxies(["private"], header).read(get(b"/", *fields), peer, port, secure)


def lines_of(forwarding: Forwarding) -> dict[bytes, bytes]:
    found = list(field_lines.pairs(forwarding.lines))
    assert len(found) == len(dict(found)), "a field twice"
    return dict(found)


def test_an_untrusted_connection_has_its_own_lines() -> None:
    """Address, scheme and port are what the gateway sees itself."""
    assert connection_lines("203.0.113.9", 8080, secure=False) == (
        b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 8080\r\n"
    )
    assert connection_lines("2001:DB8::1", 443, secure=True) == (
        b"X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n"
    )


def test_mapped_and_scoped_addresses_are_written_plainly() -> None:
    """An IPv4 client of an IPv6 listener, and a link-local one, are shown as applications expect."""
    assert connection_lines("::ffff:203.0.113.9", 80, secure=False).startswith(b"X-Forwarded-For: 203.0.113.9\r\n")
    assert connection_lines("fe80::1%eth0", 80, secure=False).startswith(b"X-Forwarded-For: fe80::1\r\n")


def test_a_socket_peer_has_no_address() -> None:
    """A UNIX socket has no address to forward, and its scheme's port."""
    assert connection_lines("", 0, secure=True) == b"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n"


def test_host_line() -> None:
    """The authority goes into X-Forwarded-Host as it came; without one there is no line."""
    assert add_host(b"A: 1\r\n", b"Example.com:81") == b"A: 1\r\nX-Forwarded-Host: Example.com:81\r\n"
    assert add_host(b"A: 1\r\n", b"") == b"A: 1\r\n"


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("::ffff:192.168.0.1", True),
        ("104.16.0.1", True),
        ("2606:4700::6810:1", True),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("203.0.113.9", False),
        ("2001:db8::1", False),
        ("", True),
        ("garbage", False),
    ],
)
def test_trust_by_network(peer: str, trusted: bool) -> None:
    """Names and networks decide who is trusted; UNIX sockets are private."""
    proxies = TrustedProxies(["private", "cloudflare", "198.51.100.7"])
    assert proxies.is_trusted(peer) is trusted


def test_nobody_is_trusted_by_default() -> None:
    """Without a list no peer is believed, not even this machine."""
    assert not TrustedProxies().is_trusted("127.0.0.1")
    assert not TrustedProxies().is_trusted("")
    assert not TrustedProxies(["10.0.0.0/8"]).is_trusted("")


def test_malformed_header_name_is_refused() -> None:
    """The field that names the client must be a field name."""
    with pytest.raises(ValueError, match="expected a header name"):
        TrustedProxies(["private"], "CF Connecting")


@pytest.mark.parametrize(
    ("fields", "client", "sent"),
    [
        ((), "10.0.0.1", b"10.0.0.1"),
        ((b"X-Forwarded-For: 203.0.113.9",), "203.0.113.9", b"203.0.113.9, 10.0.0.1"),
        (
            (b"X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.0.0.2",),
            "203.0.113.9",
            b"1.1.1.1, 203.0.113.9, 10.0.0.2, 10.0.0.1",
        ),
        (
            (b"X-Forwarded-For: 1.1.1.1", b"x-forwarded-for: 203.0.113.9"),
            "203.0.113.9",
            b"1.1.1.1, 203.0.113.9, 10.0.0.1",
        ),
        ((b"X-Forwarded-For: 10.0.0.3, 10.0.0.2",), "10.0.0.3", b"10.0.0.3, 10.0.0.2, 10.0.0.1"),
        ((b"X-Forwarded-For: 203.0.113.9:4711",), "203.0.113.9", b"203.0.113.9:4711, 10.0.0.1"),
        ((b"X-Forwarded-For: [2001:db8::1]:80",), "2001:db8::1", b"[2001:db8::1]:80, 10.0.0.1"),
        ((b"X-Forwarded-For: 2001:db8::1",), "2001:db8::1", b"2001:db8::1, 10.0.0.1"),
        ((b"X-Forwarded-For: 203.0.113.9, garbage",), "10.0.0.1", b"10.0.0.1"),
        ((b"X-Forwarded-For: <script>, 203.0.113.9",), "203.0.113.9", b"203.0.113.9, 10.0.0.1"),
        ((b"X-Forwarded-For: 999.1.1.1",), "10.0.0.1", b"10.0.0.1"),
        ((b"X-Forwarded-For: unknown, 10.0.0.2",), "10.0.0.2", b"10.0.0.2, 10.0.0.1"),
        ((b"X-Forwarded-For: ,, ",), "10.0.0.1", b"10.0.0.1"),
    ],
)
def test_the_first_untrusted_from_the_right_is_the_client(fields: tuple[bytes, ...], client: str, sent: bytes) -> None:
    """The chain is walked from the right; nothing behind a malformed entry is believed or passed on."""
    forwarding = read(*fields)
    assert forwarding.client == client
    assert lines_of(forwarding)[b"X-Forwarded-For"] == sent


def test_a_long_chain_is_cut() -> None:
    """A chain of thousands of entries costs no more than one of 32."""
    forwarding = read(b"X-Forwarded-For: " + b",".join([b"10.0.0.9"] * 1000))
    assert forwarding.client == "10.0.0.9"
    assert lines_of(forwarding)[b"X-Forwarded-For"].count(b",") == 32


def test_a_socket_proxy_adds_no_address() -> None:
    """Behind a UNIX socket the chain is passed on as it came."""
    forwarding = read(b"X-Forwarded-For: 203.0.113.9", peer="", port=0)
    assert forwarding.client == "203.0.113.9"
    assert lines_of(forwarding)[b"X-Forwarded-For"] == b"203.0.113.9"
    assert read(peer="").client == ""
    assert b"X-Forwarded-For" not in lines_of(read(peer=""))


@pytest.mark.parametrize(
    ("fields", "client"),
    [
        ((b"CF-Connecting-IP: 203.0.113.1", b"X-Forwarded-For: 203.0.113.2"), "203.0.113.1"),
        ((b"cf-connecting-ip: 2001:db8::5",), "2001:db8::5"),
        ((b"CF-Connecting-IP: nobody", b"X-Forwarded-For: 203.0.113.2"), "203.0.113.2"),
        ((b"CF-Connecting-IP: 1.1.1.1", b"CF-Connecting-IP: 2.2.2.2", b"X-Forwarded-For: 203.0.113.2"), "203.0.113.2"),
        ((b"X-Forwarded-For: 203.0.113.2",), "203.0.113.2"),
    ],
)
def test_the_named_client_wins_where_it_is_sound(fields: tuple[bytes, ...], client: str) -> None:
    """A trusted proxy's own field names the client, if it holds one address."""
    assert read(*fields, header="CF-Connecting-IP").client == client


@pytest.mark.parametrize(
    ("fields", "proto", "port"),
    [
        ((), b"http", b"8080"),
        ((b"X-Forwarded-Proto: https",), b"https", b"443"),
        ((b"X-Forwarded-Proto: HTTPS", b"X-Forwarded-Port: 8443"), b"https", b"8443"),
        ((b"X-Forwarded-Proto: wss",), b"https", b"443"),
        ((b"X-Forwarded-Proto: http",), b"http", b"80"),
        ((b"X-Forwarded-Proto: https, http",), b"http", b"8080"),
        ((b"X-Forwarded-Proto: https", b"X-Forwarded-Proto: https"), b"http", b"8080"),
        ((b"X-Forwarded-Proto: ftp",), b"http", b"8080"),
        ((b"X-Forwarded-Proto:",), b"http", b"8080"),
        ((b"X-Forwarded-Port: 0",), b"http", b"8080"),
        ((b"X-Forwarded-Port: 65536",), b"http", b"8080"),
        ((b"X-Forwarded-Port: 80, 81",), b"http", b"8080"),
        ((b"X-Forwarded-Port: \xb2",), b"http", b"8080"),
    ],
)
def test_scheme_and_port_are_kept_when_well_formed(fields: tuple[bytes, ...], proto: bytes, port: bytes) -> None:
    """One well-formed value is kept; anything else is replaced by what the connection knows."""
    forwarding = read(*fields, port=8080)
    lines = lines_of(forwarding)
    assert (lines[b"X-Forwarded-Proto"], lines[b"X-Forwarded-Port"]) == (proto, port)
    assert forwarding.secure is (proto == b"https")


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ((), b"example.com"),
        ((b"X-Forwarded-Host: www.example.com:444",), b"www.example.com:444"),
        ((b"X-Forwarded-Host: [::1]:80",), b"[::1]:80"),
        ((b"X-Forwarded-Host: a.example, b.example",), b"example.com"),
        ((b"X-Forwarded-Host: a.example", b"X-Forwarded-Host: b.example"), b"example.com"),
        ((b"X-Forwarded-Host: a/b",), b"example.com"),
        ((b"X-Forwarded-Host: a@b",), b"example.com"),
        ((b"X-Forwarded-Host:",), b"example.com"),
    ],
)
def test_the_host_is_kept_when_well_formed(fields: tuple[bytes, ...], host: bytes) -> None:
    """X-Forwarded-Host is the trusted proxy's single authority, else the request's own."""
    assert lines_of(read(*fields))[b"X-Forwarded-Host"] == host


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ((b"X-Request-Id: " + ID,), b"X-Request-Id: " + ID + b"\r\n"),
        ((b"x-request-id: " + b"A-z.9_" * 33,), b"X-Request-Id: " + b"A-z.9_" * 33 + b"\r\n"),
        ((b"X-Request-Id: " + ID[1:],), b""),
        ((b"X-Request-Id: " + b"a" * 201,), b""),
        ((b"X-Request-Id: " + ID + b"<",), b""),
        ((b"X-Request-Id: " + ID, b"X-Request-Id: " + ID), b""),
        ((), b""),
    ],
)
def test_request_ids_are_accepted_when_well_formed(fields: tuple[bytes, ...], line: bytes) -> None:
    """A single id of 20 to 200 safe octets is kept; any other makes way for a new one."""
    assert read(*fields).id_line == line


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Port", b"Forwarded"]
            ),
            st.text('0123456789abcdef.:,;="\\[] hts%<@é', max_size=30).map(lambda text: text.encode("latin-1")),
        ),
        max_size=5,
    )
)
def test_anything_forwarded_gives_well_formed_lines(fields: list[tuple[bytes, bytes]]) -> None:
    """Whatever a trusted proxy sends, upstream gets each field once, with one scheme and one port."""
    forwarding = read(*(b"%b: %b" % field for field in fields))
    lines = lines_of(forwarding)
    assert lines[b"X-Forwarded-Proto"] in (b"http", b"https")
    assert lines[b"X-Forwarded-Port"].isdigit()
    assert lines[b"X-Forwarded-For"].endswith(PROXY.encode())
    assert b"," not in lines[b"X-Forwarded-Host"]


@pytest.mark.parametrize(
    ("peer", "host", "secure", "line"),
    [
        ("203.0.113.9", b"example.com", False, b"for=203.0.113.9;proto=http;host=example.com"),
        ("2001:db8::1", b"example.com:8080", True, b'for="[2001:db8::1]";proto=https;host="example.com:8080"'),
        ("", b"", False, b"for=unknown;proto=http"),
    ],
)
def test_forwarded_is_written(peer: str, host: bytes, secure: bool, line: bytes) -> None:
    """IPv6 stands quoted in brackets, and so does whatever is no token (RFC 7239 §4, §6)."""
    before = b"X-Forwarded-Proto: http\r\n"
    assert add_forwarded(before, peer, host, secure) == before + b"Forwarded: " + line + b"\r\n"


def test_forwarded_of_a_trusted_proxy_is_extended() -> None:
    """Our element comes last, in the one field."""
    forwarding = read(b"Forwarded: for=203.0.113.9", b'Forwarded: for="[2001:db8::1]:80" ; proto=https')
    lines = add_forwarded(forwarding.lines, PROXY, b"example.com", False)
    assert field_lines.get_all(lines, b"forwarded") == [
        b'for=203.0.113.9, for="[2001:db8::1]:80" ; proto=https, for=10.0.0.1;proto=http;host=example.com'
    ]
    assert add_forwarded(b"Forwarded: for=a\r\n", PROXY, b"", True) == b"Forwarded: for=a, for=10.0.0.1;proto=https\r\n"


@pytest.mark.parametrize("value", [b'for="', b"for", b"for=a b", b";", b'for="a\\"'])
def test_malformed_forwarded_is_dropped(value: bytes) -> None:
    """What breaks RFC 7239's syntax could swallow our own element."""
    assert b"Forwarded" not in lines_of(read(b"Forwarded: " + value))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ((), b"Via: 1.1 front\r\n"),
        (
            (b"Via: 1.0 fred, 1.1 p.example.net (Apache, 1)",),
            b"Via: 1.0 fred, 1.1 p.example.net (Apache, 1), 1.1 front\r\n",
        ),
        ((b"Via: 1.0 a", b"via: 1.1 b"), b"Via: 1.0 a, 1.1 b, 1.1 front\r\n"),
        ((b"Via:",), b"Via: 1.1 front\r\n"),
        ((b"Via: front", b"Via: 1.1 front.example"), b"Via: front, 1.1 front.example, 1.1 front\r\n"),
    ],
)
def test_via_is_appended(fields: tuple[bytes, ...], line: bytes) -> None:
    """The request's Via is kept and this gateway added (RFC 9110 §7.6.3)."""
    assert Via("front").line(get(b"/", *fields)) == line


def test_via_names_the_version_received() -> None:
    """A request in HTTP/1.0 is named as one."""
    assert Via("front").line(request_head(b"GET / HTTP/1.0\r\n\r\n")) == b"Via: 1.0 front\r\n"


@pytest.mark.parametrize("value", [b"1.1 front", b"1.0 a, HTTP/1.1\tFRONT (x), 1.1 b"])
def test_a_loop_is_508(value: bytes) -> None:
    """A request that came through here before is refused."""
    with pytest.raises(HTTPError) as caught:
        Via("front").line(get(b"/", b"Via: " + value))
    assert (caught.value.status, caught.value.reason) == (508, "loop")


def test_a_pseudonym_is_a_token() -> None:
    """A pseudonym with white space or line ends is refused at build time."""
    for name in ("", "a b", "a\r\nX: 1"):
        with pytest.raises(ValueError, match="expected a word"):
            Via(name)


def test_the_client_ip_field_of_an_untrusted_peer_is_dropped() -> None:
    """Nobody but a trusted proxy tells an app the client's address in the field that the operator named."""
    proxies = TrustedProxies(("10.0.0.0/8",), "CF-Connecting-IP")
    head = get(b"/", b"CF-Connecting-IP: 1.2.3.4", b"X-A: 1", b"cf_connecting-ip: 1.2.3.4")
    proxies.disbelieve(head)
    assert head.fields == b"X-A: 1\r\n"
    head = get(b"/", b"X-A: 1")
    before = head.fields
    proxies.disbelieve(head)
    assert head.fields is before
    head = get(b"/", b"CF-Connecting-IP: 1.2.3.4")
    TrustedProxies().disbelieve(head)
    assert head.fields == b"CF-Connecting-IP: 1.2.3.4\r\n"
