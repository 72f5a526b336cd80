"""The core: what goes wrong in a request is answered, and whom the client's address is believed from."""

from __future__ import annotations

import pytest
from twisted.logger import globalLogPublisher

from gateway.core import Core
from gateway.errors import GatewayStopping, HTTPError, ProtocolError
from gateway.http.forwarding import TrustedProxies
from gateway.web.request import Request
from gateway.web.resource import Resource
from tests.support.streams import FakeRuntime, RecordingStream, Reply, StatusOnly, get


def core(leaf: Resource, trusted: TrustedProxies | None = None) -> Core:
    runtime = FakeRuntime()
    return Core(
        leaf,
        StatusOnly(),
        runtime.log,
        clock=runtime.clock,
        new_id=runtime.new_id,
        trusted=trusted or TrustedProxies(("10.0.0.0/8",), "X-Client"),
    )


class Faulty(Resource):
    """A leaf with a bug."""

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise ZeroDivisionError


def test_a_bug_costs_one_request() -> None:
    """The client gets a 500 and the log the traceback."""
    events = []
    globalLogPublisher.addObserver(events.append)
    stream = RecordingStream()
    try:
        core(Faulty()).handle(stream, get(b"/"), b"", True)
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert stream.status == 500
    assert [event["log_failure"].type for event in events if "log_failure" in event] == [ZeroDivisionError]


@pytest.mark.parametrize("trusted", [True, False])
def test_the_clients_address(trusted: bool) -> None:
    """The field that the operator named counts and is passed on from trusted proxies only."""
    leaf, stream = Reply(), RecordingStream()
    stream.trusted = trusted
    core(leaf).handle(stream, get(b"/", b"X-Client: 198.51.100.7", b"X-A: 1"), b"", True)
    request = leaf.requests[0]
    assert request.client == ("198.51.100.7" if trusted else "203.0.113.9")
    assert (b"X-Client" in request.head.fields) is trusted
    assert b"X-A: 1\r\n" in request.head.fields


def test_without_such_a_field_nothing_is_dropped() -> None:
    """Fields of any name pass where the operator named none."""
    leaf, stream = Reply(), RecordingStream()
    core(leaf, TrustedProxies()).handle(stream, get(b"/", b"X-Client: 198.51.100.7"), b"", True)
    assert leaf.requests[0].head.fields == b"X-Client: 198.51.100.7\r\n"


def with_log(tree: Resource, runtime: FakeRuntime, trusted: tuple[str, ...] = ()) -> Core:
    """Make a core whose log is the runtime's."""
    return Core(
        tree, StatusOnly(), runtime.log, clock=runtime.clock, new_id=runtime.new_id, trusted=TrustedProxies(trusted)
    )


class Refusing(Resource):
    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise HTTPError(403, "denied")


def test_requests_go_to_the_tree() -> None:
    """The tree of the moment answers, and a reload swaps it between two requests."""
    runtime, stream = FakeRuntime(), RecordingStream()
    it = with_log(Reply(content=b"old"), runtime)
    it.handle(stream, get(b"/"), b"", True)
    assert stream.body == b"old"
    it.tree = Reply(content=b"new")
    stream = RecordingStream()
    it.handle(stream, get(b"/"), b"", True)
    assert stream.body == b"new"
    assert len(runtime.log.finished) == 2


def test_errors_are_answered() -> None:
    """An error of the tree is answered and noted."""
    runtime, stream = FakeRuntime(), RecordingStream()
    with_log(Refusing(), runtime).handle(stream, get(b"/"), b"", True)
    assert stream.status == 403
    assert runtime.log.finished[0].error.reason == "denied"  # type: ignore[union-attr]


def test_what_is_no_request_is_answered() -> None:
    """A refusal needs no head, and uses it where there is one."""
    for head, error, status in (
        (None, ProtocolError("nonsense"), 400),
        (get(b"/"), ProtocolError("nonsense"), 400),
        (None, GatewayStopping("stopping"), 503),
    ):
        runtime, stream = FakeRuntime(), RecordingStream()
        with_log(Reply(), runtime).refuse(stream, error, head)
        assert stream.status == status
        assert runtime.log.finished[0].error is error


def test_x_forwarded_for_of_trusted_proxies_only() -> None:
    """X-Forwarded-For counts where the connection is a trusted proxy's, and nowhere else."""
    for trusted, client in ((False, "203.0.113.9"), (True, "198.51.100.7")):
        runtime, stream, leaf = FakeRuntime(), RecordingStream(), Reply()
        stream.trusted = trusted
        head = get(b"/", b"X-Forwarded-For: 198.51.100.7\r\n")
        with_log(leaf, runtime, ("203.0.113.0/24",)).handle(stream, head, b"", True)
        assert leaf.requests[0].client == client
