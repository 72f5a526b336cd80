"""One end of a relayed WebSocket: between its peer's stream, the relay, and Autobahn where we must speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, cast

from gateway.http.stream import DISCARD
from gateway.protocol.websocket_events import Close, Violation
from gateway.protocol.websocket_frames import FramePipe, Input
from gateway.resources.websocket_leg import Leg
from gateway.units import ByteCount

if TYPE_CHECKING:
    from gateway.errors import GatewayError
    from gateway.http.message import ResponseHead

Answer = tuple[int | None, bytes]
"""Code and reason of a close frame."""


class SocketRelay(Protocol):
    """Who decides what a side's events mean for the far side; implemented by `websocket_relay.Relay`.

    Attributes:
        heard: Set whenever something moved.
        entropy: Makes random octets.
    """

    heard: bool
    entropy: Callable[[int], bytes]

    def peer_gone(self, side: Side, *, lost: bool) -> None:
        """A peer will send no more; `lost` where nothing can be sent to it either."""

    def rule_broken(self, side: Side, violation: Violation) -> None:
        """A peer broke the framing."""

    def closing(self, side: Side, code: int | None, reason: bytes) -> None:
        """A peer starts the closing handshake."""

    def closed(self, side: Side, answer: Answer | None) -> None:
        """A peer answered our close frame; None where the answer was malformed."""

    def close_malformed(self, side: Side) -> None:
        """A peer's close frame had an impossible code or reason."""


class Outlet(Protocol):
    """Where octets for a side's peer go: the client's request or the upstream exchange."""

    def send_data(self, data: bytes, end: bool) -> None:
        """Send octets; `end` closes our half."""

    def pause_body(self) -> None:
        """Stop what comes from the peer."""

    def resume_body(self) -> None:
        """Let it come again."""


class Side:
    """One end of a relayed socket: takes what its peer sends, and is what its leg writes to.

    For the client it is the `ClientStream` of the request, for the app the `ResponseSink` of the exchange.

    Args:
        relay: Decides what events mean for the far side.
        pipe: Frames from the peer.
        outlet: Where octets for the peer go.

    Attributes:
        pipe: Frames from the peer, on their way to the far side.
        due: The peer's close code and reason, while the peer waits for our answer.
        ended: Our half is closed: nothing more is sent to the peer.
        gone: The peer's half is closed: nothing more comes.
        blocked: The peer reads slowly, so the far side is stopped.
    """

    __slots__ = ("_leg", "blocked", "due", "ended", "far", "gone", "outlet", "pipe", "relay")

    far: Side

    def __init__(self, relay: SocketRelay, pipe: FramePipe, outlet: Outlet) -> None:
        self.relay = relay
        self._leg: Leg | None = None
        self.pipe = pipe
        self.outlet = outlet
        self.due: Answer | None = None
        self.ended = self.gone = self.blocked = False

    # From the peer.

    def send_data(self, data: bytes, end: bool) -> None:
        """Take octets from the peer, and pass on what may pass."""
        relay = self.relay
        relay.heard = True
        if data:
            passing = self.pipe.receive_data(data)
            if passing:
                self.far.outlet.send_data(passing, False)
            if self.pipe.events:
                self._report()
        if end:
            relay.peer_gone(self, lost=False)

    def pause_body(self) -> None:
        """Stop the far side: the peer reads slowly."""
        self.blocked = True
        if self.far.pipe.output_open:
            self.far.outlet.pause_body()

    def resume_body(self) -> None:
        """Let the far side go on."""
        self.blocked = False
        self.relay.heard = True
        self.far.outlet.resume_body()

    def reset(self, error: GatewayError) -> None:
        """Learn that the client is lost, or that its exchange was ended elsewhere (ClientStream)."""
        self.relay.peer_gone(self, lost=True)

    def fail(self, error: GatewayError) -> None:
        """Learn that the app is lost (ResponseSink)."""
        self.relay.peer_gone(self, lost=True)

    def send_trailers(self, block: bytes) -> None:
        """Ignore: a tunnel has no trailers."""

    def bulk(self) -> None:
        """Give nothing: a tunnel's octets are looked at (ResponseSink)."""

    def send_informational(self, head: ResponseHead) -> None:
        """Ignore: a tunnel has no further heads (ResponseSink)."""

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Ignore: a tunnel has no further heads (ResponseSink)."""

    def _report(self) -> None:
        events, self.pipe.events = self.pipe.events, ()
        for event in events:
            if isinstance(event, Close):
                self._speaker().receive(event.payload)
            elif isinstance(event, Violation):
                self.relay.rule_broken(self, event)
            else:
                self.relay.closed(self, None)

    # From the leg.

    def write(self, data: bytes) -> None:
        """Send a control frame to the peer, at the next frame boundary."""
        pipe = self.far.pipe
        passing = pipe.inject(data, self.relay.entropy(4) if pipe.masked else b"")
        if passing:
            self.outlet.send_data(passing, False)

    def close_received(self, code: int | None, reason: bytes) -> None:
        """Pass the closing handshake on."""
        self.relay.closing(self, code, reason)

    def close_answered(self, code: int | None, reason: bytes) -> None:
        """Pass the answer on."""
        self.relay.closed(self, (code, reason))

    def close_refused(self) -> None:
        """Treat a malformed close frame as a broken rule."""
        self.relay.close_malformed(self)

    # From the relay.

    @property
    def closing(self) -> bool:
        """Whether a close frame for the peer was sent, or waits for a frame boundary."""
        return self._leg is not None and not self._leg.open

    def close(self, code: int | None, reason: bytes = b"") -> None:
        """Start the closing handshake; without effect where a close frame was sent before."""
        self._speaker().close(code, reason)

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        (self._leg or Leg(self)).ping()  # nothing of it needs to be remembered

    def settle(self, answer: Answer | None) -> None:
        """Answer the peer's close frame, if it waits for that: with the far side's answer, or else its own code."""
        due, self.due = self.due, None
        if due is not None:
            self._speaker().answer(*(answer or due))

    def end(self) -> None:
        """Close our half."""
        if not self.ended:
            self.ended = True
            outlet, self.outlet = self.outlet, DISCARD
            outlet.send_data(b"", True)

    def release(self) -> None:
        """Let go of a peer that is lost."""
        self.ended = self.gone = True
        self.outlet = DISCARD

    def forget(self) -> None:
        """The socket is over: nothing is said, read or reported any more, and the far side is let go of."""
        self.release()
        self.pipe.input = Input.CLOSED
        self.far = GONE
        if self._leg is not None:
            self._leg.detach()

    def _speaker(self) -> Leg:
        """Give this side's leg; it is made once a close frame goes or comes, so most sockets have none."""
        leg = self._leg
        if leg is None:
            leg = self._leg = Leg(self)
        return leg


def _gone() -> Side:
    relay = cast("SocketRelay", None)  # nobody calls this side, so it reports nothing
    side = Side(
        relay, FramePipe(masked=False, extended=False, max_frame=ByteCount(0), max_message=ByteCount(0)), DISCARD
    )
    side.far = side
    side.pipe.output_open = False
    side.release()
    return side


GONE: Final = _gone()
"""Stands where a side was once its socket is over: sides and relay hold each other only until then."""
