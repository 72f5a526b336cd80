"""The core that front ends hand requests to: makes a `Request` of each and answers what goes wrong."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from gateway.errors import GatewayError
from gateway.http.forwarding import TrustedProxies
from gateway.http.message import Framing, RequestHead
from gateway.http.stream import ServerStream
from gateway.resources.challenge import ChallengeAnswers
from gateway.units import Seconds
from gateway.web.request import ErrorAnswers, ExchangeLog, Request
from gateway.web.resource import Resource
from gateway.web.tree import AddedFields, LocationResource

log = Logger()


class Core:
    """Takes every request of the process; implements `StreamServer` and `Runtime`.

    Args:
        tree: The root of the resource tree; replaced as a whole by a reload.
        errors: Answers errors of requests that no site takes.
        log: Where finished exchanges go.
        clock: Monotonic seconds.
        new_id: A fresh request id as a finished field line.
        trusted: Whose forwarding fields hold.
        added: Fields that answers get which no site makes.
        challenges: Answers an authority that validates a name, before everything else.
    """

    __slots__ = ("_nowhere", "challenges", "clock", "log", "new_id", "tree", "trusted")

    def __init__(
        self,
        tree: Resource,
        errors: ErrorAnswers,
        log: ExchangeLog,
        *,
        clock: Callable[[], Seconds],
        new_id: Callable[[], bytes],
        trusted: TrustedProxies,
        added: AddedFields = AddedFields(),
        challenges: ChallengeAnswers | None = None,
    ) -> None:
        self.tree = tree
        self.log = log
        self.clock = clock
        self.new_id = new_id
        self.trusted = trusted
        self._nowhere = LocationResource(Resource(), errors, added=added)
        self.challenges = challenges if challenges is not None else ChallengeAnswers({})

    def handle(self, stream: ServerStream, head: RequestHead, data: bytes, end: bool) -> None:
        """Take a complete head with the content that came along."""
        request = Request(stream, head, self, self._nowhere)
        stream.handler = request
        try:
            if stream.trusted:
                self._believe(request)
            elif self.trusted.reads_client_ip:
                self.trusted.disbelieve(head)
            if self.challenges.tokens and self.challenges.takes(request):
                self.challenges.render(request, data, end)
            else:
                self.tree.render(request, data, end)
        except GatewayError as error:
            request.fail(error)
        except Exception:
            log.failure("a request could not be handled: {method} {host}", method=head.method, host=head.hostname)
            request.fail(GatewayError("the request could not be handled"))

    def refuse(self, stream: ServerStream, error: GatewayError, head: RequestHead | None) -> None:
        """Answer what is not a request."""
        request = Request(stream, head or _NO_HEAD, self, self._nowhere)
        stream.handler = request
        request.fail(error)

    def _believe(self, request: Request) -> None:
        """Take over what a trusted proxy says about the client."""
        stream = request.stream
        said = self.trusted.read(request.head, stream.peer.host, stream.local_port, stream.secure)
        request.client = said.client
        request.secure = said.secure
        request.forwarded = said.lines
        request.id_line = said.id_line or request.id_line


_NO_HEAD = RequestHead(b"", b"", 1, b"", b"", b"\r\n", b"", 0, Framing.NONE, 0, False, b"", False, 0)
