"""The composition root: start and stop of a gateway."""

from __future__ import annotations

import os
import resource
import secrets
import time
from pathlib import Path
from typing import Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.compile import Compiler, Https
from gateway.config.loader import load
from gateway.config.model import GatewayConfig, Limits, Loaded, Site
from gateway.context import BuildContext
from gateway.core import Core
from gateway.http.dates import http_date
from gateway.http.forwarding import TrustedProxies, Via, connection_lines
from gateway.http.stream import PeerAddress
from gateway.net.listeners import ListenError
from gateway.net.listening import ListenerService
from gateway.net.sweeper import Sweeper
from gateway.observe.access_log import AccessLog
from gateway.observe.log_file import LogFile
from gateway.observe.request_ids import RequestIds
from gateway.options import Options
from gateway.protocol.http1_fields import HeadLimits
from gateway.resources.page import ErrorPages
from gateway.resources.websocket_registry import OpenSockets
from gateway.server.http1 import ConnectionLimits
from gateway.server.listener import Front, FrontFactory
from gateway.tls.contexts import TICKET_LIFETIME
from gateway.tls.own import OwnCertificates, OwnFiles
from gateway.tls.sni import ServerNames
from gateway.units import Seconds
from gateway.upstream.pool import UpstreamRegistry

log = Logger()

SWEEP: Final = Seconds(1)
"""How often deadlines are looked at, the date is set and the log written out."""

LOOK: Final = Seconds(10)
"""How often the files of the sites' own certificates are looked at."""


class Gateway(Service):
    """A running gateway.

    Args:
        folder: The folder of site files.
        reactor: The reactor.
    """

    def __init__(self, folder: Path, reactor: IReactorTime) -> None:
        self.folder = folder
        self._reactor = reactor
        self._listeners: list[ListenerService] = []
        self._ticks: LoopingCall | None = None
        self._sweeper = Sweeper()
        self._sockets = OpenSockets(_monotonic)
        self._sweeper.add(self._sockets)
        self._loaded: Loaded | None = None
        self._front: Front | None = None
        self._access_log: AccessLog | None = None
        self._limits = Limits()
        self._names = ServerNames()
        self._own_certificates = OwnCertificates(self._names)
        self._tickets_since = _monotonic()
        self._files_seen = _monotonic()

    def privilegedStartService(self) -> None:
        """Load the site files and bind the listeners, before privileges are dropped.

        Raises:
            SystemExit: gateway.toml is wrong or a listener cannot be opened; the reason was logged.
        """
        loaded = self._loaded = load(self.folder, os.environ)
        for error in loaded.errors:
            log.error("{error}", error=error)
        if loaded.config is None:
            raise SystemExit("gateway: gateway.toml cannot be used; `gateway check` shows every error")
        self._front = self._assemble(loaded, loaded.config)
        self._add_listeners(self._front, loaded.config)
        try:
            for service in self._listeners:
                service.privilegedStartService()
        except ListenError as error:
            log.error("{error}", error=error)
            raise SystemExit(f"gateway: {error}") from None

    def startService(self) -> None:
        """Serve."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's Service has no annotations
        loaded = self._loaded
        if loaded is None or loaded.config is None:
            raise RuntimeError("startService before privilegedStartService")
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = self._reactor
        self._ticks.start(SWEEP).addErrback(_log_bug)
        for service in self._listeners:
            service.startService()
        for site in loaded.sites:
            log.info("serving {site}: {hosts}", site=site.name, hosts=", ".join(site.hosts) or "any other host")

    def stopService(self) -> Deferred[None]:
        """Stop accepting, let exchanges end within the limit, then cut."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's Service has no annotations
        front, self._front = self._front, None
        if front is None:
            return succeed(None)
        stopped = gatherResults([service.stopService() for service in self._listeners])
        done: Deferred[None] = stopped.addCallback(lambda _: self._drain(front))
        return done.addBoth(self._end)

    # Putting the parts together.

    def _assemble(self, loaded: Loaded, config: GatewayConfig) -> Front:
        self._names = ServerNames(config.tls)
        self._own_certificates = OwnCertificates(self._names)
        self._own_certificates.use(_own_files(site) for site in loaded.sites if site.cert)
        errors = ErrorPages()
        trusted = TrustedProxies(config.trusted_proxies, config.client_ip_header or "")
        context = BuildContext(
            reactor=self._reactor,
            clock=_monotonic,
            wall_clock=_wall_clock,
            sweeper=self._sweeper,
            upstreams=UpstreamRegistry(),
            via=Via(f"gateway-{secrets.token_hex(4)}"),
        )
        log_file = LogFile(Path(config.log.folder) / "access.log" if config.log.folder else None)
        self._access_log = AccessLog(log_file.write, _wall_clock, config.log.format)
        self._limits = config.limits
        core = Core(
            Compiler(context, errors, self._sockets, self._https(config)).tree(loaded),
            errors,
            self._access_log,
            clock=_monotonic,
            new_id=RequestIds(os.urandom).next_line,
            trusted=trusted,
        )
        return Front(
            core,
            _connection_limits(config.limits),
            self._sweeper,
            connections=config.limits.connections or _connections_allowed(),
            per_client=config.limits.connections_per_client,
            trusted=trusted.is_trusted,
        )

    def _add_listeners(self, front: Front, config: GatewayConfig) -> None:
        source = f"{self.folder}/gateway.toml"
        for listener in config.http:
            factory = FrontFactory(front, listener.port, _connection_lines)
            self._listeners.append(ListenerService(self._reactor, listener, factory, f"{source}: http"))
        for listener in config.https:
            factory = FrontFactory(front, listener.port, _connection_lines, self._names)
            service = ListenerService(self._reactor, listener, factory, f"{source}: https", self._names)
            self._listeners.append(service)

    def _https(self, config: GatewayConfig) -> Https | None:
        """Say where HTTPS is, for those who are redirected there."""
        if not config.https:
            return None
        ports = [listener.port for listener in config.https if listener.port]
        return Https(self._names.has_certificate, ports[0] if ports and 443 not in ports else 443)

    def _tick(self) -> None:
        if self._front is not None:
            self._front.date_line = b"Date: %b\r\n" % http_date(_wall_clock())
        if self._access_log is not None:
            self._access_log.flush()
        now = _monotonic()
        if now - self._tickets_since >= TICKET_LIFETIME:
            self._tickets_since = now
            self._names.rotate()
        if now - self._files_seen >= LOOK:
            self._files_seen = now
            self._own_certificates.refresh()
        self._sweeper.sweep(now)

    # Stopping.

    def _drain(self, front: Front) -> Deferred[None]:
        emptied: Deferred[None] = Deferred()
        front.emptied = lambda: emptied.callback(None)
        self._sockets.close_all()
        front.stop()
        if not len(front):
            front.emptied = None
            return succeed(None)
        log.info("stopping: {count} connections are still busy", count=len(front))
        late = self._reactor.callLater(self._limits.stop, front.abort)
        return emptied.addBoth(lambda _: late.cancel() if late.active() else None)

    def _end(self, _: object) -> None:
        if self._ticks is not None and self._ticks.running:
            self._ticks.stop()
        if self._access_log is not None:
            self._access_log.flush()


def makeService(options: Options) -> Gateway:
    """Make the service of `twistd gateway`."""
    from twisted.internet import reactor  # the one place where it is taken from the process

    return Gateway(options.folder, reactor)


def _own_files(site: Site) -> OwnFiles:
    names = (*site.hosts, *(f"*.{name}" for name in site.wildcards), *(("",) if site.default else ()))
    return OwnFiles(site.name, site.cert, site.key, names)


def _connection_limits(limits: Limits) -> ConnectionLimits:
    return ConnectionLimits(
        head=HeadLimits(size=limits.header_size, line=limits.header_line, count=limits.header_count),
        header_time=limits.header_time,
        keep_alive=limits.keep_alive,
        body_idle=limits.body_idle,
        body_rate=limits.body_rate,
        body_rate_after=limits.body_grace,
        write_idle=limits.write_idle,
    )


def _connections_allowed() -> int:
    """Derive the number of client connections from the limit of open files, each with one upstream connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < _FEW_FILES:
        log.warn(
            "only {count} files may be open: raise LimitNOFILE or `ulimit -n` to {few}", count=hard, few=_FEW_FILES
        )
    return max(16, int(hard * 0.9) // 2)


def _connection_lines(peer: PeerAddress, secure: bool, port: int) -> bytes:
    return connection_lines(peer.host, port, secure)


def _monotonic() -> Seconds:
    return Seconds(time.monotonic())


def _wall_clock() -> Seconds:
    return Seconds(time.time())


def _log_bug(failure: Failure) -> None:
    log.failure("a task of the gateway failed", failure)


_FEW_FILES: Final = 4096
