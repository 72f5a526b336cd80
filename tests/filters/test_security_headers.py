"""Security headers: the presets, what the application has decided, and the prepared form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.filters.security_headers import Security, SecurityHeaders, ServerField, names_ancestors
from gateway.http import fields as field_lines
from gateway.http.fields import Field, make_block
from gateway.http.message import ResponseHead
from gateway.web.request import Request
from tests.support.streams import FakeRuntime, RecordingStream, Reply, exchange, get, location, response_head

PHOENIX = (
    (b"Content-Security-Policy", b"base-uri 'self'; frame-ancestors 'self';"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
)


def answered(security: SecurityHeaders, fields: tuple[Field, ...] = (), *, secure: bool = False) -> RecordingStream:
    """Answer in the prepared form."""
    place = location(Reply(200, fields), added=security.constant_fields(secure=False))
    place.added_secure = security.constant_fields(secure=True)
    return exchange(place, get(b"/"), stream=RecordingStream(secure=secure))


def test_basic() -> None:
    """Four fields, and no trace of what the app runs on."""
    stream = answered(SecurityHeaders(), ((b"Server", b"Cowboy"), (b"X-Powered-By", b"PHP"), (b"X-A", b"1")))
    assert list(field_lines.pairs(stream.fields)) == [
        (b"X-A", b"1"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Referrer-Policy", b"strict-origin-when-cross-origin"),
        (b"X-Frame-Options", b"SAMEORIGIN"),
        (b"Permissions-Policy", b"camera=(self), microphone=(self), geolocation=(self), usb=(self)"),
        (b"X-Request-Id", b"00000000000000000001"),
    ]


def test_what_the_app_says_stands() -> None:
    """A Phoenix app's own fields stay, none is doubled, and its policy makes X-Frame-Options needless."""
    stream = answered(SecurityHeaders("strict"), PHOENIX)
    for name, value in PHOENIX:
        assert stream.get_all(name.lower()) == [value]
    assert stream.get(b"x-frame-options") is None
    assert stream.get_all(b"permissions-policy")
    assert stream.get_all(b"cross-origin-opener-policy") == [b"same-origin"]
    assert stream.get_all(b"cross-origin-resource-policy") == [b"same-origin"]


def test_force() -> None:
    """With `!` our values take the place of the app's."""
    stream = answered(SecurityHeaders("basic!"), PHOENIX)
    assert stream.get_all(b"referrer-policy") == [b"strict-origin-when-cross-origin"]
    assert stream.get_all(b"content-security-policy") == [PHOENIX[0][1]]
    assert stream.get_all(b"x-content-type-options") == [b"nosniff"]


def test_strict_static() -> None:
    """Files get a policy for their content, unless they have one."""
    stream = answered(SecurityHeaders("strict", static=True))
    assert b"default-src 'self'" in (stream.get(b"content-security-policy") or b"")
    assert stream.get(b"x-frame-options") is None
    own = answered(SecurityHeaders("strict", static=True), ((b"Content-Security-Policy", b"img-src *"),))
    assert own.get_all(b"content-security-policy") == [b"img-src *"]
    assert own.get_all(b"x-frame-options") == [b"SAMEORIGIN"]
    assert answered(SecurityHeaders("strict")).get(b"content-security-policy") is None


def test_forced_strict_leaves_our_own_policies() -> None:
    """The sandbox of strangers' files and the maintenance page's script are worth more than the preset's policy."""
    sandbox = (b"Content-Security-Policy", b"sandbox; default-src 'none'")
    stream = answered(SecurityHeaders("strict!", static=True), (sandbox, (b"Referrer-Policy", b"origin")))
    assert stream.get_all(b"content-security-policy") == [sandbox[1]]
    assert stream.get_all(b"referrer-policy") == [b"strict-origin-when-cross-origin"]


def test_off_and_keep() -> None:
    """Nothing is added; Server goes all the same unless it is kept."""
    off = answered(SecurityHeaders("off"), ((b"Server", b"x"),))
    assert off.fields == b"X-Request-Id: 00000000000000000001\r\n"
    assert answered(SecurityHeaders(server="keep"), ((b"Server", b"x"),)).get(b"server") == b"x"


def test_hsts_never_goes_over_plain_http() -> None:
    """Only a connection that is HTTPS itself carries it (RFC 6797 §7.2), and the app's own value stands."""
    security = SecurityHeaders(hsts=b"max-age=86400")
    assert answered(security).get(b"strict-transport-security") is None
    assert answered(security, secure=True).get_all(b"strict-transport-security") == [b"max-age=86400"]
    own = ((b"Strict-Transport-Security", b"max-age=1"),)
    assert answered(security, own, secure=True).get_all(b"strict-transport-security") == [b"max-age=1"]
    forced = SecurityHeaders("basic!", hsts=b"max-age=86400")
    assert answered(forced, own, secure=True).get_all(b"strict-transport-security") == [b"max-age=86400"]


def test_noindex() -> None:
    """Whatever the app says, search engines are kept away."""
    stream = answered(SecurityHeaders("off", noindex=True), ((b"X-Robots-Tag", b"all"),))
    assert stream.get_all(b"x-robots-tag") == [b"noindex, nofollow"]


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        (b"frame-ancestors 'none'", True),
        (b"base-uri 'self';FRAME-ANCESTORS 'self'", True),
        (b"img-src *, frame-ancestors x", True),
        (b"frame-ancestors;", True),
        (b"img-src *; frame-ancestors", True),
        (b"img-src frame-ancestors", False),
        (b"x-frame-ancestors 'self'", False),
        (b"frame-ancestors-x 'self'", False),
    ],
)
def test_policies_that_name_ancestors(policy: bytes, named: bool) -> None:
    """Only the directive counts, not the word."""
    head = ResponseHead.make(200, ((b"X-A", b"frame-ancestors"), (b"content-SECURITY-policy", policy)))
    assert names_ancestors(head) is named
    assert not names_ancestors(ResponseHead.make(200, ((b"X-A", b"frame-ancestors 'self'"),)))


POOL: list[Field] = [
    *PHOENIX,
    (b"content-security-policy", b"img-src *"),
    (b"Server", b"x"),
    (b"x-powered-by", b"y"),
    (b"X-Frame-Options", b"DENY"),
    (b"Permissions-Policy", b"camera=*"),
    (b"Cross-Origin-Opener-Policy", b"unsafe-none"),
    (b"Strict-Transport-Security", b"max-age=1"),
    (b"X-Robots-Tag", b"all"),
    (b"Set-Cookie", b"a=b"),
    (b"X-Other", b"frame-ancestors"),
]


@given(
    fields=st.lists(st.sampled_from(POOL), max_size=6),
    preset=st.sampled_from(["basic", "strict", "off", "basic!", "strict!"]),
    static=st.booleans(),
    server=st.sampled_from(["remove", "keep"]),
    noindex=st.booleans(),
    secure=st.booleans(),
)
def test_the_prepared_form_does_what_the_filter_does(
    fields: list[Field], preset: Security, static: bool, server: ServerField, noindex: bool, secure: bool
) -> None:
    """Both forms give the same lines in the same order, and the same mask, for whatever an app may send."""
    security = SecurityHeaders(preset, static=static, server=server, noindex=noindex, hsts=b"max-age=86400")
    raw = b"HTTP/1.1 200 OK\r\n" + make_block(fields)
    one = response_head(raw)
    request = Request(RecordingStream(secure=secure), get(b"/"), FakeRuntime(), location())
    security.on_response(request, one)
    added = security.constant_fields(secure=secure)
    for _ in range(2):  # the second time from memory
        two = response_head(raw)
        lines, known = (added.lines, added.known)
        if two.known & added.guard:
            lines, known = added.choose(two)
        assert two.fields + lines == one.fields
        assert two.known | known == one.known
