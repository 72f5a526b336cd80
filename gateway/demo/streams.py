"""Answers that take a while: server-sent events, and downloads of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import LoopingCall
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure
    from twisted.web.server import Request

MAX_EVENTS = 1000
MAX_BYTES = 10**9
PATTERN = bytes(range(256)) * 256


class Leaf(Resource):
    """A resource that answers for every path below it."""

    isLeaf = True  # noqa: N815  (IResource)


class Events(Leaf):
    """`/events?count=10&every=1000`: so many server-sent events, so many milliseconds apart."""

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self._clock = clock

    def render_GET(self, request: Request) -> int:
        """Send the first event at once and the others in their time."""
        request.setHeader("content-type", "text/event-stream")
        request.setHeader("cache-control", "no-store")
        _EventStream(request, _number(request, b"count", 10, MAX_EVENTS)).start(
            self._clock, _number(request, b"every", 1000, 60_000) / 1000
        )
        return NOT_DONE_YET


class _EventStream:
    """One client's events."""

    def __init__(self, request: Request, count: int) -> None:
        self._request = request
        self._count = count
        self._sent = 0
        self._loop = LoopingCall(self._send)

    def start(self, clock: IReactorTime, every: float) -> None:
        self._loop.clock = clock
        self._request.notifyFinish().addErrback(self._client_gone)
        self._loop.start(max(every, 0.001))

    def _send(self) -> None:
        self._sent += 1
        self._request.write(b"id: %d\ndata: event %d of %d\n\n" % (self._sent, self._sent, self._count))
        if self._sent == self._count:
            self._loop.stop()
            self._request.finish()

    def _client_gone(self, _reason: Failure) -> None:
        if self._loop.running:
            self._loop.stop()


class Download(Leaf):
    """`/bytes/SIZE`: that many bytes, counting 0 to 255 over and over."""

    def render_GET(self, request: Request) -> int | bytes:
        """Send as fast as the client reads, holding one block at a time."""
        size = b"".join(request.postpath or ())
        if not (size.isdigit() and len(size) <= len(str(MAX_BYTES)) and int(size) <= MAX_BYTES):
            request.setResponseCode(http.NOT_FOUND)
            return b"ask for /bytes/0 to /bytes/%d\n" % MAX_BYTES
        request.setHeader("content-type", "application/octet-stream")
        request.setHeader("content-length", size)
        if request.method == b"HEAD" or int(size) == 0:
            return b""
        blocks = _Blocks(request, int(size))
        request.registerProducer(blocks, streaming=True)
        blocks.resumeProducing()
        return NOT_DONE_YET


@implementer(IPushProducer)
class _Blocks:
    """Writes block after block for as long as the transport has room."""

    def __init__(self, request: Request, size: int) -> None:
        self._request = request
        self._left = size
        self._room = False

    def resumeProducing(self) -> None:
        self._room = True
        while self._room and self._left:
            block = PATTERN[: self._left]
            self._left -= len(block)
            if not self._left:
                self._request.unregisterProducer()
            self._request.write(block)
            if not self._left:
                self._request.finish()

    def pauseProducing(self) -> None:
        self._room = False

    def stopProducing(self) -> None:
        self._left = 0


def _number(request: Request, name: bytes, default: int, most: int) -> int:
    given: bytes = request.args.get(name, [b""])[0]
    if not given.isdigit() or len(given) > 6:
        return default
    return min(max(int(given), 1), most)
