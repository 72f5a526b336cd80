"""Sends spooled content to whoever answers, at the pace that they take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.interfaces import IReactorTime

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.http.prepared import FinishedAnswer
    from gateway.resources.spool import Spool
    from gateway.web.request import Request

PIECES_PER_TURN: Final = 16
"""Pieces sent before others have their turn."""


class Feeding:
    """Stands between a request and its stream while collected content is sent to the child.

    To the request it is the `ServerStream`, so that the child's back-pressure stops the feeding instead of the client;
    to the front end it is the `StreamHandler`, so that what the client still sends waits for its turn.
    """

    def __init__(self, request: Request, spool: Spool, complete: bool, trailers: bytes, reactor: IReactorTime) -> None:
        stream = request.stream
        self.handler = stream.handler
        self.peer = stream.peer
        self.local_port = stream.local_port
        self.secure = stream.secure
        self.trusted = stream.trusted
        self.forwarded = stream.forwarded
        self._request = request
        self._stream = stream
        self._spool = spool
        self._complete = complete
        self._trailers = trailers
        self._reactor = reactor
        self._held: list[tuple[bytes, bool]] = []
        self._paused = False
        self._begun = False
        self._over = False
        self._turn_asked = False
        request.stream = stream.handler = self
        if not complete:
            stream.pause_body()

    def begin(self) -> None:
        """Feed, now that the child knows of the request."""
        self._begun = True
        self._feed()

    # From the child, by way of the request: ServerStream.

    def pause_body(self) -> None:
        """Stop feeding."""
        self._paused = True

    def resume_body(self) -> None:
        """Go on feeding."""
        self._paused = False
        if self._begun:
            # Not at once: a connection lets content come before it has sent the head.
            self._ask_for_a_turn()

    def send_informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on."""
        self._stream.send_informational(head)

    def send_head(self, head: ResponseHead, extra: bytes, data: bytes, end: bool) -> None:
        """Pass the response's head on; its end ends the feeding."""
        self._end(end)
        self._stream.send_head(head, extra, data, end)

    def send_finished(self, answer: FinishedAnswer, extra: bytes, whole: bool) -> None:
        """Pass a response made beforehand on, which ends the feeding."""
        self._end(True)
        self._stream.send_finished(answer, extra, whole)

    def send_data(self, data: bytes, end: bool) -> None:
        """Pass the response's content on; its end ends the feeding."""
        self._end(end)
        self._stream.send_data(data, end)

    @property
    def takes_descriptors(self) -> bool:
        """Whether the response's content may come by `send_from`."""
        return self._stream.takes_descriptors

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Pass the response's content on."""
        return self._stream.send_from(descriptor, offset, length, following)

    def send_trailers(self, block: bytes) -> None:
        """Pass the response's trailers on and end the feeding."""
        self._end(True)
        self._stream.send_trailers(block)

    def reset(self, error: GatewayError) -> None:
        """End the feeding with the exchange."""
        self._end(True)
        self._stream.reset(error)

    # From the front end: StreamHandler.

    def data_received(self, data: bytes, end: bool) -> None:
        """Hold what comes although the client was stopped."""
        self._held.append((data, end))

    def trailers_received(self, block: bytes) -> None:
        """Keep the trailer section until all content is sent."""
        self._trailers = block

    def stream_broken(self, error: GatewayError) -> None:
        """Answer content that breaks the protocol."""
        self._request.stream_broken(error)

    def stream_lost(self, error: GatewayError) -> None:
        """Drop the content: the client is gone."""
        self._end(True)
        self._request.stream_lost(error)

    def pause_writing(self) -> None:
        """Stop the response."""
        self._request.pause_writing()

    def resume_writing(self) -> None:
        """Let the response come again."""
        self._request.resume_writing()

    # Feeding.

    def _feed(self) -> None:
        """Send what was collected for as long as the child takes it."""
        pieces = 0
        while not (self._over or self._paused or self._turn_asked):
            if pieces == PIECES_PER_TURN:
                self._ask_for_a_turn()
                return
            pieces += 1
            try:
                data = self._spool.read()
            except GatewayError as error:
                self._request.fail(error)
                return
            if self._spool.size:
                self._request.upstream.send_data(data, False)
            else:
                self._send_last(data)

    def _ask_for_a_turn(self) -> None:
        if not self._turn_asked:
            self._turn_asked = True
            self._reactor.callLater(0, self._take_turn)

    def _take_turn(self) -> None:
        self._turn_asked = False
        self._feed()

    def _send_last(self, data: bytes) -> None:
        """Send the last of what was collected, step aside, and send what was held."""
        request, stream = self._request, self._stream
        end = self._complete and not self._trailers
        if data or end:
            request.upstream.send_data(data, end)
        if self._over:
            return
        self._end(True)
        request.stream = stream
        stream.handler = request
        for held, held_end in self._held:
            request.data_received(held, held_end)
        if self._trailers:
            request.trailers_received(self._trailers)
        if not self._complete and not self._paused:
            stream.resume_body()

    def _end(self, end: bool) -> None:
        """Drop what is left where the exchange is over."""
        if end and not self._over:
            self._over = True
            self._spool.close()
