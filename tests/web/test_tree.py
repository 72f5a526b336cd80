"""Finding the location of a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, HTTPError, ProtocolError
from gateway.http.known import SERVER, X_FRAME_OPTIONS
from gateway.http.message import ResponseHead
from gateway.http.prepared import PreparedAnswer
from gateway.units import ByteCount
from gateway.web.filter import BaseFilter
from gateway.web.request import Request
from gateway.web.tree import AddedFields, LocationResource, SiteResource, VirtualHosts
from tests.support.streams import FakeRuntime, RecordingStream, Reply, StatusOnly, exchange, get, location

PREFIXES = {b"": False, b"/admin": False, b"/open": False, b"/open/deep": False, b"/one": True}


def site(*, without_root: bool = False) -> SiteResource:
    places = [
        LocationResource(Reply(), StatusOnly(), prefix=prefix, exact=exact)
        for prefix, exact in PREFIXES.items()
        if prefix or not without_root
    ]
    return SiteResource("example.com", places)


def found(target: bytes) -> bytes:
    """The prefix of the location that a target leads to."""
    request = Request(RecordingStream(), get(target), FakeRuntime(), location())
    return site().find(request).prefix


@pytest.mark.parametrize(
    ("target", "prefix"),
    [
        (b"/", b""),
        (b"/admin", b"/admin"),
        (b"/admin/", b"/admin"),
        (b"/admin?a", b"/admin"),
        (b"/admin/x?/open", b"/admin"),
        (b"/administrator", b""),
        (b"/open/deep/x", b"/open/deep"),
        (b"/open/deeper", b"/open"),
        (b"/one", b"/one"),
        (b"/one/more", b""),
        (b"//admin//x", b"/admin"),
        (b"/%61dmin/x", b"/admin"),
        (b"/admin/./x", b"/admin"),
        (b"/admin/a/../b", b"/admin"),
        (b"/admin/a/..", b"/admin"),
        (b"/a/../b", b""),
        (b"/a/b.html?x=/../admin", b""),
        (b"/.well-known/x", b""),
    ],
)
def test_the_longest_prefix_wins(target: bytes, prefix: bytes) -> None:
    """Routes are decided on the decoded path, on segment borders, whatever the order of the file."""
    assert found(target) == prefix


@pytest.mark.parametrize(
    "target",
    [
        b"/admin/../open",
        b"/open/../admin",
        b"/open/x/../../admin/y",
        b"/admin/..",
        b"/admin/../",
        b"/admin/../?a",
        b"/./admin",
        b"/admin/%2e%2e/open",
        b"/open/%2E./admin",
        b"/open/deep/../x",
        b"/open//../admin",
        b"/open\\..\\admin",
        b"/admin%2f..%2fopen",
        b"/open%5cdeep",
    ],
)
def test_a_path_that_apps_could_read_in_two_ways_is_refused(target: bytes) -> None:
    """The bytes go upstream as they came, so no reading of them may lead past the rules of another location."""
    with pytest.raises(ProtocolError):
        found(target)


SEGMENTS = st.sampled_from([b"admin", b"open", b"deep", b"one", b"x", b"..", b".", b"%2e%2e", b"", b"%2f", b"a%5cb"])


@given(st.lists(SEGMENTS, min_size=1, max_size=6))
def test_no_reading_leads_elsewhere(segments: list[bytes]) -> None:
    """A path that is let through has the same location with its dot segments as without."""
    target = b"/" + b"/".join(segments)
    try:
        prefix = found(target)
    except GatewayError:
        return
    first = b"/".join(segment for segment in segments if segment)
    if prefix and b"%" not in target:
        assert (b"/" + first).startswith(prefix)


def test_a_site_without_a_root() -> None:
    """Where no location has the path the answer is 404."""
    assert exchange(site(without_root=True), get(b"/x")).status == 404
    assert exchange(site(without_root=True), get(b"/admin")).status == 200


def test_hosts() -> None:
    """An exact name beats a wildcard, a wildcard covers one label, and the default site has the rest."""
    exact, wild, rest = site(), site(), site()
    hosts = VirtualHosts({b"a.example.com": exact}, {b"example.com": wild}, rest)
    assert hosts.find(b"a.example.com") is exact
    assert hosts.find(b"b.example.com") is wild
    assert hosts.find(b"b.c.example.com") is rest
    assert hosts.find(b"example.com") is rest


def test_an_unknown_host_is_refused() -> None:
    """Without a default site no other site answers."""
    with pytest.raises(HTTPError) as caught:
        VirtualHosts({}).render(Request(RecordingStream(), get(b"/"), FakeRuntime(), location()))
    assert (caught.value.status, caught.value.reason) == (404, "unknown_host")


def test_prepared_fields_come_before_the_filters() -> None:
    """A response without guarded fields gets the lines as they are, another what is chosen; filters see them all."""
    seen: list[bytes] = []

    class Seeing(BaseFilter):
        def on_response(self, request: Request, head: ResponseHead) -> None:
            seen.append(head.fields)
            assert head.known & X_FRAME_OPTIONS

    chosen = (b"X-Frame-Options: chosen\r\n", X_FRAME_OPTIONS)
    added = AddedFields(b"X-Frame-Options: plain\r\n", X_FRAME_OPTIONS, SERVER, lambda _: chosen)
    for fields, value in (((), b"plain"), (((b"Server", b"x"),), b"chosen")):
        for filters in ((), (Seeing(),)):
            place = LocationResource(Reply(200, fields), StatusOnly(), added=added, filters=filters)
            assert exchange(place, get(b"/")).get_all(b"x-frame-options") == [value]
    assert len(seen) == 2


def test_a_malformed_path_of_the_only_location() -> None:
    """It is an error of the site, with its fields and in its log."""
    tree = SiteResource("a", [LocationResource(Reply(), StatusOnly(), site="a", added=AddedFields(b"X-A: 1\r\n"))])
    stream = exchange(tree, get(b"/%zz"))
    assert stream.status == 400
    assert stream.get(b"x-a") == b"1"


def test_what_no_location_has_is_answered_by_the_site() -> None:
    """A path without route, and one that cannot be read, get the fields and pages of the site."""
    otherwise = LocationResource(Reply(404), StatusOnly(), site="a", added=AddedFields(b"X-A: 1\r\n"))
    tree = SiteResource("a", [LocationResource(Reply(), StatusOnly(), prefix=b"/x")], otherwise)
    for target, status in ((b"/x", 200), (b"/y", 404), (b"/%zz", 400)):
        stream = exchange(tree, get(target))
        assert (stream.status, stream.get(b"x-a")) == (status, b"1" if status != 200 else None)


PLACES = st.sampled_from([b"", b"/a", b"/a/b", b"/a/b/c", b"/ab", b"/b", b"/b/a"])


@given(
    st.dictionaries(st.tuples(PLACES, st.booleans()), st.none(), max_size=8),
    st.lists(st.sampled_from([b"a", b"b", b"ab", b"c"])),
)
def test_look_up_agrees_with_a_linear_search(places: dict[tuple[bytes, bool], None], segments: list[bytes]) -> None:
    """The location found is the one with the longest prefix on segment borders, an exact path first."""
    path = b"/" + b"/".join(segments)
    tree = SiteResource(
        "example.com",
        [LocationResource(Reply(), StatusOnly(), prefix=prefix, exact=exact) for prefix, exact in places],
    )
    fitting = [
        (len(prefix), exact, prefix)
        for prefix, exact in places
        if (path == prefix if exact else path == prefix or path.startswith(prefix + b"/"))
    ]
    request = Request(RecordingStream(), get(path), FakeRuntime(), location())
    if not fitting:
        with pytest.raises(HTTPError):
            tree.find(request)
        return
    place = tree.find(request)
    assert (len(place.prefix), place.exact, place.prefix) == max(fitting)


def test_fields_of_a_renewed_certificate() -> None:
    """On HTTPS the fields change once the certificate was renewed; on plain HTTP they never do."""
    facts = {"renewed": False}
    place = LocationResource(
        Reply(),
        StatusOnly(),
        added=AddedFields(b"A: plain\r\n"),
        added_secure=AddedFields(b"A: young\r\n"),
        added_renewed=AddedFields(b"A: proven\r\n"),
        renewed=lambda: facts["renewed"],
    )
    seen = []
    for secure in (False, True):
        for facts["renewed"] in (False, True):
            request = Request(RecordingStream(secure=secure), get(b"/"), FakeRuntime(), place)
            seen.append(place.finish_head(request, ResponseHead.make(200, (), 0)))
    assert seen == [b"A: plain\r\n", b"A: plain\r\n", b"A: young\r\n", b"A: proven\r\n"]


class Marking(BaseFilter):
    """Adds a field; constantly, as it says, or not."""

    def __init__(self, *, constant: bool) -> None:
        self.constant = constant
        self.seen = 0

    def on_response(self, request: Request, head: ResponseHead) -> None:
        self.seen += 1
        head.add(b"X-Seen", b"yes")


def test_a_prepared_response_is_finished_once_for_each_form() -> None:
    """Plain HTTP, HTTPS and HTTPS after a renewal have their own; each is what `finish_head` makes."""
    renewed = [False]
    step = Marking(constant=True)
    rows = [AddedFields(b"X-Form: %d\r\n" % number) for number in range(3)]
    place = LocationResource(
        Reply(),
        StatusOnly(),
        added=rows[0],
        added_secure=rows[1],
        added_renewed=rows[2],
        renewed=lambda: renewed[0],
        filters=(step,),
    )
    answer = PreparedAnswer(200, ((b"ETag", b"x"),), ByteCount(2), b"ok")
    for number, (secure, new) in enumerate(((False, False), (True, False), (True, True))):
        renewed[0] = new
        request = Request(RecordingStream(secure=secure), get(b"/"), FakeRuntime(), place)
        made = place.finish_prepared(request, answer)
        assert made is not None
        assert made is place.finish_prepared(request, answer)
        head = answer.head()
        lines = place.finish_head(request, head)
        assert (made.head.fields, made.lines, made.data) == (head.fields, lines, b"ok")
        assert b"X-Form: %d\r\n" % number in head.fields + lines
    assert step.seen == 6


def test_a_prepared_response_belongs_to_its_location() -> None:
    """Another location finishes it anew; one with a filter that must see each response never does."""
    answer = PreparedAnswer(200, (), ByteCount(0))
    places = [location(added=AddedFields(b"X-Place: %d\r\n" % number)) for number in range(2)]
    for number in (0, 1, 0):
        request = Request(RecordingStream(), get(b"/"), FakeRuntime(), places[number])
        made = places[number].finish_prepared(request, answer)
        assert made is not None
        assert made.lines == b"X-Place: %d\r\n" % number
    place = location(Reply(), Marking(constant=False))
    assert place.finish_prepared(Request(RecordingStream(), get(b"/"), FakeRuntime(), place), answer) is None
