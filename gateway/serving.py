"""Who serves requests in one process: the front of connections, the core, the log, and an end without haste."""

from __future__ import annotations

import gc
import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import random
from socket import socket
from typing import Final, cast

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.client_limits import connection_limits, connections_allowed
from gateway.compile import Compiler
from gateway.config.model import BrokenSite, GatewayConfig, LogSettings, Site
from gateway.context import BuildContext
from gateway.core import Core
from gateway.filters.security_headers import SecurityHeaders
from gateway.http.dates import http_date
from gateway.http.forwarding import TrustedProxies, Via, connection_lines
from gateway.http.stream import PeerAddress
from gateway.https import SecureSites
from gateway.net.disk import Disk, DiskThreads
from gateway.net.listening import ListenerService
from gateway.net.pipes import Pipes
from gateway.net.sweeper import Sweeper
from gateway.observe.access_log import AccessLog
from gateway.observe.incidents import Incidents
from gateway.observe.log_file import LogFolder, standard_output_is_dropped
from gateway.observe.log_writer import LogWriter
from gateway.observe.request_ids import RequestIds
from gateway.resources.challenge import ChallengeAnswers
from gateway.resources.page import ErrorPages
from gateway.resources.refusal import Silence
from gateway.resources.websocket_registry import OpenSockets
from gateway.server.listener import Front, FrontFactory
from gateway.sticky_key import KeyWhenNeeded
from gateway.units import Seconds
from gateway.upstream.health import HealthChecks
from gateway.upstream.pool import UpstreamRegistry
from gateway.upstream.sticky import StickyKey
from gateway.web.resource import Resource
from gateway.web.tree import VirtualHosts

log = Logger()

SWEEP: Final = Seconds(1)
"""How often deadlines are looked at, the date is set and the log written out."""

MANY_CLIENTS: Final = 1000
"""Clients with many connections that other processes are told of."""

LOG_PATIENCE: Final = Seconds(5)
"""How long a stop waits for the access log to be written."""


class Serving:
    """Serves requests in this process; implements `gateway.service.Servers`.

    Args:
        folder: The folder of site files, for log lines.
        config: The machine's settings.
        reactor: The reactor.
        secure: The certificates.
        tokens: What the challenge http-01 is answered with.
        via: Our name in Via where there are several processes, so that a loop is seen whichever it leads through. Their
            leader also says where to listen, what is down, and the key of sticky sessions. None where there is one.

    Attributes:
        sticky: The key of cookies that name upstreams.
    """

    def __init__(
        self,
        folder: Path,
        config: GatewayConfig,
        reactor: IReactorTime,
        secure: SecureSites,
        tokens: Mapping[bytes, bytes],
        via: str | None = None,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._elsewhere = 0
        self._shared = via is not None
        self._ticks: LoopingCall | None = None
        self._sweeper = Sweeper()
        self._disk = DiskThreads(reactor)
        self._pipes = Pipes()
        self.sockets = OpenSockets(monotonic)
        self._sweeper.add(self.sockets)
        self._access_log: AccessLog | None = None
        self.log_writer = LogWriter(LogFolder(None))
        self.upstreams = UpstreamRegistry()
        self._checks = HealthChecks(self.upstreams, reactor, random) if via is None else None
        self.sticky = StickyKey()
        self._kept_key = KeyWhenNeeded(Path(config.state), self._take_key) if via is None else None
        self.unknown = unknown_hosts(config)
        errors = ErrorPages()
        name = Via(via or own_name())
        context = build_context(reactor, self._sweeper, self._disk, self.upstreams, name, self._pipes, self.sticky)
        self.compiler = Compiler(context, errors, self.sockets, secure.place)
        trusted = _trusted(config)
        self._core = Core(
            VirtualHosts({}),
            errors,
            self._open_log(config.log),
            clock=monotonic,
            new_id=RequestIds(os.urandom).next_line,
            trusted=trusted,
            added=SecurityHeaders().constant_fields(secure=False),
            challenges=ChallengeAnswers(tokens),
        )
        self.front = Front(
            self._core,
            connection_limits(config.limits),
            self._sweeper,
            connections=connections_allowed(config.limits),
            per_client=config.limits.connections_per_client,
            trusted=trusted.is_trusted,
        )
        self._folder = folder
        self._secure = secure
        self._listeners = [] if via is not None else self._make_listeners([])

    def bind(self) -> None:
        """Bind the listeners, while that is permitted.

        Raises:
            ListenError: One cannot be opened.
        """
        for service in self._listeners:
            service.privilegedStartService()

    def start(self) -> None:
        """Accept connections."""
        if self._kept_key is not None:
            self._kept_key.start()
        if self._checks is not None:
            self._checks.start()
        self._disk.start()
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = self._reactor
        self._ticks.start(SWEEP).addErrback(_log_bug)
        for service in self._listeners:
            service.startService()
        gc.collect()
        gc.freeze()  # what stands now stays: collections under load look at connections only

    def accept_from(self, sockets: Sequence[Sequence[socket]]) -> list[ListenerService]:
        """Accept also from sockets that another process has bound.

        Args:
            sockets: Those of each listener, of `http` first.

        Returns:
            What can be given to `accept_no_more`.
        """
        added = self._make_listeners(sockets)
        for service in added:
            service.startService()
        self._listeners += added
        return added

    def accept_no_more(self, listeners: Iterable[ListenerService]) -> None:
        """Leave sockets to others; connections that are up stay up."""
        for service in listeners:
            self._listeners.remove(service)
            service.stopService()

    def use(self, tree: VirtualHosts, sites: Iterable[Site], refused: Iterable[BrokenSite]) -> None:
        """Serve a new tree."""
        if self._kept_key is not None:
            self._kept_key.use(sites)
        self._core.tree = tree

    def close_site(self, name: str) -> None:
        """Close the WebSockets of a site that is gone."""
        self.sockets.close_site(name)

    def configure(self, config: GatewayConfig) -> None:
        """Put new settings of gateway.toml into effect, those that can change at run time."""
        before, self._config = self._config, config
        front, limits = self.front, config.limits
        front.limits = connection_limits(limits)
        self.count_elsewhere(self._elsewhere, front.elsewhere)
        front.per_client = limits.connections_per_client
        self._core.trusted = _trusted(config)
        front.trusted = self._core.trusted.is_trusted
        if config.log != before.log:
            self._core.log = self._open_log(config.log)

    def count_elsewhere(self, connections: int, clients: Mapping[str, int]) -> None:
        """Take into account what other processes have: a limit that is set is one of all together.

        Args:
            connections: All their connections.
            clients: Those of clients that have many.
        """
        self._elsewhere = connections
        self.front.elsewhere = clients
        limits = self._config.limits
        allowed = connections_allowed(limits)
        self.front.connections = allowed if limits.connections is None else max(0, allowed - connections)

    def clients_with_many(self) -> dict[str, int]:
        """Find clients that other processes should know of: without them, none is over the limit by half of it."""
        least = self._config.limits.connections_per_client // (2 * self._config.workers)
        return self.front.busiest(max(1, least), MANY_CLIENTS)

    def reopen_logs(self) -> None:
        """Let access logs be rotated: what is gathered goes to the old files, what follows to new ones."""
        if self._access_log is not None:
            self._access_log.flush()
        self.log_writer.reopen()

    def stop(self) -> Deferred[None]:
        """Accept no more, let exchanges end within the limit, then cut; fires once all is over."""
        if self._checks is not None:
            self._checks.stop()
        stopped = gatherResults([service.stopService() for service in self._listeners])
        done: Deferred[None] = stopped.addCallback(lambda _: self._drain(self.front))
        return done.addBoth(self._end)

    def cut(self) -> None:
        """Cut what a stop still waits for."""
        self.front.abort()

    # Putting the parts together.

    def _open_log(self, settings: LogSettings) -> Incidents:
        if self._access_log is not None:
            self._access_log.flush()
        folder = Path(settings.folder) if settings.folder else None
        if folder is None and standard_output_is_dropped():
            log.warn("no access log is kept: standard output goes nowhere, and [log] in gateway.toml has no `folder`")
        self.log_writer.move(LogFolder(folder, settings.max_size, settings.keep, shared=self._shared))
        access_log = AccessLog(self.log_writer.write, wall_clock, settings.format, skip=settings.skip)
        self._access_log = access_log
        return Incidents(access_log, monotonic, lambda sentence: log.warn("{sentence}", sentence=sentence))

    def _make_listeners(self, bound: Sequence[Sequence[socket]]) -> list[ListenerService]:
        source, config, secure = f"{self._folder}/gateway.toml", self._config, self._secure
        made = []
        for listener in config.http:
            factory = FrontFactory(self.front, listener.port, _connection_lines)
            made.append(partial(ListenerService, self._reactor, listener, factory, f"{source}: http"))
        for listener in config.https:
            factory = FrontFactory(self.front, listener.port, _connection_lines, secure.names)
            made.append(partial(ListenerService, self._reactor, listener, factory, f"{source}: https", secure.names))
        if not bound:
            return [make() for make in made]
        return [make(bound=sockets) for make, sockets in zip(made, bound, strict=True) if sockets]

    def _take_key(self, key: bytes) -> None:
        self.sticky.octets = key

    def _tick(self) -> None:
        self.front.date_line = b"Date: %b\r\n" % http_date(wall_clock())
        if self._access_log is not None:
            self._access_log.flush()
        self.log_writer.look()
        self._sweeper.sweep(monotonic())

    # Stopping.

    def _drain(self, front: Front) -> Deferred[None]:
        emptied: Deferred[None] = Deferred()
        front.emptied = lambda: emptied.callback(None)
        self.sockets.close_all()
        front.stop()
        if not len(front):
            front.emptied = None
            return succeed(None)
        log.info("stopping: {count} connections are still busy", count=len(front))
        late = self._reactor.callLater(self._config.limits.stop, front.abort)
        return emptied.addBoth(lambda _: late.cancel() if late.active() else None)

    def _end(self, _: object) -> None:
        if self._ticks is not None and self._ticks.running:
            self._ticks.stop()
        if self._access_log is not None:
            self._access_log.flush()
        self._disk.stop()
        self._pipes.close()
        self.log_writer.stop(LOG_PATIENCE)


def build_context(
    reactor: IReactorTime,
    sweeper: Sweeper,
    disk: Disk,
    upstreams: UpstreamRegistry,
    via: Via,
    pipes: Pipes | None = None,
    sticky: StickyKey | None = None,
) -> BuildContext:
    """Put together what sites are built with, at the times of this process."""
    return BuildContext(
        reactor=reactor,
        clock=monotonic,
        wall_clock=wall_clock,
        sweeper=sweeper,
        disk=disk,
        pipes=pipes,
        upstreams=upstreams,
        via=via,
        sticky=sticky or StickyKey(),
    )


def unknown_hosts(config: GatewayConfig) -> Resource | None:
    """Choose who answers for hosts of no site."""
    return Silence() if config.unknown_host == "close" else None


def own_name() -> str:
    """Make our name in Via, so that a loop back to us is seen."""
    return f"gateway-{secrets.token_hex(4)}"


monotonic = cast("Callable[[], Seconds]", time.monotonic)  # called several times in each exchange: no frame of ours
"""Tells the time for deadlines."""


def wall_clock() -> Seconds:
    """Tell the time for people, in seconds since 1970."""
    return Seconds(time.time())


def _trusted(config: GatewayConfig) -> TrustedProxies:
    return TrustedProxies(config.trusted_proxies, config.client_ip_header or "")


def _connection_lines(peer: PeerAddress, secure: bool, port: int) -> bytes:
    return connection_lines(peer.host, port, secure)


def _log_bug(failure: Failure) -> None:
    log.failure("a task of the gateway failed", failure)
