"""The core: what goes wrong in a request is answered, and whom the client's address is believed from."""

from __future__ import annotations

import pytest
from twisted.logger import globalLogPublisher

from gateway.core import Core
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
