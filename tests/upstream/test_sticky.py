"""The cookie that names an upstream."""

from __future__ import annotations

import pytest

from gateway.http.known import COOKIE
from gateway.upstream.sticky import OwnCookies, StickyCookie, StickyKey
from tests.support.streams import get

KEY = StickyKey(b"k" * 32)
UPSTREAMS = ("127.0.0.1:4000", "127.0.0.1:4001")
COOKIE_OF = StickyCookie(KEY, "a.test", UPSTREAMS)
ONE, TWO = (COOKIE_OF.field(upstream, secure=False).partition(b";")[0] for upstream in UPSTREAMS)


def chosen(*cookies: bytes, cookie: StickyCookie = COOKIE_OF) -> str:
    return cookie.chosen(get(b"/", *(b"Cookie: " + each for each in cookies)))


def test_the_field() -> None:
    """Scripts cannot read it, other sites cannot have it sent with a form, and it names nothing that can be read."""
    name, *attributes = COOKIE_OF.field(UPSTREAMS[0], secure=True).split(b"; ")
    assert attributes == [b"Path=/", b"HttpOnly", b"SameSite=Lax", b"Secure"]
    assert name.startswith(b"gateway_sticky=")
    value = name.partition(b"=")[2]
    assert len(value) == 32
    int(value, 16)
    assert b"Secure" not in COOKIE_OF.field(UPSTREAMS[0], secure=False)


def test_it_names_its_upstream() -> None:
    """Wherever it stands among others."""
    assert [chosen(ONE), chosen(TWO)] == list(UPSTREAMS)
    assert chosen(b"a=b; " + TWO + b"; c=d") == UPSTREAMS[1]
    assert chosen(b"a=b", b" x=y;" + TWO + b" ") == UPSTREAMS[1]


def test_who_has_the_key_reads_it() -> None:
    """Another process with the key finds the same upstream; with another key, of another site, none."""
    assert chosen(ONE, cookie=StickyCookie(StickyKey(b"k" * 32), "a.test", reversed(UPSTREAMS))) == UPSTREAMS[0]
    assert chosen(ONE, cookie=StickyCookie(StickyKey(b"K" * 32), "a.test", UPSTREAMS)) == ""
    assert chosen(ONE, cookie=StickyCookie(KEY, "b.test", UPSTREAMS)) == ""
    assert chosen(ONE, cookie=StickyCookie(KEY, "a.test", UPSTREAMS, "/api")) == ""
    assert chosen(ONE, cookie=StickyCookie(KEY, "a.test", UPSTREAMS[1:])) == "", "an upstream that is gone"


@pytest.mark.parametrize(
    "cookies",
    [
        (),
        (b"",),
        (b"gateway_sticky",),
        (b"gateway_sticky=",),
        (b"gateway_sticky=127.0.0.1:4000",),
        (ONE[:-1],),
        (ONE + b"0",),
        (ONE.upper(),),
        (b'gateway_sticky="' + ONE.partition(b"=")[2] + b'"',),
        (b"x" + ONE,),
        (b"gateway_sticky_" + ONE,),
        (b"gateway_sticky=" + b"\xff" * 32,),
        (b"gateway_sticky=" + b"0" * 8000,),
        (b"; ".join([b"gateway_sticky=" + b"0" * 32] * 100 + [ONE]),),
        (b";" * 8000,),
        (b"a=" + ONE,),
    ],
)
def test_what_names_none(cookies: tuple[bytes, ...]) -> None:
    """Forged, cut, huge and many cookies are as good as none."""
    assert chosen(*cookies) == ""


def test_two_of_them() -> None:
    """Of several the first that is ours counts, so that one that another page has put there does no harm."""
    assert chosen(b"gateway_sticky=" + b"0" * 32 + b"; " + TWO) == UPSTREAMS[1]
    assert chosen(TWO, ONE) == UPSTREAMS[1]


def test_a_key_is_made_and_never_shown() -> None:
    """Without one that was kept, each process makes its own."""
    assert StickyKey().octets != StickyKey().octets
    assert repr(KEY) == "<StickyKey>"


@pytest.mark.parametrize(
    ("block", "left"),
    [
        (b"", b""),
        (b"Cookie: %b\r\n", b""),
        (b"A: 1\r\ncookie:%b\r\nB: 2\r\n", b"A: 1\r\nB: 2\r\n"),
        (b"Cookie: a=b; %b\r\n", b"Cookie: a=b\r\n"),
        (b"Cookie: %b; a=b;c=d\r\nX: 1\r\n", b"Cookie: a=b;c=d\r\nX: 1\r\n"),
        (b"Cookie: a=b;%b;  c=d\r\n", b"Cookie: a=b;  c=d\r\n"),
        (b"Cookie: gateway_sticky_0123abcd=1; a=1; gateway_sticky =; %b\r\n", b"Cookie: a=1\r\n"),
        (b"Cookie: a=1\r\nCookie: %b\r\nCookie: b=2\r\n", b"Cookie: a=1\r\nCookie: b=2\r\n"),
    ],
)
def test_apps_do_not_see_it(block: bytes, left: bytes) -> None:
    """Our cookies are taken out, and a field that had no other."""
    assert OwnCookies().apply(block.replace(b"%b", ONE), COOKIE) == left


@pytest.mark.parametrize(
    "block",
    [
        b"Cookie: a=gateway_sticky; xgateway_sticky=1; gateway_sticky_of_app=2\r\n",
        b"X-Cookie: gateway_sticky=1\r\nCookie: a=b\r\n",
        b"Cookie:  a=b ;; c \r\n",
    ],
)
def test_other_fields_stay(block: bytes) -> None:
    """Not an octet of anything else is changed."""
    assert OwnCookies().apply(block, COOKIE) == block
    assert OwnCookies().apply(b"Cookie: gateway_sticky=1\r\n", 0) == b"Cookie: gateway_sticky=1\r\n", "no such field"
