"""An open WebSocket between a client and an app: two sides, each with a pipe of frames.

What a side does is answered on the other:

    event                                             to the other side
    close frame                                       the same code and reason; its answer becomes ours
    app gone, between frames                          close 1012
    app gone, inside a frame                          what came, then FIN
    client gone, or broke a rule (it gets 1002/1009)  FIN without a close frame: 1006 there
    app broke a rule (it gets 1002/1009)              close 1011
    gateway stops (both get 1001)                     after the frame's end, if that comes in time

Whatever begins to close has `WebSocket.close` to be over; then close frames are echoed where an answer is still due,
and the connections are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import (
    ClientDisconnected,
    ClientTimeout,
    GatewayError,
    GatewayStopping,
    ProtocolError,
    ResponseIncomplete,
    ResponseInvalid,
    ResponseStalled,
)
from gateway.protocol.websocket_events import Code, Violation
from gateway.protocol.websocket_frames import FramePipe, Input
from gateway.resources.websocket_side import GONE, Answer, Side
from gateway.units import Seconds

if TYPE_CHECKING:
    from gateway.http.stream import ClientStream
    from gateway.resources.websocket import WebSocket
    from gateway.resources.websocket_registry import OpenSockets
    from gateway.web.request import Request


class Relay:
    """Joins two sides; see the table in the module's docstring.

    Args:
        request: The client's exchange, already switched to a tunnel.
        exchange: The app's.
        pipes: From the client, and from the app.
        settings: Limits of the site.
        sockets: Where it is registered until it is over.

    Attributes:
        entropy: Makes random octets.
        heard: Whether any octet came since the last look.
        code: The close code that ended it, for the log; 1006 where none did, 1005 for a close frame without one.
    """

    __slots__ = (
        "_exchange",
        "_pings",
        "_quiet_since",
        "_request",
        "_settings",
        "_sockets",
        "address",
        "client",
        "code",
        "deadline",
        "entropy",
        "heard",
        "site",
        "upstream",
    )

    def __init__(
        self,
        request: Request,
        exchange: ClientStream,
        pipes: tuple[FramePipe, FramePipe],
        settings: WebSocket,
        sockets: OpenSockets,
    ) -> None:
        self._request = request
        self._exchange = exchange
        self._settings = settings
        self._sockets = sockets
        self.entropy = sockets.entropy
        self.site = request.location.site
        self.address = request.client
        self.deadline = Seconds(0)
        self.heard = True
        self.code = 0
        self._pings = 0
        self._quiet_since = Seconds(0)
        self.client = Side(self, pipes[0], request)
        self.upstream = Side(self, pipes[1], exchange)
        self.client.far = self.upstream
        self.upstream.far = self.client
        sockets.add(self)

    # Closing handshakes.

    def closing(self, side: Side, code: int | None, reason: bytes) -> None:
        """A peer starts the closing handshake: start it on the far side, whose answer becomes ours."""
        far = side.far
        self._note(1005 if code is None else code)
        side.due = (code, reason)
        if far.gone or far.ended or far.pipe.input is Input.CLOSED:
            side.settle(None)
            self._finish(side)
        else:
            far.close(code, reason)
        self._begin_closing()

    def closed(self, side: Side, answer: Answer | None) -> None:
        """A peer answered our close frame: answer the far one, if it waits for that."""
        if side.far.due is not None:
            side.far.settle(answer)
            self._finish(side.far)
        self._finish(side)
        self._begin_closing()

    def close_malformed(self, side: Side) -> None:
        """A peer's close frame had an impossible code or reason; its leg has answered it."""
        if side.far.due is not None:
            self.closed(side, None)
            return
        self._blame(side, "malformed close frame (RFC 6455 §7.4)")
        self._close_far(side)
        self._finish(side)
        self._begin_closing()

    def rule_broken(self, side: Side, violation: Violation) -> None:
        """A peer broke the framing: it gets the violation's code."""
        self._note(violation.code)
        self._blame(side, violation.message)
        side.close(violation.code)
        if side.far.due is None:
            self._close_far(side)
        self._begin_closing()

    def close(self, code: Code) -> None:
        """Start the closing handshake on both sides: the gateway stops."""
        self._note(code)
        self._request.error = self._request.error or GatewayStopping("the gateway stops")
        self.client.close(code)
        self.upstream.close(code)
        self._begin_closing()

    def _close_far(self, side: Side) -> None:
        """Tell the far side that this one cannot go on, by the table above."""
        if side is self.client:
            self.upstream.end()
        else:
            self.client.close(Code.INTERNAL_ERROR)

    def _finish(self, side: Side) -> None:
        """The closing handshake of a side is over: a server drops the connection, a client waits for that."""
        if side is self.client:
            self._end_client()
        elif side.gone:
            side.end()
        self._settle()

    # Connections.

    def peer_gone(self, side: Side, *, lost: bool) -> None:
        """A peer will send no more; `lost` where nothing can be sent to it either."""
        if side.gone:
            return
        expected = side.ended or side.closing or side.pipe.input is Input.CLOSED
        side.gone = True
        if lost:
            side.release()
        if side is self.client:
            self._client_gone(lost=lost)
        else:
            self._upstream_gone(expected=expected)
        self._begin_closing()
        self._settle()

    def _client_gone(self, *, lost: bool) -> None:
        client, upstream = self.client, self.upstream
        if client.due is not None and not lost:
            return  # half-closed, and waiting for the answer to its close frame
        self._note(1006)
        if upstream.due is not None:
            upstream.settle(None)
        elif not upstream.closing:
            upstream.end()
        self._request.error = self._request.error or ClientDisconnected("the client left without a close frame")
        self._end_client()

    def _upstream_gone(self, *, expected: bool) -> None:
        client, upstream = self.client, self.upstream
        if client.due is not None:
            client.settle(None)
            self._end_client()
        elif expected:
            if not upstream.pipe.at_boundary:
                self._end_client()  # the close frame waited for the end of a frame that will not come
        else:
            self._note(1006)
            self._request.error = self._request.error or ResponseIncomplete("the app left without a close frame")
            if upstream.pipe.at_boundary:
                client.close(Code.SERVICE_RESTART)
            else:
                self._end_client()
        if upstream.blocked:
            self._drop_upstream(ResponseStalled(_UNREAD))
        else:
            upstream.end()

    def _end_client(self) -> None:
        """End the client's exchange, which is logged thereby; the app's end is still read."""
        self.client.end()
        self._exchange.resume_body()

    def _settle(self) -> None:
        """Forget everything once both sides are over."""
        if self.client.ended and self.upstream.ended and self.upstream.gone:
            self._sockets.remove(self)
            if self.upstream.blocked:
                self._exchange.reset(ResponseStalled(_UNREAD))
            for side in (self.client, self.upstream):
                side.forget()
            self.client = self.upstream = GONE

    # Time.

    def look(self, now: Seconds) -> None:
        """Ping a silent client, between frames; close what was silent for too long."""
        if self.heard:
            self.heard = False
            self._quiet_since = now
            self._pings = 0
            return
        silence = now - self._quiet_since
        settings = self._settings
        if settings.idle and silence >= settings.idle:
            self._give_up()
        elif settings.ping and silence >= settings.ping * (self._pings + 1):
            self._pings += 1
            if self.upstream.pipe.at_boundary and not self.client.blocked and not self.upstream.blocked:
                self.client.ping()

    def _give_up(self) -> None:
        """Nothing was heard for too long: blame the client, unless we have stopped it for the app's sake."""
        message = f"no octet for {self._settings.idle:g} s"
        if self.upstream.blocked:
            self._drop_upstream(ResponseStalled(f"the app read nothing, and {message}"))
            self._upstream_gone(expected=False)
        else:
            self._note(Code.GOING_AWAY)
            self._request.error = ClientTimeout(message)
            self.client.close(Code.GOING_AWAY)
            self.upstream.end()
            if not self.upstream.pipe.at_boundary:
                self._end_client()
        self._begin_closing()
        self._settle()

    def expire(self, now: Seconds) -> None:
        """End what is still there when the time for closing is over."""
        client, upstream = self.client, self.upstream
        waiting = upstream.due is not None
        if not client.ended:
            client.settle(None)
            if client.blocked:
                client.release()
                self._request.fail(ClientTimeout("the client read nothing while its WebSocket was closing"))
            else:
                self._end_client()
        if waiting:
            upstream.settle(None)
            upstream.end()
            self._sockets.begin_closing(self, self._settings.close)
        else:
            self._drop_upstream(ResponseStalled("the app did not close its WebSocket in time"))
        self._settle()

    def _begin_closing(self) -> None:
        """Set the deadline; go on reading where nothing is forwarded any more, to see the close frame or the end."""
        if not self.deadline:
            self._sockets.begin_closing(self, self._settings.close)
        for side in (self.client, self.upstream):
            if side.far.blocked and (side.far.ended or not side.pipe.output_open):
                side.outlet.resume_body()

    def _drop_upstream(self, error: GatewayError) -> None:
        self.upstream.release()
        self._exchange.reset(error)

    # The log.

    def _note(self, code: int) -> None:
        self.code = self.code or code

    def _blame(self, side: Side, message: str) -> None:
        error = ProtocolError(message) if side is self.client else ResponseInvalid(message)
        self._request.error = self._request.error or error


_UNREAD = "the app left, and does not read what was sent to it"
