"""The lower seam: what front ends owe the core, and the reverse, in every HTTP version.

One event carries everything that arrived together and one message leaves in one write. Framing belongs below:
nobody above writes Transfer-Encoding, chunk sizes or pseudo-header fields.

Who speaks to whom:

    front end (ServerStream)  --StreamHandler-->  web.request.Request  --ClientStream-->  upstream or another leaf
    front end (ServerStream)  <--send_*---------  web.request.Request  <--ResponseSink--  upstream or another leaf
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.errors import GatewayError
from gateway.http.message import RequestHead, ResponseHead
from gateway.http.prepared import FinishedAnswer


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """The other end of a connection: plain data, so that nothing here knows Twisted.

    Attributes:
        host: IP address in text form; empty for a UNIX socket.
        port: Port number; 0 for a UNIX socket.
    """

    host: str
    port: int


class StreamHandler(Protocol):
    """Receives what the client sends after the head; implemented by `web.request.Request`."""

    def data_received(self, data: bytes, end: bool) -> None:
        """Take content (opaque octets in a tunnel); `end` says that none follows."""

    def trailers_received(self, block: bytes) -> None:
        """Take the trailer section as a block of field lines; ends the content."""

    def stream_broken(self, error: GatewayError) -> None:
        """Learn that the content breaks the protocol or came too slowly; the client can still be answered."""

    def stream_lost(self, error: GatewayError) -> None:
        """Learn that the client is gone: at most once, nothing comes after it."""

    def pause_writing(self) -> None:
        """Stop sending: the client reads slowly."""

    def resume_writing(self) -> None:
        """Send again."""


class ServerStream(Protocol):
    """What carries one exchange downstream; implemented by `server.*`.

    After a head with status 101 (or 200 to an Extended CONNECT) it is a tunnel: `send_data` and `data_received`
    carry opaque octets.

    Attributes:
        handler: Who receives the rest of the request; set by the core while it handles the head.
        peer: The connection's other end.
        local_port: Port the client connected to; 0 for a UNIX socket.
        secure: Whether the connection uses TLS.
        trusted: Whether the other end is a trusted proxy, whose forwarding fields hold.
        forwarded: X-Forwarded-For, -Proto and -Port lines of this connection, made once.
    """

    handler: StreamHandler
    peer: PeerAddress
    local_port: int
    secure: bool
    trusted: bool
    forwarded: bytes

    def send_informational(self, head: ResponseHead) -> None:
        """Send a 1xx head; dropped where the client speaks HTTP/1.0."""

    def send_head(self, head: ResponseHead, extra: bytes, data: bytes, end: bool) -> None:
        """Send the head with `extra` field lines, the first content, and perhaps the end, in one write."""

    def send_finished(self, answer: FinishedAnswer, extra: bytes, whole: bool) -> None:
        """Send a response made beforehand, with `extra` field lines, and with its content where it is sent `whole`."""

    def send_data(self, data: bytes, end: bool) -> None:
        """Send content."""

    @property
    def takes_descriptors(self) -> bool:
        """Whether the content of the response under way may come by `send_from`."""

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send content straight from a descriptor, as much as the client takes now; see `BulkSink`."""

    def send_trailers(self, block: bytes) -> None:
        """Send a trailer section, where the client takes one, and end the message."""

    def reset(self, error: GatewayError) -> None:
        """Give the exchange up so that the client cannot take it for complete."""

    def pause_body(self) -> None:
        """Stop the client's content."""

    def resume_body(self) -> None:
        """Let the client's content come again."""


class ClientStream(Protocol):
    """What produces the response and takes the request's content: an upstream exchange or another leaf's."""

    def send_data(self, data: bytes, end: bool) -> None:
        """Take request content (opaque octets in a tunnel)."""

    def send_trailers(self, block: bytes) -> None:
        """Take the request's trailer section; ends the content."""

    def reset(self, error: GatewayError) -> None:
        """Give up: the client is gone, or the answer was made elsewhere. The sink is not called again."""

    def pause_body(self) -> None:
        """Stop the response's content: the client reads slowly."""

    def resume_body(self) -> None:
        """Let the response's content come again."""


class BulkSink(Protocol):
    """Takes content of a response from descriptors, so that it need not come into this process."""

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send content as far as the client takes it now; its end is told by `send_data` afterwards.

        Args:
            descriptor: A file, or a pipe that holds at least `length` octets.
            offset: Where to begin in the file; None for a pipe.
            length: Octets to send.
            following: Octets of content that come behind these.

        Returns:
            Octets sent; where that is not all, the producer is paused, and resumed later.

        Raises:
            EOFError: The file ends at or before `offset`.
            OSError: The file cannot be read.
        """


class ResponseSink(Protocol):
    """Takes a response; implemented by `web.request.Request`, used by every leaf and by upstream exchanges."""

    def send_informational(self, head: ResponseHead) -> None:
        """Pass on a 1xx head other than 101."""

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Pass on the head with the first content."""

    def send_data(self, data: bytes, end: bool) -> None:
        """Pass on content."""

    def bulk(self) -> BulkSink | None:
        """Give what takes content from descriptors, where its length is known; None where it must come as octets."""

    def send_trailers(self, block: bytes) -> None:
        """Pass on the trailer section; ends the message."""

    def fail(self, error: GatewayError) -> None:
        """Report that no (complete) response will come."""

    def pause_body(self) -> None:
        """Stop the request's content: the producer of the response cannot take more."""

    def resume_body(self) -> None:
        """Let the request's content come again."""


class StreamServer(Protocol):
    """The core as a front end sees it; implemented by `core.Core`."""

    def handle(self, stream: ServerStream, head: RequestHead, data: bytes, end: bool) -> None:
        """Take a complete head with the content that came along; sets `stream.handler`."""

    def refuse(self, stream: ServerStream, error: GatewayError, head: RequestHead | None) -> None:
        """Answer what is not a request: send an error response and log it; sets `stream.handler`."""


class Discard:
    """A handler, a client stream and the sending half of a server stream, ignoring everything: the exchange is over."""

    __slots__ = ()
    secure = False
    takes_descriptors = False

    def data_received(self, data: bytes, end: bool) -> None:
        """Ignore content."""

    def trailers_received(self, block: bytes) -> None:
        """Ignore trailers."""

    def stream_broken(self, error: GatewayError) -> None:
        """Ignore the error."""

    def stream_lost(self, error: GatewayError) -> None:
        """Ignore the loss."""

    def pause_writing(self) -> None:
        """Ignore back-pressure."""

    def resume_writing(self) -> None:
        """Ignore back-pressure."""

    def send_informational(self, head: ResponseHead) -> None:
        """Ignore a 1xx head."""

    def send_head(self, head: ResponseHead, extra: bytes, data: bytes, end: bool) -> None:
        """Ignore a head."""

    def send_finished(self, answer: FinishedAnswer, extra: bytes, whole: bool) -> None:
        """Ignore a response."""

    def send_data(self, data: bytes, end: bool) -> None:
        """Ignore content."""

    def send_from(self, descriptor: int, offset: int | None, length: int, following: int) -> int:
        """Send nothing."""
        return 0

    def send_trailers(self, block: bytes) -> None:
        """Ignore trailers."""

    def reset(self, error: GatewayError) -> None:
        """Ignore the reset."""

    def pause_body(self) -> None:
        """Ignore back-pressure."""

    def resume_body(self) -> None:
        """Ignore back-pressure."""


DISCARD = Discard()
