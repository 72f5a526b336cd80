"""A bug in a filter, a leaf or a log ends one exchange with 500 and leaves everything else alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.logger import globalLogPublisher

from gateway.errors import HTTPError
from gateway.http.message import ResponseHead
from gateway.web.filter import BaseFilter
from gateway.web.request import Request
from tests.support.broken import BrokenFilter, BrokenLeaf, Bug
from tests.support.streams import Reply
from tests.support.transports import World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def failures() -> Iterator[list[object]]:
    """Collect what is logged as a failure."""
    found: list[object] = []

    def observe(event: dict[str, object]) -> None:
        if "log_failure" in event:
            found.append(event["log_failure"].value)  # type: ignore[attr-defined]  # a Failure

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


def assert_one_failed(world: World) -> None:
    (request,) = world.log.finished
    assert request.error is not None
    assert request.error.reason == "internal"
    assert world.upstreams[0].in_flight == 0


def test_leaf(failures: list[object]) -> None:
    """A leaf that fails at once: 500, logged, and the connection lives on."""
    world = World(BrokenLeaf())
    client = world.client()
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 500 ")
    assert_one_failed(world)
    assert [type(failure) for failure in failures] == [Bug]
    assert not client.closing


def test_leaf_at_content(failures: list[object]) -> None:
    """A leaf that fails when content comes: 500, logged, and the connection closes, for its state is unknown."""
    world = World(BrokenLeaf(at_content=True))
    client = world.client()
    client.receive(POST)
    client.receive(b"abcd")
    assert client.take().startswith(b"HTTP/1.1 500 ")
    assert_one_failed(world)
    assert [type(failure) for failure in failures] == [Bug]
    assert client.half_closed


def test_filter_of_requests(failures: list[object]) -> None:
    """A filter that fails for a request: 500, and the upstream is not asked."""
    world = World(filters=(BrokenFilter(on_request=True),))
    client = world.client()
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 500 ")
    assert world.endpoint.accepted == []
    assert_one_failed(world)
    assert [type(failure) for failure in failures] == [Bug]


@pytest.mark.parametrize(
    "response",
    [OK, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["whole", "part", "close"],
)
def test_filter_of_responses(failures: list[object], response: bytes) -> None:
    """A filter that fails for an upstream's response: 500, and the upstream connection is not used again."""
    world = World(filters=(BrokenFilter(times=1),))
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(response)
    got = client.take()
    assert got.startswith(b"HTTP/1.1 500 ")
    assert got.count(b"HTTP/1.1 ") == 1
    assert world.endpoint.last.aborted
    assert world.upstreams[0].idle == 0
    assert_one_failed(world)
    assert [type(failure) for failure in failures] == [Bug]
    client.receive(GET)
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")


def test_filter_of_all_responses(failures: list[object]) -> None:
    """A filter that fails for error pages too: a bare 500."""
    world = World(filters=(BrokenFilter(),))
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(OK)
    assert client.take().startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert len(failures) == 2
    assert_one_failed(world)
    assert not client.closing


def test_filter_that_refuses_a_response() -> None:
    """A filter may refuse a response with an error, which is answered as any other."""

    class Refusing(BaseFilter):
        def on_response(self, request: Request, head: ResponseHead) -> None:
            if head.status == 200:
                raise HTTPError(451, "withheld")

    world = World(filters=(Refusing(),))
    client = world.client()
    client.receive(GET)
    world.endpoint.last.receive(OK)
    assert client.take().startswith(b"HTTP/1.1 451 ")
    assert world.log.finished[0].error.reason == "withheld"  # type: ignore[union-attr]
    assert world.upstreams[0].in_flight == 0


def test_page(failures: list[object]) -> None:
    """Error pages that cannot be made: a bare 500."""
    world = World()
    world.core.tree = world.location
    world.location.errors = None  # type: ignore[assignment]  # the bug
    world.endpoint.refuse()
    client = world.client()
    client.receive(GET)
    assert client.take().startswith(b"HTTP/1.1 500 ")
    assert len(failures) == 1
    assert len(world.log.finished) == 1


def test_log(failures: list[object]) -> None:
    """A log that fails costs no other exchange: a pipelined request that was begun meanwhile is ended too."""
    world = World()
    client = world.client()
    client.receive(GET + GET)
    real, world.core.log = world.core.log, None  # type: ignore[assignment]  # the bug
    world.endpoint.last.receive(OK)
    world.core.log = real
    assert client.take().startswith(b"HTTP/1.1 200 ")
    assert failures
    assert [upstream.aborted or upstream.closing for upstream in world.endpoint.accepted] == [True]
    client.lose()
    assert world.upstreams[0].in_flight == 0


def test_other_connections_live_on(failures: list[object]) -> None:
    """A bug met by one client does not touch the others, nor what they have under way."""
    world = World(Reply(), filters=(BrokenFilter(times=1),))
    first, second = world.client(), world.client()
    first.receive(GET)
    second.receive(GET)
    assert first.take().startswith(b"HTTP/1.1 500 ")
    assert second.take().startswith(b"HTTP/1.1 200 ")
    assert len(failures) == 1
