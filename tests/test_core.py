"""The core that front ends hand requests to."""

from __future__ import annotations

from gateway.core import Core
from gateway.errors import GatewayStopping, HTTPError, ProtocolError
from gateway.http.forwarding import TrustedProxies
from gateway.web.request import Request
from gateway.web.resource import Resource
from tests.support.broken import BrokenLeaf
from tests.support.streams import FakeRuntime, RecordingStream, Reply, StatusOnly, get


class Refusing(Resource):
    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        raise HTTPError(403, "denied")


def core(tree: Resource, runtime: FakeRuntime, trusted: tuple[str, ...] = ()) -> Core:
    return Core(
        tree,
        StatusOnly(),
        runtime.log,
        clock=runtime.clock,
        new_id=runtime.new_id,
        trusted=TrustedProxies(trusted),
    )


def test_requests_go_to_the_tree() -> None:
    """The tree of the moment answers, and a reload swaps it between two requests."""
    runtime, stream = FakeRuntime(), RecordingStream()
    it = core(Reply(content=b"old"), runtime)
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
    core(Refusing(), runtime).handle(stream, get(b"/"), b"", True)
    assert stream.status == 403
    assert runtime.log.finished[0].error.reason == "denied"  # type: ignore[union-attr]


def test_bugs_are_answered() -> None:
    """So is a bug: 500."""
    runtime, stream = FakeRuntime(), RecordingStream()
    core(BrokenLeaf(), runtime).handle(stream, get(b"/"), b"", True)
    assert stream.status == 500
    assert runtime.log.finished[0].error.reason == "internal"  # type: ignore[union-attr]


def test_what_is_no_request_is_answered() -> None:
    """A refusal needs no head, and uses it where there is one."""
    for head, error, status in (
        (None, ProtocolError("nonsense"), 400),
        (get(b"/"), ProtocolError("nonsense"), 400),
        (None, GatewayStopping("stopping"), 503),
    ):
        runtime, stream = FakeRuntime(), RecordingStream()
        core(Reply(), runtime).refuse(stream, error, head)
        assert stream.status == status
        assert runtime.log.finished[0].error is error


def test_only_trusted_proxies_are_believed() -> None:
    """X-Forwarded-For counts where the connection is a trusted proxy's, and nowhere else."""
    for trusted, client in ((False, "203.0.113.9"), (True, "198.51.100.7")):
        runtime, stream, leaf = FakeRuntime(), RecordingStream(), Reply()
        stream.trusted = trusted
        head = get(b"/", b"X-Forwarded-For: 198.51.100.7\r\n")
        core(leaf, runtime, ("203.0.113.0/24",)).handle(stream, head, b"", True)
        assert leaf.requests[0].client == client
