"""Fakes of the lower seam: a stream that records, a runtime with a clock and fixed ids, heads made from bytes."""

from __future__ import annotations

import os

from twisted.internet.task import Clock

from gateway.errors import GatewayError
from gateway.http import fields as field_lines
from gateway.http.message import RequestHead, ResponseHead
from gateway.http.prepared import FinishedAnswer
from gateway.http.stream import DISCARD, PeerAddress, StreamHandler
from gateway.protocol.http1_head import HeadLimits, parse_request, parse_response
from gateway.units import Seconds
from gateway.web.filter import Filter
from gateway.web.request import ErrorAnswers, Request
from gateway.web.resource import Resource
from gateway.web.tree import AddedFields, LocationResource

PEER = PeerAddress("203.0.113.9", 50123)
FORWARDED = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n"


class RecordingStream:
    """A `ServerStream` that keeps what is sent down.

    Attributes:
        events: Names of the calls made, in order.
        informational: 1xx heads sent.
        head: The response's head; None before it.
        extra: Field lines sent behind the head's own.
        body: Content sent so far.
        ended: Whether the message is complete.
        error: What the stream was reset with; None where it was not.
        paused: Whether the client's content is stopped.
        takes_descriptors: Whether content may come by `send_from`.
        room: Octets that `send_from` takes before the handler is paused; None for no limit.
        straight: Octets that came by `send_from`.
    """

    def __init__(
        self,
        peer: PeerAddress = PEER,
        *,
        local_port: int = 80,
        secure: bool = False,
        forwarded: bytes = FORWARDED,
    ) -> None:
        self.handler: StreamHandler = DISCARD
        self.peer = peer
        self.local_port = local_port
        self.secure = secure
        self.trusted = False
        self.forwarded = forwarded
        self.events: list[str] = []
        self.informational: list[ResponseHead] = []
        self.head: ResponseHead | None = None
        self.extra = b""
        self.body = b""
        self.trailers = b""
        self.ended = False
        self.error: GatewayError | None = None
        self.paused = False
        self.takes_descriptors = False
        self.room: int | None = None
        self.straight = 0

    @property
    def status(self) -> int:
        """The status sent; 0 before."""
        return self.head.status if self.head else 0

    @property
    def fields(self) -> bytes:
        """All field lines sent, the head's and those added."""
        assert self.head is not None
        return self.head.fields + self.extra

    def get(self, name: bytes) -> bytes | None:
        """Find the first value sent of a field by its lower-case name."""
        return field_lines.get(self.fields, name)

    def get_all(self, name: bytes) -> list[bytes]:
        """Find all values sent of a field by its lower-case name."""
        return field_lines.get_all(self.fields, name)

    def send_informational(self, head: ResponseHead) -> None:
        self.events.append("informational")
        self.informational.append(head)

    def send_head(self, head: ResponseHead, extra: bytes, data: bytes, end: bool) -> None:
        assert self.head is None, "a second head"
        self.head = head
        self.extra = extra
        self._take("head", data, end)

    def send_finished(self, answer: FinishedAnswer, extra: bytes, whole: bool) -> None:
        self.send_head(answer.head, answer.lines + extra, answer.data if whole else b"", True)

    def send_data(self, data: bytes, end: bool) -> None:
        assert self.head is not None, "content before the head"
        self._take("data", data, end)

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        assert self.head is not None, "content before the head"
        size = length if self.room is None else min(length, self.room)
        data = os.read(descriptor, size) if offset is None else os.pread(descriptor, size, offset)
        if size and not data:
            raise EOFError
        self.straight += len(data)
        self._take("straight", data, False)
        if self.room is not None:
            self.room -= len(data)
        if len(data) < length:
            self.handler.pause_writing()
        return len(data)

    def send_trailers(self, block: bytes) -> None:
        self.trailers = block
        self._take("trailers", b"", True)

    def reset(self, error: GatewayError) -> None:
        self.events.append("reset")
        self.error = error

    def pause_body(self) -> None:
        self.events.append("pause_body")
        self.paused = True

    def resume_body(self) -> None:
        self.events.append("resume_body")
        self.paused = False

    def _take(self, event: str, data: bytes, end: bool) -> None:
        assert not self.ended, f"{event} after the end"
        self.events.append(event)
        self.body += data
        self.ended = end


class RecordingLog:
    """An `ExchangeLog` that keeps every finished exchange."""

    def __init__(self) -> None:
        self.finished: list[Request] = []
        self.opened: list[Request] = []

    def exchange_finished(self, request: Request) -> None:
        self.finished.append(request)

    def socket_opened(self, request: Request) -> None:
        self.opened.append(request)


class FakeRuntime:
    """A `Runtime` whose time stands still until `time.advance`, and whose ids count up."""

    def __init__(self) -> None:
        self.time = Clock()
        self.time.advance(1000)
        self.log = RecordingLog()
        self.ids = 0

    def clock(self) -> Seconds:
        return Seconds(self.time.seconds())

    def new_id(self) -> bytes:
        self.ids += 1
        return b"X-Request-Id: %020d\r\n" % self.ids


class StatusOnly:
    """`ErrorAnswers` without pages: the status, an error's own fields, and no content."""

    def answer(self, request: Request, error: GatewayError) -> tuple[ResponseHead, bytes]:
        assert error.status is not None
        return ResponseHead.make(error.status, getattr(error, "fields", ()), 0), b""


class Reply(Resource):
    """A leaf that answers a fixed response and remembers what it was asked."""

    __slots__ = ("content", "fields", "requests", "status")

    def __init__(self, status: int = 200, fields: tuple[field_lines.Field, ...] = (), content: bytes = b"ok") -> None:
        self.status = status
        self.fields = fields
        self.content = content
        self.requests: list[Request] = []

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        self.requests.append(request)
        request.answer(ResponseHead.make(self.status, self.fields, len(self.content)), self.content)


def request_head(data: bytes, limits: HeadLimits = HeadLimits()) -> RequestHead:  # noqa: B008  (frozen)
    """Parse a request head; `data` may end without its blank line, or be just `GET /path`."""
    if b"\r\n" not in data:
        data = (data if data.count(b" ") > 1 else data + b" HTTP/1.1") + b"\r\nHost: example.com\r\n"
    head = parse_request(data if b"\r\n\r\n" in data else data.removesuffix(b"\r\n") + b"\r\n\r\n", limits)
    assert head is not None
    return head


def get(target: bytes, *fields: bytes, method: bytes = b"GET", host: bytes = b"example.com") -> RequestHead:
    """Make the head of a request from its target and field lines, e.g. `get(b"/a", b"Accept: text/html")`."""
    return request_head(b"\r\n".join((b"%b %b HTTP/1.1" % (method, target), b"Host: " + host, *fields, b"")))


def response_head(data: bytes, method: bytes = b"GET", limits: HeadLimits = HeadLimits()) -> ResponseHead:  # noqa: B008
    """Parse a response head; `data` may end without its blank line."""
    head = parse_response(data if b"\r\n\r\n" in data else data.removesuffix(b"\r\n") + b"\r\n\r\n", limits, method)
    assert head is not None
    return head


def location(
    leaf: Resource | None = None,
    *filters: Filter,
    errors: ErrorAnswers | None = None,
    added: AddedFields = AddedFields(),
    prefix: bytes = b"",
) -> LocationResource:
    """Make a location; its leaf answers 200 and its error pages are empty unless given."""
    return LocationResource(leaf or Reply(), errors or StatusOnly(), filters=filters, added=added, prefix=prefix)


def exchange(
    resource: Resource,
    head: RequestHead,
    *,
    stream: RecordingStream | None = None,
    runtime: FakeRuntime | None = None,
    errors: ErrorAnswers | None = None,
    data: bytes = b"",
    end: bool = True,
) -> RecordingStream:
    """Pass a request to a resource the way the service does, and answer what it raises.

    Args:
        resource: A root, a location, or a leaf.
        head: The request's head.
        stream: The downstream side; its `handler` is the request afterwards.
        runtime: The process's side.
        errors: Who answers errors outside every location.
        data: Content that came with the head.
        end: Whether that is all of it.
    """
    stream = stream or RecordingStream()
    request = Request(stream, head, runtime or FakeRuntime(), location(errors=errors))
    stream.handler = request
    try:
        resource.render(request, data, end)
    except GatewayError as error:
        request.fail(error)
    return stream
