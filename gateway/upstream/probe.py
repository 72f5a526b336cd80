"""One health check: an upstream is asked on a connection of its own, and its answer judged.

It passes with a status from 200 to 299 whose content is complete, or longer than anybody needs, within the timeout.
When to ask, and what follows from the answers, is `gateway.upstream.health`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, cast

from pydantic import AfterValidator, Field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.errors import ClientDisconnected, GatewayError
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.net.pipes import Pipes
from gateway.net.sweeper import Sweeper
from gateway.protocol.http1_fields import HeadLimits
from gateway.settings import Duration, settings
from gateway.units import ByteCount, Seconds
from gateway.upstream.connection import ExchangeLimits
from gateway.upstream.exchange import UpstreamConnection

log = Logger()

ENOUGH: Final = ByteCount(65_536)
"""Octets of an answer's content that are read; what is longer has said that the app is well."""


def check_path(text: str) -> str:
    """Check the path of health checks.

    Raises:
        ValueError: It cannot be sent as it is.
    """
    if not _PATH.fullmatch(text):
        raise ValueError(f'expected a path of the app such as "/health", got {text!r}')
    return text


@settings
class Health:
    """Settings of health checks; the short form `"/health"` means the key `path`.

    Attributes:
        path: What the app is asked for; it is well if it answers with a status from 200 to 299.
        interval: How long after an answer it is asked again.
        timeout: How long an answer may take, connecting included.
        failures: Checks that must fail, one after the other, for nothing to be sent there any more.
        successes: Checks that must pass, one after the other, for it to be used again.
    """

    path: Annotated[str, AfterValidator(check_path)]
    interval: Duration = Field(default=Seconds(2), ge=0.1)  # FEATURES §5
    timeout: Duration = Field(default=Seconds(5), gt=0)  # FEATURES §5
    failures: int = Field(default=2, ge=1)  # FEATURES §5: one may be chance
    successes: int = Field(default=1, ge=1)  # FEATURES §5


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How an upstream is asked whether it is well.

    Attributes:
        health: What the site file says.
        host: Host to send: the site's name.
        alone: Whether the site has no other upstream, so that requests go to this one all the same.
    """

    health: Health
    host: bytes
    alone: bool


class Asked(Protocol):
    """An upstream as checks see it; implemented by `upstream.pool.Upstream`."""

    name: str
    host: bytes
    endpoint: IStreamClientEndpoint
    sweeper: Sweeper


class Probe:
    """One question.

    Args:
        upstream: Who is asked.
        check: How.
        reactor: For the timeout.
        done: Told once why the upstream is not well; nothing where it is.
    """

    def __init__(self, upstream: Asked, check: Check, reactor: IReactorTime, done: Callable[[str], object]) -> None:
        self._upstream = upstream
        self._check = check
        self._reactor = reactor
        self._done: Callable[[str], object] | None = done
        self._timer: IDelayedCall | None = None
        self._connecting: Deferred[None] | None = None
        self._connection: UpstreamConnection | None = None
        self._status = 0
        self._wrong = ""
        self._seen = 0

    def start(self) -> None:
        """Ask."""
        self._timer = self._reactor.callLater(self._check.health.timeout, self._late)
        opening = self._upstream.endpoint.connect(_Factory(_Home(self._upstream, self._check)))
        self._connecting = cast("Deferred[UpstreamConnection]", opening).addCallbacks(self._opened, self._failed)
        self._connecting.addErrback(self._bug)

    def cancel(self) -> None:
        """Ask no more; nobody is told anything."""
        self._done = None
        self._end("")

    # The connection.

    def _opened(self, connection: UpstreamConnection) -> None:
        if self._done is None:
            connection.drop()
            return
        self._connection = connection
        check = self._check
        target = check.health.path.encode("ascii")
        head = RequestHead(
            b"GET", target, 1, check.host, b"", b"\r\n", b"", 0, Framing.NONE, 0, False, b"", False, 0
        )  # fmt: skip
        connection.send_request(self, head, target, _FIELDS, b"", True)

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, GatewayError):
            self._end(self._reason(failure.value))
        elif not failure.check(CancelledError):
            self._bug(failure)

    def _bug(self, failure: Failure) -> None:
        log.failure("{upstream} could not be checked", failure, upstream=self._upstream.name)
        self._end("the check failed")

    def _late(self) -> None:
        what = "did not end its answer to" if self._status else "did not answer"
        self._end(self._wrong or f"it {what} {self._question} within {self._check.health.timeout:g} s")

    def _end(self, wrong: str) -> None:
        """Tell the verdict once, and leave nothing behind."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        done, self._done = self._done, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.reset(ClientDisconnected("the check is over"))
        if self._connecting is not None:
            self._connecting.cancel()
        if done is not None:
            done(wrong)

    # ResponseSink.

    def send_informational(self, head: ResponseHead) -> None:
        """Go on waiting for the answer."""

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Judge the answer by its status."""
        self._status = head.status
        if not 200 <= head.status <= 299:
            self._wrong = f"it answered {self._question} with {head.status}{_hint(head)}"
        self.send_data(data, end)

    def send_data(self, data: bytes, end: bool) -> None:
        """Let content pass until there was enough of it."""
        self._seen += len(data)
        if end or self._seen >= ENOUGH:
            self._end(self._wrong)

    def bulk(self) -> None:
        """Take no content from descriptors."""

    def send_trailers(self, block: bytes) -> None:
        """Learn that the answer is complete."""
        self._end(self._wrong)

    def fail(self, error: GatewayError) -> None:
        """Learn that no answer, or nothing more, will come."""
        self._end(self._wrong or self._reason(error))

    def pause_body(self) -> None:
        """Ignore: nothing more is sent."""

    def resume_body(self) -> None:
        """Ignore: nothing more is sent."""

    def _reason(self, error: GatewayError) -> str:
        """Say what went wrong, in a sentence that goes on from the upstream's name."""
        text, name = str(error), f"{self._upstream.name} "
        return f"it {text.removeprefix(name)}" if text.startswith(name) else text

    @property
    def _question(self) -> str:
        return f"GET {self._check.health.path}"


class _Home:
    """Where the connection of a check lives: nowhere, once it is over."""

    pipes: Pipes | None = None

    def __init__(self, upstream: Asked, check: Check) -> None:
        self.name = upstream.name
        self.host = upstream.host
        self.sweeper = upstream.sweeper
        timeout = check.health.timeout
        self.limits = ExchangeLimits(head=_HEAD, response_timeout=timeout, idle_timeout=timeout, keep_alive=timeout)

    def put_back(self, connection: UpstreamConnection) -> bool:
        """Have it closed."""
        return False

    def forget(self, connection: UpstreamConnection) -> None:
        """Ignore: nothing was kept."""


class _Factory(Factory):
    noisy = False

    def __init__(self, home: _Home) -> None:
        self._home = home

    def buildProtocol(self, addr: IAddress | None) -> TwistedProtocol:
        return cast("TwistedProtocol", UpstreamConnection(self._home))  # Twisted names a class where IProtocol would do


def _hint(head: ResponseHead) -> str:
    """Say what a redirect may come from: it is the one wrong answer of an app that is well."""
    if not 300 <= head.status <= 399:
        return ""
    place = (head.get(b"location") or b"")[:100]
    hint = f", a redirect to {place.decode('latin-1')!r}"
    if place.startswith(b"https:"):
        return f"{hint}: is it force_ssl? It needs rewrite_on: [:x_forwarded_proto] in the app's endpoint"
    return f"{hint}: `health` must name a path that is not redirected"


_FIELDS: Final = b"User-Agent: gateway-health\r\nX-Forwarded-Proto: https\r\nAccept: */*\r\nConnection: close\r\n"
_HEAD: Final = HeadLimits(size=ByteCount(16_000), line=ByteCount(8_000), count=100)
_PATH: Final = re.compile(r"/(?!/)[!\"$-~]*", re.ASCII)
