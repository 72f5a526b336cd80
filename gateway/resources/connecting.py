"""A request that waits for a connection to its upstream, and what it brought along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import ConnectionRefused, GatewayError

if TYPE_CHECKING:
    from gateway.http.stream import ResponseSink
    from gateway.upstream.balancer import Lease
    from gateway.upstream.exchange import UpstreamConnection
    from gateway.upstream.pool import Upstream
    from gateway.web.request import Request

log = Logger()


class Starter(Protocol):
    """Begins exchanges; implemented by `resources.proxy.ProxyResource`."""

    def start(self, request: Request, connection: UpstreamConnection, data: bytes, end: bool) -> None:
        """Begin the exchange on a connection."""


class Attempt:
    """What a request brought along, in case that it has to be sent again.

    Attributes:
        data: Content that came together with the head.
        end: Whether that is all of it.
        target: Request target to send.
        fields: Field lines to send.
        sink: Takes the response: the request, or the opening of a WebSocket.
    """

    __slots__ = ("data", "end", "fields", "sink", "target")

    def __init__(self, data: bytes, end: bool, target: bytes, fields: bytes, sink: ResponseSink) -> None:
        self.data = data
        self.end = end
        self.target = target
        self.fields = fields
        self.sink = sink


class Connecting:
    """Stands in for the upstream while a connection is being opened: keeps what arrives, stops what would follow."""

    __slots__ = ("_opening", "_proxy", "_request", "data", "end", "lease", "trailers", "tried")

    def __init__(
        self,
        proxy: Starter,
        request: Request,
        lease: Lease,
        data: bytes,
        end: bool,
        tried: tuple[Upstream, ...],
        trailers: bytes,
    ) -> None:
        self._proxy = proxy
        self._request: Request | None = request
        self._opening: Deferred[None] | None = None
        self.trailers = trailers
        self.lease = lease
        self.data = data
        self.end = end
        self.tried = tried

    def start(self) -> None:
        """Open the connection."""
        request = self._request
        if request is None:
            return
        request.upstream = self
        if not self.end:
            request.pause_body()
        self._opening = self.lease.upstream.connect().addCallbacks(self._opened, self._failed)

    def _opened(self, connection: UpstreamConnection) -> None:
        request, self._request = self._request, None
        if request is None:
            if not self.lease.upstream.put_back(connection):
                connection.drop()
            return
        if not self.end:
            request.resume_body()  # before anything is written: if that is too much, the body is paused again
        try:
            self._proxy.start(request, connection, self.data, self.end and not self.trailers)
        except GatewayError as error:
            request.fail(error)
        except Exception:
            log.failure("a request could not be sent to {upstream}", upstream=self.lease.name)
            request.fail(GatewayError("the request could not be sent"))
        else:
            if self.trailers:
                connection.send_trailers(self.trailers)

    def _failed(self, failure: Failure) -> None:
        request = self._request
        if request is None:
            return
        error = failure.value
        if not isinstance(error, GatewayError):
            log.failure("a connection to {upstream} failed", failure, upstream=self.lease.name)
            error = ConnectionRefused(f"{self.lease.name}: {error}")
        request.fail(error)

    def send_data(self, data: bytes, end: bool) -> None:
        """Keep content until there is somebody to send it to; what follows was stopped."""
        self.data += data
        self.end = end

    def send_trailers(self, block: bytes) -> None:
        """Keep the trailer section."""
        self.trailers = block
        self.end = True

    def reset(self, error: GatewayError) -> None:
        """Give up; a connection that still comes goes to the pool."""
        self._request = None

    def pause_body(self) -> None:
        """Ignore: there is no response yet."""

    def resume_body(self) -> None:
        """Ignore: there is no response yet."""
