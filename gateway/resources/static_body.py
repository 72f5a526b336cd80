"""The content of an answer from a file: read in pieces, no faster than the client takes them."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from functools import partial
from typing import Final

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import FileIncomplete, FileUnavailable, GatewayError
from gateway.http.message import ResponseHead
from gateway.http.ranges import ByteRange
from gateway.http.stream import BulkSink, Discard
from gateway.net.disk import Disk, is_cached, read_cached
from gateway.resources.static_folder import OpenFile
from gateway.web.request import Request

log = Logger()

CHUNK: Final = 65536
"""Octets read at a time."""
TURN: Final = 8
"""Pieces sent before others get their turn."""
LARGE: Final = CHUNK
"""Octets of a range from which on they go straight from the file to the socket, where the connection can.

Measured on loopback: below, one read and one write cost no more, and leave together with the head.
"""
STEP: Final = CHUNK * TURN
"""Octets sent so before others get their turn."""


class FileBody(Discard):
    """Sends parts of a file (a `ClientStream`); content of the request is ignored.

    What lies in the kernel's memory is sent at once, the rest read by a thread. The file is closed exactly once: at the
    end, or when the exchange is given up, but never under a thread that reads it.

    Args:
        request: The exchange.
        file: The file, closed by this object.
        parts: What to send: octets as they are, and ranges of the file.
        disk: Who waits for the disk.
    """

    __slots__ = (
        "_disk",
        "_done",
        "_fetching",
        "_file",
        "_parts",
        "_paused",
        "_pumping",
        "_request",
        "_scheduled",
        "_straight",
    )

    def __init__(self, request: Request, file: OpenFile, parts: Sequence[bytes | ByteRange], disk: Disk) -> None:
        self._request = request
        self._file = file
        self._parts = list(reversed(parts))  # the next one last
        self._disk = disk
        self._straight: BulkSink | None = None
        self._paused = self._done = self._fetching = self._pumping = self._scheduled = False

    def start(self, head: ResponseHead) -> None:
        """Send the head, with as much content as is at hand."""
        request = self._request
        request.upstream = self
        self._straight = request.bulk()
        try:
            straight = self._goes_straight()
            data = b"" if straight else self._take()
        except (OSError, FileIncomplete) as error:
            request.fail(FileUnavailable(f"a file cannot be read: {error}"))
            return
        end = self._at_end()
        request.send_head(head, data or b"", end)
        if not end:
            self._pump(straight)

    def pause_body(self) -> None:
        """Stop: the client reads slowly."""
        self._paused = True

    def resume_body(self) -> None:
        """Go on."""
        self._paused = False
        if not (self._fetching or self._scheduled or self._pumping):
            self._pump()

    def reset(self, error: GatewayError) -> None:
        """Give up."""
        self._done = True
        if not self._fetching:
            self._file.close()

    def _pump(self, straight: bool = False) -> None:
        """Send what is at hand until the client pauses, the disk must be waited for, or the turn is over."""
        self._scheduled = False
        self._pumping = True
        try:
            self._send_turn(straight)
        except OSError as error:
            self._request.fail(FileIncomplete(f"a file cannot be read: {error}"))
        except GatewayError as error:
            self._request.fail(error)
        finally:
            self._pumping = False

    def _send_turn(self, straight: bool) -> None:
        for _ in range(TURN):
            if self._paused or self._done:
                return
            if self._straight is not None and (straight or self._goes_straight()):
                self._send_straight(self._straight)
                break
            data = self._take()
            if data is None:
                self._fetch()
                return
            self._request.send_data(data, self._at_end())
        if not (self._paused or self._done):
            self._scheduled = True
            self._disk.soon(self._pump)

    def _goes_straight(self) -> bool:
        """Tell whether the next octets may go from the file to the socket, without waiting for the disk."""
        part = self._parts[-1]
        if self._straight is None or not isinstance(part, ByteRange) or part.length < LARGE:
            return False
        return is_cached(self._file.descriptor, min(STEP, part.length), part.first)

    def _send_straight(self, output: BulkSink) -> None:
        """Send the next octets from the file to the socket, as far as it takes them."""
        part = self._parts[-1]
        assert isinstance(part, ByteRange)  # noqa: S101  (for mypy)
        size = min(STEP, part.length)
        try:
            sent = output.send_from(self._file.descriptor, part.first, size, part.length - size)
        except EOFError:
            self._advance(0)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
            self._straight = None  # a file system that has no such thing
            return
        if sent:
            self._advance(sent)
        if self._at_end():
            self._request.send_data(b"", True)

    def _take(self) -> bytes | None:
        """Take the next octets that need no waiting; None where there are none."""
        start = []
        while self._parts:
            part = self._parts[-1]
            if isinstance(part, ByteRange):
                data = read_cached(self._file.descriptor, min(CHUNK, part.length), part.first)
                if data is not None:
                    self._advance(len(data))
                    start.append(data)
                break
            start.append(part)
            self._parts.pop()
        return b"".join(start) if start else None

    def _advance(self, count: int) -> None:
        """Note how much was read of the next range.

        Raises:
            FileIncomplete: Nothing was, for the file ends before.
        """
        part = self._parts.pop()
        assert isinstance(part, ByteRange)  # noqa: S101  (for mypy)
        if not count:
            raise FileIncomplete(f"a file ended at octet {part.first} while it was sent up to octet {part.last}")
        if count < part.length:
            self._parts.append(ByteRange(part.first + count, part.last))

    def _at_end(self) -> bool:
        """Tell whether all was taken; the file is closed then."""
        if self._parts:
            return False
        self._done = True
        self._file.close()
        return True

    def _fetch(self) -> None:
        """Let a thread read the next octets."""
        part = self._parts[-1]
        assert isinstance(part, ByteRange)  # noqa: S101  (for mypy)
        self._fetching = True
        read = partial(os.pread, self._file.descriptor, min(CHUNK, part.length), part.first)
        self._disk.call(read).addCallbacks(self._fetched, self._fetch_failed).addErrback(self._broken)

    def _fetched(self, data: bytes) -> None:
        self._fetching = False
        if self._done:
            self._file.close()
            return
        self._advance(len(data))
        self._request.send_data(data, self._at_end())
        if not self._done:
            self._pump()

    def _fetch_failed(self, failure: Failure) -> None:
        self._fetching = False
        if self._done:
            self._file.close()
            return
        failure.trap(OSError)
        self._request.fail(FileIncomplete(f"a file cannot be read: {failure.value}"))

    def _broken(self, failure: Failure) -> None:
        error = failure.value
        if not isinstance(error, GatewayError):
            log.failure("a file could not be sent", failure)
            error = GatewayError("a file could not be sent")
        self._request.fail(error)
