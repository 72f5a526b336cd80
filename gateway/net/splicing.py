"""Content that goes from one connection's socket to another's through a pipe, and never comes into this process.

| state | waits for | next |
|---|---|---|
| filling | octets from the source, by a reader of its own | moving, ended |
| moving | the sink's `resume`: it has not taken all that the pipe holds | filling, ended |
| ended | nothing: the source's transport reads again, the pipe is given back | |
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Protocol

from twisted.logger import Logger

from gateway.errors import GatewayError
from gateway.net.bulk import BulkTransport
from gateway.net.endpoints import is_readable
from gateway.net.pipes import CAPACITY, Pipe, Pipes

log = Logger()

TURN: Final = 4
"""Pipefuls moved before others get their turn."""

_SPLICE: Final = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK if hasattr(os, "splice") else 0


class Output(Protocol):
    """Takes content from descriptors; implemented by `web.request.Request`."""

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send as much as can be sent now, and answer how much that was."""


class SpliceOwner(Protocol):
    """The protocol whose content is moved; implemented by `upstream.exchange`."""

    @property
    def content_left(self) -> int:
        """How many octets of content are still to come from the socket."""

    def content_moved(self, count: int) -> None:
        """Learn that so many of them have come."""

    def content_complete(self, more: bool) -> None:
        """Learn that all of it has gone out, and whether something came behind it; the transport reads again."""

    def fail(self, error: GatewayError) -> None:
        """Learn that it cannot go on."""


class Splicing:
    """Moves the rest of a content of known length from a connection's socket to wherever `output` leads.

    The end of the source and its errors are left to its transport, which reads again then and finds them itself.

    Args:
        source: The connection that content comes from.
        output: Takes it.
        owner: Hears of it.
        pipes: Where the pipe is from.
    """

    __slots__ = ("_loop", "_output", "_owner", "_paused", "_pipe", "_pipes", "_sock", "_source", "_watching")

    def __init__(
        self,
        source: BulkTransport,
        output: Output,
        owner: SpliceOwner,
        pipes: Pipes,
    ) -> None:
        self._loop = source.loop
        self._source = source
        self._output = output
        self._owner = owner
        self._pipes = pipes
        self._pipe: Pipe | None = None
        self._sock = -1
        self._paused = True
        self._watching = False

    def start(self) -> bool:
        """Take over from the source's transport.

        Returns:
            Whether it is so; else the source's transport goes on as before.
        """
        pipe = self._pipes.take()
        if pipe is None:
            return False
        try:
            self._sock = os.dup(self._source.fileno())
        except OSError:
            self._pipes.give_back(pipe)
            return False
        self._pipe = pipe
        self._source.divert(self)
        return True

    def pause(self) -> None:
        """Read no more: the sink takes no more."""
        self._paused = True
        self._unwatch()

    def resume(self) -> None:
        """Go on with what the pipe holds, then with what comes."""
        self._paused = False
        self._act(self._flush)
        if self._pipe is not None and not self._paused and not self._watching:
            self._watching = True
            self._loop.add_reader(self._sock, self._readable)

    def stop(self) -> None:
        """End it, wherever it stands; the source's transport reads again."""
        pipe, self._pipe = self._pipe, None
        if pipe is None:
            return
        self._unwatch()
        os.close(self._sock)
        self._pipes.give_back(pipe)
        self._source.restore()

    def _readable(self) -> None:
        self._act(self._move)

    def _act(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:
            log.failure("content could not be passed on")
            self.stop()
            self._owner.fail(GatewayError("content could not be passed on"))

    def _move(self) -> None:
        for _ in range(TURN):
            if not self._fill():
                return
            self._flush()

    def _fill(self) -> bool:
        """Let the pipe take what has come; False where there is nothing to flush."""
        pipe = self._pipe
        if pipe is None or pipe.held or self._paused:
            return False
        try:
            count = os.splice(self._sock, pipe.writer, min(self._owner.content_left, CAPACITY), flags=_SPLICE)
        except BlockingIOError:
            return False
        except OSError:
            count = 0
        if not count:  # the end or an error; or nothing is left, for the transport had more in store
            self.stop()
            return False
        pipe.held = count
        self._owner.content_moved(count)
        return True

    def _flush(self) -> None:
        """Send what the pipe holds, as far as the sink takes it; with the last octet all is over."""
        pipe, owner = self._pipe, self._owner
        if pipe is None or not pipe.held:
            return
        pipe.held -= self._output.send_from(pipe.reader, None, pipe.held, owner.content_left)
        if pipe.held:
            self.pause()  # the sink says when it goes on; or it is gone, and we shall be stopped
        elif not owner.content_left:
            more = is_readable(self._sock)
            self.stop()
            owner.content_complete(more)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._sock)


def splice(transport: object, output: Output, owner: SpliceOwner, pipes: Pipes) -> bool:
    """Move the rest of a content past this process, if the transport is a plain uvloop connection and a pipe is there.

    Args:
        transport: Where the content comes from.
        output: Takes it.
        owner: Knows how much is left, and hears of the end.
        pipes: Where the pipe is from.

    Returns:
        Whether it is done so; else the content comes as before.
    """
    return isinstance(transport, BulkTransport) and Splicing(transport, output, owner, pipes).start()
