"""Spooling: collects a slow upload before the application behind is asked.

A weak back end keeps a worker busy for as long as an upload lasts. Here the content is collected first, in memory or in
a temporary file, and then sent at the back end's own pace.

    stage       who is `request.upstream`   content that arrives
    collecting  `Collecting`                is kept
    feeding     the child's                 is held until what was kept is sent, the client being stopped
    done        the child's                 goes to the child

Files are written and read in pieces of what one event brings, through the page cache: that takes about as long as
sending them, so no thread is used.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from twisted.internet.interfaces import IReactorTime

from gateway.errors import GatewayError, SpoolFailed
from gateway.http.message import Framing, ResponseHead
from gateway.http.stream import DISCARD
from gateway.resources.spool_feed import Feeding
from gateway.units import ByteCount
from gateway.web.resource import Resource

if TYPE_CHECKING:
    from typing import IO

    from gateway.web.request import Request

IN_MEMORY: Final = ByteCount(65_536)
"""Octets kept in memory; more goes to a file."""

PIECE: Final = ByteCount(65_536)
"""Octets read from the file at once."""


class SpoolResource(Resource):
    """Stands in front of a leaf and renders it once the content is there, or more than may be kept.

    Args:
        child: Who answers.
        limit: Octets collected; more content is streamed from there on.
        reactor: Gives turns to others while a long content is sent.
    """

    __slots__ = ("_child", "_limit", "_reactor")

    def __init__(self, child: Resource, limit: ByteCount, reactor: IReactorTime) -> None:
        self._child = child
        self._limit = limit
        self._reactor = reactor

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Pass on what is complete already; collect the content of all else."""
        if end or len(data) > self._limit:
            self._child.render(request, data, end)
            return
        head = request.head
        request.upstream = collecting = Collecting(self._child, request, self._limit, self._reactor)
        if head.expects_continue:
            head.expects_continue = False
            request.send_informational(ResponseHead.make(100))
        collecting.send_data(data, False)


class Spool:
    """Content in memory, or in a file without a name once it is long.

    Attributes:
        size: Octets written and not yet read.
    """

    __slots__ = ("_file", "_memory", "size")

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append content.

        Raises:
            SpoolFailed: The file cannot be made or written.
        """
        self.size += len(data)
        if self._file is None and self.size <= IN_MEMORY:
            self._memory += data
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="gateway-")  # noqa: SIM115  (`close` closes it)
                self._file.write(self._memory)
                self._memory.clear()
            self._file.write(data)
        except OSError as error:
            raise _failed(error) from error

    def rewind(self) -> None:
        """Begin to read; nothing is written any more.

        Raises:
            SpoolFailed: What the file still has to take cannot be written.
        """
        try:
            if self._file is not None:
                self._file.seek(0)
        except OSError as error:
            raise _failed(error) from error

    def read(self) -> bytes:
        """Take the next octets; nothing once all are read.

        Raises:
            SpoolFailed: The file cannot be read.
        """
        if self._file is None:
            data = bytes(self._memory)
            self._memory.clear()
        else:
            try:
                data = self._file.read(PIECE)
            except OSError as error:
                raise _failed(error) from error
        self.size -= len(data)
        return data

    def close(self) -> None:
        """Let go of the content; the file is gone with it."""
        self._memory.clear()
        file, self._file = self._file, None
        if file is not None:
            # What could not be written on failure cannot be on closing either.
            with suppress(OSError):
                file.close()


class Collecting:
    """Takes the content in the child's place (ClientStream)."""

    __slots__ = ("_child", "_limit", "_reactor", "_request", "_spool", "_trailers")

    def __init__(self, child: Resource, request: Request, limit: ByteCount, reactor: IReactorTime) -> None:
        self._child = child
        self._request = request
        self._limit = limit
        self._reactor = reactor
        self._spool = Spool()
        self._trailers = b""

    def send_data(self, data: bytes, end: bool) -> None:
        """Keep content; ask the child once that is all of it, or all that may be kept."""
        try:
            self._spool.write(data)
            if end or self._spool.size > self._limit:
                self._release(end)
        except GatewayError as error:
            self._request.fail(error)

    def send_trailers(self, block: bytes) -> None:
        """Keep the trailer section, which ends the content."""
        self._trailers = block
        try:
            self._release(True)
        except GatewayError as error:
            self._request.fail(error)

    def reset(self, error: GatewayError) -> None:
        """Drop what was collected."""
        self._spool.close()

    def pause_body(self) -> None:
        """Ignore: there is no response yet."""

    def resume_body(self) -> None:
        """Ignore: there is no response yet."""

    def _release(self, end: bool) -> None:
        request, spool = self._request, self._spool
        head = request.head
        if end and not self._trailers and head.framing is Framing.CHUNKED:
            # Back ends weak enough for a spool often want to know the length.
            head.framing, head.content_length = Framing.LENGTH, spool.size
        request.upstream = DISCARD
        spool.rewind()
        first = spool.read()
        if end and not spool.size and not self._trailers:
            spool.close()
            self._child.render(request, first, True)
            return
        feeding = Feeding(request, spool, end, self._trailers, self._reactor)
        self._child.render(request, first, False)
        feeding.begin()


def _failed(error: OSError) -> SpoolFailed:
    return SpoolFailed(f"request content cannot be kept in {tempfile.gettempdir()}: {error.strerror}")
