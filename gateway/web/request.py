"""One exchange as resources and filters see it.

A `Request` is stream handler, response sink and record of one exchange. It is made fresh for each, answers errors in
one place (`fail`) and ends in one place (`finish`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from twisted.logger import Logger

from gateway.errors import (
    Blame,
    ClientDisconnected,
    GatewayError,
    ResponseIncomplete,
)
from gateway.http.forwarding import add_host
from gateway.http.message import RequestHead, ResponseHead
from gateway.http.paths import Path, decide_path
from gateway.http.stream import DISCARD, BulkSink, ClientStream, ServerStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.http.prepared import PreparedAnswer
    from gateway.units import Seconds
    from gateway.web.tree import LocationResource

log = Logger()
_NOWHERE = cast("ServerStream", DISCARD)


class ErrorAnswers(Protocol):
    """Makes the answer to an error; implemented by `resources.page`."""

    def answer(self, request: Request, error: GatewayError) -> tuple[ResponseHead, bytes]:
        """Make a head and its whole content for an error whose status is not None."""


class Lease(Protocol):
    """The right to use one upstream; implemented by `upstream.balancer`."""

    name: str

    def release(self, error: GatewayError | None) -> None:
        """Give it back, with what went wrong."""


class Recovery(Protocol):
    """A leaf that may try an exchange again."""

    def recover(self, request: Request, error: GatewayError) -> bool:
        """Take the exchange over and answer True, or False to let it fail."""


class ExchangeLog(Protocol):
    """Takes finished exchanges; implemented by `observe.access_log`."""

    def exchange_finished(self, request: Request) -> None:
        """Note an exchange that is over; must not keep it."""

    def socket_opened(self, request: Request) -> None:
        """Note that an exchange has become a WebSocket; it will be finished when that closes."""


class Runtime(Protocol):
    """What every request needs of the process; implemented by `core.Core`.

    Attributes:
        clock: Monotonic seconds.
        new_id: A fresh request id as a finished field line, `X-Request-Id: …` CRLF.
        log: Where finished exchanges go.
    """

    clock: Callable[[], Seconds]
    new_id: Callable[[], bytes]
    log: ExchangeLog


class Request:
    """One request and its response.

    Attributes:
        head: The request's head.
        stream: The downstream side.
        upstream: Who produces the response and takes the content; `DISCARD` until a leaf sets it.
        location: Where it was routed; gives filters, added fields and error pages.
        recovery: The leaf that may try again before the response head is sent.
        lease: The upstream in use; released once, by `finish`.
        client: The client's address after trusted proxies.
        secure: Whether the client used HTTPS, after trusted proxies.
        forwarded: X-Forwarded-* lines for upstream, without X-Forwarded-Host unless a trusted proxy sent the request.
        id_line: `X-Request-Id: …` CRLF.
        received: When the head was complete, in monotonic seconds; `leased`, `first_byte`, `finished` likewise.
        status: The status sent; 0 before.
        bytes_in: Octets of request content so far.
        bytes_out: Octets of response content so far.
        retries: How often it was sent again.
        error: What ended it, if it went wrong.
        state: Scratch value of the leaf in charge.
    """

    __slots__ = (
        "_path",
        "bytes_in",
        "bytes_out",
        "client",
        "error",
        "finished",
        "first_byte",
        "forwarded",
        "head",
        "id_line",
        "lease",
        "leased",
        "location",
        "received",
        "recovery",
        "retries",
        "runtime",
        "secure",
        "state",
        "status",
        "stream",
        "upstream",
        "upstream_name",
    )

    def __init__(
        self,
        stream: ServerStream,
        head: RequestHead,
        runtime: Runtime,
        location: LocationResource,
    ) -> None:
        self.stream = stream
        self.head = head
        self.runtime = runtime
        self.location = location
        self.client = stream.peer.host
        self.secure = stream.secure
        self.forwarded = stream.forwarded
        self.id_line = runtime.new_id()
        self.received = runtime.clock()
        self.upstream: ClientStream = DISCARD
        self.recovery: Recovery | None = None
        self.lease: Lease | None = None
        self.error: GatewayError | None = None
        self.state: object = None
        self.leased = self.first_byte = self.finished = 0.0
        self.status = self.bytes_in = self.bytes_out = self.retries = 0
        self.upstream_name = ""
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The path that routes and access are decided on.

        Raises:
            ProtocolError: 400: NUL, an invalid percent escape, or a climb above the root.
        """
        if self._path is None:
            self._path = decide_path(self.head.target)
        return self._path

    def forwarded_fields(self) -> bytes:
        """Make the X-Forwarded-* lines for upstream; those of a trusted proxy are whole already."""
        if self.stream.trusted:
            return self.forwarded
        return add_host(self.forwarded, self.head.host)

    # From the front end.

    def data_received(self, data: bytes, end: bool) -> None:
        """Pass content on to whoever answers, within the location's limit."""
        self.bytes_in += len(data)
        if self.bytes_in > self.location.max_body and self.status != 101:
            self.fail(self.location.body_too_large())
            return
        self.upstream.send_data(data, end)

    def trailers_received(self, block: bytes) -> None:
        """Pass the trailer section on."""
        self.upstream.send_trailers(block)

    def stream_broken(self, error: GatewayError) -> None:
        """Answer content that breaks the protocol."""
        self.fail(error)

    def stream_lost(self, error: GatewayError) -> None:
        """End the exchange: the client is gone."""
        self.upstream.reset(error)
        self.finish(error)

    def pause_writing(self) -> None:
        """Stop whoever produces the response."""
        self.upstream.pause_body()

    def resume_writing(self) -> None:
        """Let the response come again."""
        self.upstream.resume_body()

    # From the leaf.

    def send_informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on."""
        self.stream.send_informational(head)

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Send the response's head through the location's filters, with its first content."""
        self.first_byte = self.runtime.clock()
        extra = self.location.finish_head(self, head)
        self.status = head.status
        self.bytes_out = len(data)
        if head.status == 101:
            self.runtime.log.socket_opened(self)
        self.stream.send_head(head, extra + self.id_line, data, end)
        if end:
            self.finish(None)

    def send_data(self, data: bytes, end: bool) -> None:
        """Send content."""
        self.bytes_out += len(data)
        self.stream.send_data(data, end)
        if end:
            self.finish(None)

    def bulk(self) -> BulkSink | None:
        """Give what takes content from descriptors; None where the client's connection does not."""
        return self if self.stream.takes_descriptors else None

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send content from a descriptor; see `BulkSink`."""
        sent = self.stream.send_from(descriptor, offset, length, following)
        self.bytes_out += sent
        return sent

    def send_trailers(self, block: bytes) -> None:
        """Send the trailer section and end the message."""
        self.stream.send_trailers(block)
        self.finish(None)

    def pause_body(self) -> None:
        """Stop the request's content."""
        self.stream.pause_body()

    def resume_body(self) -> None:
        """Let the request's content come again."""
        self.stream.resume_body()

    def answer(self, head: ResponseHead, data: bytes = b"") -> None:
        """Send a whole response; the content is left out where the method or status forbids it."""
        self.send_head(head, b"" if self.head.method == b"HEAD" else data, True)

    def answer_prepared(self, answer: PreparedAnswer) -> None:
        """Send a whole response made beforehand; its content is left out for HEAD."""
        finished = self.location.finish_prepared(self, answer)
        if finished is None:
            self.answer(answer.head(), answer.data)
            return
        whole = self.head.method != b"HEAD"
        self.first_byte = self.runtime.clock()
        self.status = finished.status
        self.bytes_out = len(finished.data) if whole else 0
        self.stream.send_finished(finished, self.id_line, whole)
        self.finish(None)

    def fail(self, error: GatewayError) -> None:
        """Answer an error: try again, send a page, or reset the stream once the head is out."""
        if self.finished:
            return
        if not self.status and self.recovery is not None and self.recovery.recover(self, error):
            return
        self.error = error
        self.upstream.reset(error)
        self.upstream = DISCARD
        if self.status or error.status is None:
            cut = error
            if self.status and not isinstance(error, (ResponseIncomplete, ClientDisconnected)):
                cut = ResponseIncomplete(str(error))
            self.stream.reset(cut)
            self.finish(error)
            return
        try:
            head, data = self.location.errors.answer(self, error)
            self.answer(head, data)
        except Exception:
            log.failure("no page could be made of {error!r}", error=error)
            self._answer_without_page()

    def _answer_without_page(self) -> None:
        """Answer 500 past filters and pages, one of which has failed; cut what has begun."""
        if not self.status:
            self.status = 500
            lines = self.location.added.lines
            self.stream.send_head(ResponseHead.make(500, (), 0), lines + self.id_line, b"", True)
        elif not self.finished:
            self.stream.reset(self.error or GatewayError("the response could not be made"))
        self.finish(self.error)

    def finish(self, error: GatewayError | None) -> None:
        """End the exchange, well or badly: release, log, and let go of both sides. Runs once."""
        if self.finished:
            return
        self.finished = self.runtime.clock()
        error = error or self.error
        self.error = error
        if self.lease is not None:
            self.upstream_name = self.lease.name
            self.lease.release(error if error is None or error.blame is Blame.UPSTREAM else None)
            self.lease = None
        self.runtime.log.exchange_finished(self)
        if error is not None:
            error.__traceback__ = None  # its frames know this request: a cycle
        self.stream = _NOWHERE  # a late call must not reach the next exchange
        self.upstream = DISCARD
        self.recovery = None
        self.state = None
