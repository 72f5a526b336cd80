"""The reverse proxy: leases an upstream, joins two streams, and tries again where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import Field
from twisted.logger import Logger

from gateway.errors import GatewayError, NoUpstreamAvailable
from gateway.http.forwarding import Via, add_forwarded
from gateway.http.known import UPGRADE
from gateway.http.paths import strip_prefix
from gateway.resources.connecting import Attempt, Connecting
from gateway.resources.intercept import Interceptor
from gateway.resources.websocket import WebSocket, open_websocket
from gateway.settings import Duration, FilePath, ShortForm, Size, settings
from gateway.units import ByteCount, Seconds
from gateway.upstream.address import Upstream as Address
from gateway.upstream.exchange import UpstreamConnection
from gateway.upstream.probe import Health
from gateway.web.resource import Resource

if TYPE_CHECKING:
    from gateway.http.stream import ResponseSink
    from gateway.resources.websocket_opening import Opening
    from gateway.resources.websocket_registry import OpenSockets
    from gateway.upstream.balancer import Balancer, Lease
    from gateway.upstream.pool import Upstream
    from gateway.upstream.sticky import StickyCookie
    from gateway.web.request import Request

log = Logger()


def expand_health(value: Any) -> Any:
    """`"/health"` → `{ path = "/health" }`."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise ValueError(f'expected a path of the app such as "/health", or a table, got {value!r}')
    return {"path": value}


HealthForm = Annotated[Health, ShortForm(expand_health, {"type": "string"})]
"""Health checks, as one writes them."""


@settings
class Proxy:
    """Settings of a proxied location; the short forms `4000` and `[4000, 4001]` mean the key `to`.

    Attributes:
        to: Upstreams; the least busy one is used, and the others where it cannot be reached.
        strip: Remove the location's prefix from the path; `X-Forwarded-Prefix` tells the app.
        connect_timeout: How long connecting may take, name look-up included.
        tls_timeout: How long a TLS handshake with the upstream may take.
        response_timeout: How long the response's head may take. Longer than a long poll, which answers after 20 s.
        idle_timeout: How long neither side's content may stand still; reset by progress.
        retries: How many further tries a request may have after a failed connection.
        keep_alive: How long an idle connection is kept; below the 60 s of Bandit and Cowboy.
        max_idle: Idle connections kept per upstream.
        buffer: Octets of request content spooled before the upstream is asked; 0 streams at once.
        forwarded: Also send `Forwarded` (RFC 7239).
        request_start: Also send `X-Request-Start: t=<milliseconds>`.
        accel: Folder that `X-Accel-Redirect` answers of the upstream are served from.
        server_timing: Tell clients in `Server-Timing` how long the answer took; for debugging.
        verify: Verify an https upstream's certificate.
        ca: PEM file of the authorities trusted for https upstreams; the system's where empty.
        server_name: Name that an https upstream's certificate must have; its host where empty.
        websocket: Limits of WebSockets.
        intercept: Statuses of the app, 500 to 599, that the site's maintenance page stands in for.
        health: How the upstreams are asked whether they are well; `"/health"` says what they are asked for.
        sticky: Clients stay at the upstream that answered them first, by a cookie.
    """

    to: tuple[Address, ...] = Field(min_length=1)
    strip: bool = False
    connect_timeout: Duration = Seconds(3)
    tls_timeout: Duration = Seconds(10)
    response_timeout: Duration = Seconds(60)
    idle_timeout: Duration = Seconds(60)
    retries: int = Field(default=2, ge=0, le=10)
    keep_alive: Duration = Seconds(50)
    max_idle: int = Field(default=64, ge=0)
    buffer: Size = ByteCount(0)
    forwarded: bool = False
    request_start: bool = False
    accel: FilePath = ""
    server_timing: bool = False
    verify: bool = True
    ca: FilePath = ""
    server_name: str = ""
    websocket: WebSocket = WebSocket()
    intercept: tuple[Annotated[int, Field(ge=500, le=599)], ...] = ()
    health: HealthForm | None = None
    sticky: bool = False


class FieldEdits(Protocol):
    """Edits of a block of field lines; implemented by `filters.headers`."""

    def apply(self, block: bytes, known: int) -> bytes:
        """Edit field lines; `known` is the mask of the well-known fields among them."""


class ProxyResource(Resource):
    """A location that upstreams answer.

    Args:
        balancer: Chooses among the upstreams.
        clock: Monotonic seconds.
        via: Writes our name into Via and recognises requests that went round in a loop.
        sockets: The process's open WebSockets.
        websocket: Limits of WebSockets.
        names: The site's host names in lower case, `*.` for a wildcard.
        retries: Further tries that one request may have.
        prefix: Path prefix to strip from the target; empty keeps the target.
        edits: Edit the request's field lines, in order.
        forwarded: Whether to send Forwarded too.
        request_start: Makes the X-Request-Start line; None for none.
        intercept: Statuses of the app that the maintenance page stands in for.
        hand_over: Puts a sink before the request's that sends the files an app names; None for none.
        sticky: Finds the upstream that a client was at; None: any will do.
    """

    __slots__ = (
        "_balancer",
        "_clock",
        "_edits",
        "_forwarded",
        "_hand_over",
        "_intercept",
        "_names",
        "_prefix",
        "_prefix_line",
        "_request_start",
        "_retries",
        "_sockets",
        "_sticky",
        "_via",
        "_websocket",
    )

    def __init__(
        self,
        balancer: Balancer,
        *,
        clock: Callable[[], Seconds],
        via: Via,
        sockets: OpenSockets,
        websocket: WebSocket | None = None,
        names: frozenset[str] = frozenset(),
        retries: int = 2,
        prefix: bytes = b"",
        edits: Sequence[FieldEdits] = (),
        forwarded: bool = False,
        request_start: Callable[[], bytes] | None = None,
        intercept: Iterable[int] = (),
        hand_over: Callable[[Request, ResponseSink], ResponseSink] | None = None,
        sticky: StickyCookie | None = None,
    ) -> None:
        self._balancer = balancer
        self._clock = clock
        self._via = via
        self._sockets = sockets
        self._websocket = websocket or WebSocket()
        self._names = names
        self._retries = retries
        self._prefix = prefix
        self._prefix_line = b"X-Forwarded-Prefix: %b\r\n" % prefix if prefix else b""
        self._edits = tuple(edits)
        self._forwarded = forwarded
        self._request_start = request_start
        self._intercept = frozenset(intercept)
        self._hand_over = hand_over
        self._sticky = sticky

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Send the request to an upstream and join the two streams."""
        request.recovery = self
        head = request.head
        opening = self._open_websocket(request) if head.known & UPGRADE else None
        target = strip_prefix(head.target, self._prefix) if self._prefix else head.target
        fields = self.fields(request)
        if opening is not None:
            fields = opening.fields(fields)
        sticky = self._sticky
        lease = self._balancer.checkout() if sticky is None else self._balancer.checkout((), sticky.chosen(head))
        if lease is None:
            raise NoUpstreamAvailable("all upstreams are down by their health checks")
        sink: ResponseSink = opening or request
        if self._intercept and opening is None:
            sink = Interceptor(sink, self._intercept)
        if self._hand_over is not None and opening is None:
            sink = self._hand_over(request, sink)
        request.state = Attempt(data, end, target, fields, sink)
        connection = lease.upstream.take_idle(surely_alive=head.method not in IDEMPOTENT)
        if connection is None:
            self._connect(request, lease, data, end, ())
            return
        request.lease = lease
        request.leased = self._clock()
        request.upstream = connection
        connection.send_request(sink, head, target, fields, data, end)

    def recover(self, request: Request, error: GatewayError) -> bool:
        """Try again: after a failed connection another upstream, after a dead reused connection a fresh one.

        Source: RFC 9110 §9.2.2; RFC 9112 §9.3.1.
        """
        attempt = request.state
        if not error.retryable or request.retries >= self._retries or not isinstance(attempt, Attempt):
            return False
        failed = request.upstream
        trailers = b""
        if isinstance(failed, Connecting):
            data, end, tried = failed.data, failed.end, (*failed.tried, failed.lease.upstream)
            trailers = failed.trailers
        else:
            tried = ()
            data, end = attempt.data, attempt.end
            if request.bytes_in != len(data) or not isinstance(failed, UpstreamConnection):
                return False
            if failed.request_done != end or not _may_repeat(request.head.method, data, end):
                return False
        sticky = self._sticky
        lease = self._balancer.checkout(tried, sticky.chosen(request.head) if sticky is not None else "")
        if lease is None:
            return False
        if request.lease is not None:
            request.lease.release(error)
        request.retries += 1
        self._connect(request, lease, data, end, tried, trailers)
        return True

    def _connect(
        self,
        request: Request,
        lease: Lease,
        data: bytes,
        end: bool,
        tried: tuple[Upstream, ...],
        trailers: bytes = b"",
    ) -> None:
        request.lease = lease
        request.leased = self._clock()
        Connecting(self, request, lease, data, end, tried, trailers).start()

    def start(self, request: Request, connection: UpstreamConnection, data: bytes, end: bool) -> None:
        """Begin the exchange on a connection that has just been opened."""
        attempt = request.state
        if not isinstance(attempt, Attempt):
            raise TypeError("an exchange begins with `render`")
        request.upstream = connection
        connection.send_request(attempt.sink, request.head, attempt.target, attempt.fields, data, end)

    def fields(self, request: Request) -> bytes:
        """Make the block of field lines that goes upstream.

        Raises:
            HTTPError: 508: the request came through this gateway before.
        """
        head = request.head
        block = head.fields
        for edits in self._edits:
            block = edits.apply(block, head.known)
        lines = request.forwarded_fields()
        if self._forwarded:
            lines = add_forwarded(lines, request.stream.peer.host, head.host, request.stream.secure)
        if self._request_start is not None:
            lines += self._request_start()
        return b"".join((block, lines, self._prefix_line, request.id_line, self._via.line(head)))

    def _open_websocket(self, request: Request) -> Opening | None:
        """Begin a WebSocket if the request asks for one; any other Upgrade is not passed on."""
        opening = open_websocket(request, self._websocket, self._sockets, self._names)
        if opening is None:
            request.head.upgrade = b""
        return opening


def _may_repeat(method: bytes, data: bytes, end: bool) -> bool:
    return method in IDEMPOTENT or (not data and not end)


IDEMPOTENT = frozenset({b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"})
"""Methods that may be sent twice (RFC 9110 §9.2.2); TRACE is not forwarded."""
