"""Header edits on the way down and on the way up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.errors import GatewayError, HTTPError
from gateway.filters.headers import BlockEdits, HeaderEdits, HeaderFilter, check_request_edits, request_edits
from gateway.filters.security_headers import SecurityHeaders
from gateway.http import fields as field_lines
from gateway.http.known import BITS, SERVER, VIA, X_POWERED_BY
from gateway.resources.page import ErrorPages
from gateway.web.filter import BaseFilter
from gateway.web.moved import Moved
from gateway.web.request import Request
from gateway.web.resource import Resource
from gateway.web.tree import AddedFields, LocationResource
from tests.support.streams import (
    FakeRuntime,
    RecordingStream,
    Reply,
    StatusOnly,
    exchange,
    get,
    location,
    response_head,
)

EDITS = HeaderEdits(set={"X-Set": "new", "Server": "none"}, add={"X-Add": "two"}, remove=("X-Gone", "X-Powered-By"))


class Raising(Resource):
    def __init__(self, error: GatewayError) -> None:
        self.error = error

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise self.error


def answered_by(leaf: Resource, edits: HeaderEdits = EDITS, added: AddedFields = AddedFields()) -> RecordingStream:
    return exchange(location(leaf, HeaderFilter(edits), errors=ErrorPages(), added=added), get(b"/"))


def test_responses_are_edited() -> None:
    """Set replaces, add comes beside, remove drops; all else stays in its order."""
    fields = (
        (b"X-First", b"1"),
        (b"x-set", b"old"),
        (b"X-SET", b"older"),
        (b"X-Add", b"one"),
        (b"x-gone", b"1"),
        (b"X-Powered-By", b"PHP"),
        (b"Server", b"Cowboy"),
    )
    stream = answered_by(Reply(200, fields))
    assert stream.get_all(b"x-set") == [b"new"]
    assert stream.get_all(b"x-add") == [b"one", b"two"]
    assert stream.get_all(b"server") == [b"none"]
    assert stream.get(b"x-gone") is stream.get(b"x-powered-by") is None
    assert stream.get(b"x-first") == b"1"


@pytest.mark.parametrize(
    ("leaf", "status"),
    [
        (Reply(200), 200),
        (Reply(304, content=b""), 304),
        (Reply(500), 500),
        (Moved(b"/new"), 308),
        (Raising(HTTPError(403)), 403),
        (Raising(GatewayError("x")), 500),
    ],
)
def test_every_response_is_edited(leaf: Resource, status: int) -> None:
    """Errors, redirects and 304 carry the same fields as pages."""
    stream = answered_by(leaf)
    assert stream.status == status
    assert stream.get_all(b"x-set") == [b"new"]


def test_an_early_answer_of_another_filter_is_edited() -> None:
    """What a later filter answers passes the edits too."""

    class Refusing(BaseFilter):
        def on_request(self, request: Request) -> Resource | None:
            return Reply(401)

    stream = exchange(location(Reply(), HeaderFilter(EDITS), Refusing()), get(b"/"))
    assert (stream.status, stream.get(b"x-set")) == (401, b"new")


def test_fields_that_every_response_gets_are_edited_too() -> None:
    """What the operator sets or removes wins over what the gateway adds by itself."""
    added = AddedFields(b"Server: added\r\nReferrer-Policy: no-referrer\r\nX-Powered-By: us\r\n", SERVER | X_POWERED_BY)
    stream = answered_by(Reply(), added=added)
    assert stream.get_all(b"server") == [b"none"]
    assert stream.get_all(b"referrer-policy") == [b"no-referrer"]
    assert stream.get(b"x-powered-by") is None


def test_a_field_that_was_removed_is_forgotten() -> None:
    """The mask follows the block."""
    head = response_head(b"HTTP/1.1 200 OK\r\nServer: a\r\nX-Powered-By: b\r\n")
    HeaderFilter(HeaderEdits(remove=("server",))).on_response(exchange(location(), get(b"/")).handler, head)  # type: ignore[arg-type]
    assert not head.known & SERVER
    assert head.fields == b"X-Powered-By: b\r\n"


def test_heads_without_the_field_are_left_as_they_are() -> None:
    """A removal looks for its fields before it touches a head."""
    edits = BlockEdits(HeaderEdits(remove=("Server", "X-Gone")))
    assert not edits.may_drop(b"X-A: 1\r\n", 0)
    assert edits.may_drop(b"X-A: 1\r\n", SERVER)
    assert edits.may_drop(b"x-gone: 1\r\n", 0)
    assert not BlockEdits(HeaderEdits(remove=("Server",))).may_drop(b"X-Gone: 1\r\n", VIA)


def test_requests_are_edited() -> None:
    """The block for upstream is edited like a response's."""
    head = get(b"/", b"Authorization: Basic x", b"X-A: 1", b"X-Set: old")
    edits = request_edits(HeaderEdits(set={"X-Set": "new"}, remove=("authorization",)))
    assert edits.apply(head.fields, head.known) == b"X-A: 1\r\nX-Set: new\r\n"
    assert edits.apply(b"", 0) == b"X-Set: new\r\n"


@given(
    st.lists(
        st.tuples(st.sampled_from([b"X-Set", b"x-gone", b"Server", b"X-A", b"VIA"]), st.sampled_from([b"", b"v"]))
    ),
)
def test_edits_agree_with_a_plain_reading(fields: list[tuple[bytes, bytes]]) -> None:
    """The prepared form does what a list of pairs would."""
    known = 0
    for name, _ in fields:
        known |= BITS.get(name.lower(), 0)
    edits = BlockEdits(EDITS)
    expected = [field for field in fields if field[0].lower() not in (b"x-set", b"server", b"x-gone", b"x-powered-by")]
    expected += [(b"X-Set", b"new"), (b"Server", b"none"), (b"X-Add", b"two")]
    assert list(field_lines.pairs(edits.apply(field_lines.make_block(fields), known))) == expected


POOL: list[field_lines.Field] = [
    (b"Server", b"x"),
    (b"x-powered-by", b"y"),
    (b"Referrer-Policy", b"unsafe-url"),
    (b"X-Frame-Options", b"DENY"),
    (b"Cache-Control", b"no-store"),
    (b"Content-Security-Policy", b"frame-ancestors 'self'"),
    (b"Set-Cookie", b"a=b"),
    (b"X-Other", b"z"),
]


@given(
    fields=st.lists(st.sampled_from(POOL), max_size=6),
    edits=st.sampled_from(
        [
            HeaderEdits(set={"Server": "none"}, add={"X-Add": "two"}),
            HeaderEdits(set={"Referrer-Policy": "origin", "cache-control": "private"}, remove=("Set-Cookie",)),
            HeaderEdits(add={"Set-Cookie": "c=d"}, remove=("X-Frame-Options", "x-powered-by")),
            HeaderEdits(set={"X-Other": "ours"}),
        ]
    ),
    later=st.booleans(),
    secure=st.booleans(),
)
def test_folded_edits_do_what_the_filter_does(
    fields: list[field_lines.Field], edits: HeaderEdits, later: bool, secure: bool
) -> None:
    """A location gives the same fields in the same order, whether edits were folded or run by themselves."""

    class Unfolded(HeaderFilter):
        def prepared(self, added: AddedFields) -> AddedFields | None:
            return None

    security = SecurityHeaders("strict", hsts=b"max-age=86400")
    both = (edits, HeaderEdits(set={"Permissions-Policy": "none"})) if later else (edits,)
    blocks = []
    for kind in (HeaderFilter, Unfolded):
        place = LocationResource(
            Reply(),
            StatusOnly(),
            filters=(kind(*both),),
            added=security.constant_fields(secure=False),
            added_secure=security.constant_fields(secure=True),
        )
        assert bool(place.editing) is (kind is Unfolded or "X-Other" in edits.set)
        head = response_head(b"HTTP/1.1 200 OK\r\n" + field_lines.make_block(fields))
        request = Request(RecordingStream(secure=secure), get(b"/"), FakeRuntime(), place)
        extra = place.finish_head(request, head)
        blocks.append(head.fields + extra)
    assert blocks[0] == blocks[1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Host", "belongs to the connection"),
        ("content-length", "part of the framing"),
        ("Transfer-Encoding", "part of the framing"),
        ("Connection", "part of the framing"),
        ("Keep-Alive", "part of the framing"),
        ("Upgrade", "part of the framing"),
        ("TE", "part of the framing"),
        ("Trailer", "part of the framing"),
        ("Sec-WebSocket-Accept", "belongs to the connection"),
        ("X-Request-Id", "the gateway writes it"),
        ("X A", "expected a field name"),
        ("", "expected a field name"),
        ("X-\u00dc", "expected a field name"),
        ("X-A:", "expected a field name"),
        ("X\r\nY", "expected a field name"),
    ],
)
def test_some_fields_cannot_be_edited(name: str, reason: str) -> None:
    """Framing, hop-by-hop and our own fields are refused when the file is read, with the reason."""
    for edits in ({"set": {name: "x"}}, {"add": {name: "x"}}, {"remove": (name,)}):
        with pytest.raises(ValidationError, match=reason):
            HeaderEdits(**edits)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-proto", "Forwarded", "Via", "Proxy"])
def test_forwarding_fields_of_requests_cannot_be_edited(name: str) -> None:
    """Upstream must be able to believe them."""
    with pytest.raises(ValueError, match="the gateway writes it"):
        request_edits(HeaderEdits(set={name: "x"}))


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "\0", "\x7f"])
def test_values_cannot_break_out(value: str) -> None:
    """A control character in a value is refused when the file is read."""
    with pytest.raises(ValidationError, match="expected a field value"):
        HeaderEdits(set={"X-A": value})


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ({"set": {"X-A": "1"}, "remove": ("x-a",)}, "both set and removed"),
        ({"add": {"X-A": "1"}, "remove": ("x-a",)}, "both added and removed"),
        ({"set": {"X-A": "1"}, "add": {"x-a": "2"}}, "both set and added"),
        ({"set": {"X-A": "1", "x-a": "2"}}, "twice"),
    ],
)
def test_contradictions_are_refused(edits: dict[str, object], reason: str) -> None:
    """One field is edited in one way."""
    with pytest.raises(ValidationError, match=reason):
        HeaderEdits(**edits)  # type: ignore[arg-type]


def test_values_may_hold_any_language() -> None:
    """Text beyond ASCII is sent as UTF-8."""
    assert (
        BlockEdits(HeaderEdits(set={"X-A": "gr\u00fc\u00df\u00a0x"})).lines == "X-A: gr\u00fc\u00df\u00a0x\r\n".encode()
    )


SITE = HeaderEdits(set={"X-A": "site", "Server": "site"}, add={"X-B": "site"}, remove=("X-C", "X-D"))
ROUTE = HeaderEdits(set={"x-a": "route"}, add={"X-B": "route", "X-C": "route"}, remove=("server",))


@pytest.mark.parametrize("fields", [(), ((b"X-C", b"app"), (b"Server", b"app"), (b"X-A", b"app"), (b"x-d", b"app"))])
def test_a_route_edits_after_its_site(fields: tuple[field_lines.Field, ...]) -> None:
    """What the route says wins, whatever the application sent; what it does not mention stays the site's."""
    stream = exchange(location(Reply(200, fields), HeaderFilter(SITE, ROUTE)), get(b"/"))
    assert stream.get_all(b"x-a") == [b"route"]
    assert stream.get_all(b"x-b") == [b"site", b"route"]
    assert stream.get_all(b"x-c") == [b"route"]
    assert stream.get(b"server") is stream.get(b"x-d") is None
    assert stream.head is not None
    assert not stream.head.known & SERVER
    edited = request_edits(SITE, ROUTE).apply(field_lines.make_block(fields), SERVER)
    assert edited == b"X-B: site\r\nx-a: route\r\nX-B: route\r\nX-C: route\r\n"


def test_request_edits_are_checked_when_the_file_is_read() -> None:
    """A good table comes back, one that edits what the gateway writes is refused."""
    assert check_request_edits(SITE) is SITE
    with pytest.raises(ValueError, match="X-Forwarded-Host cannot be edited"):
        check_request_edits(HeaderEdits(remove=("X-Forwarded-Host",)))
