"""Content behind a head: where it ends, by whichever framing the head announced (RFC 9112 §6.3)."""

from __future__ import annotations

from typing import Final

from gateway.http.message import Framing
from gateway.protocol.chunked import ChunkedDecoder
from gateway.protocol.http1_fields import HeadLimits


class ContentReader:
    """Finds the content of one message after the other.

    Args:
        limits: What a trailer section may weigh.

    Attributes:
        done: Whether the content is complete.
        rest: Octets behind its end.
        trailers: End-to-end trailer lines, once it is complete.
    """

    __slots__ = ("_decoder", "_framing", "_left", "_limits", "done", "rest", "trailers")

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._framing = Framing.NONE
        self._left = 0
        self._decoder: ChunkedDecoder | None = None
        self.forget()

    def begin(self, framing: Framing, length: int) -> None:
        """Expect the content of a message.

        Args:
            framing: How it ends; CLOSE never does here.
            length: Octets of it where `framing` is LENGTH.
        """
        self._framing = framing
        self._left = length
        self.done = False
        if framing is _CHUNKED:
            self._decoder = ChunkedDecoder(self._limits)

    def receive(self, data: bytes) -> bytes:
        """Take octets behind the head, split anyhow.

        Returns:
            The content in them.

        Raises:
            ProtocolError: 400 or 431, by the chunked coding.
        """
        framing = self._framing
        if framing is _LENGTH:
            left = self._left
            if len(data) < left:
                self._left = left - len(data)
                return data
            self.done = True
            if len(data) == left:
                return data
            self.rest = data[left:]
            return data[:left]
        if framing is _CHUNKED and self._decoder is not None:
            decoder = self._decoder
            data = decoder.receive(data)
            if decoder.done:
                self.done = True
                self.rest = decoder.rest
                self.trailers = decoder.trailers
            return data
        if framing is _CLOSE:
            return data
        self.done = True
        self.rest = data
        return b""

    @property
    def left(self) -> int:
        """Octets still to come of content whose length is known; 0 for any other."""
        return 0 if self.done or self._framing is not _LENGTH else self._left

    def skip(self, count: int) -> None:
        """Take note of so many octets that came and did not pass through here; at most `left`."""
        self._left -= count

    def forget(self) -> None:
        """Hold nothing of the message that is over."""
        self.done = True
        self.rest = self.trailers = b""
        self._decoder = None


_LENGTH: Final = Framing.LENGTH
_CHUNKED: Final = Framing.CHUNKED
_CLOSE: Final = Framing.CLOSE
