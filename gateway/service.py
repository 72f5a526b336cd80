"""The composition root: start and stop of a gateway."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway import FORM
from gateway.certificates import Certificates
from gateway.client_limits import connection_limits, connections_allowed
from gateway.compile import Compiler
from gateway.config.last_good import KeptVersions
from gateway.config.model import GatewayConfig, Limits, LogSettings
from gateway.config.site_folder import SiteFolder
from gateway.config.watch import FolderWatch
from gateway.context import BuildContext
from gateway.core import Core
from gateway.filters.security_headers import SecurityHeaders
from gateway.http.dates import http_date
from gateway.http.forwarding import TrustedProxies, Via, connection_lines
from gateway.http.stream import PeerAddress
from gateway.https import SecureSites
from gateway.net.disk import DiskThreads
from gateway.net.listeners import ListenError
from gateway.net.listening import ListenerService
from gateway.net.pipes import Pipes
from gateway.net.sweeper import Sweeper
from gateway.observe.access_log import AccessLog
from gateway.observe.incidents import Incidents
from gateway.observe.log_file import LogFolder, standard_output_is_dropped
from gateway.observe.log_writer import LogWriter
from gateway.observe.request_ids import RequestIds
from gateway.options import Options
from gateway.reload import Reloader
from gateway.resources.challenge import ChallengeAnswers
from gateway.resources.page import ErrorPages
from gateway.resources.refusal import Silence
from gateway.resources.websocket_registry import OpenSockets
from gateway.server.listener import Front, FrontFactory
from gateway.signals import on_signal
from gateway.sites import SiteTable
from gateway.units import Seconds
from gateway.upstream.pool import UpstreamRegistry
from gateway.web.tree import VirtualHosts

log = Logger()

SWEEP: Final = Seconds(1)
"""How often deadlines are looked at, the date is set and the log written out."""

LOG_PATIENCE: Final = Seconds(5)
"""How long a stop waits for the access log to be written."""


class FilesWatch(Protocol):
    """What notices changed files."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> Deferred[None]:
        """End; fires once it is over."""


Soon = Callable[[Callable[[], object]], object]
WatchFiles = Callable[[Path, Soon, Callable[[], object]], FilesWatch]


class Gateway(Service):
    """A running gateway.

    Args:
        folder: The folder of site files.
        reactor: The reactor.
        watch: Makes what notices changed files, of the folder, of what runs a function in the reactor's thread, and of
            what to call there.
    """

    def __init__(self, folder: Path, reactor: IReactorTime, watch: WatchFiles = FolderWatch) -> None:
        self.folder = folder
        self._reactor = reactor
        self._listeners: list[ListenerService] = []
        self._ticks: LoopingCall | None = None
        self._sweeper = Sweeper()
        self._disk = DiskThreads(reactor)
        self._pipes = Pipes()
        self._sockets = OpenSockets(_monotonic)
        self._sweeper.add(self._sockets)
        self._watch_files = watch
        self._watch: FilesWatch | None = None
        self._ignore_hangup: Callable[[], object] = _nothing
        self._ignore_rotation: Callable[[], object] = _nothing
        self._reloader: Reloader | None = None
        self._kept: KeptVersions | None = None
        self._core: Core | None = None
        self._front: Front | None = None
        self._log_writer = LogWriter(LogFolder(None))
        self._access_log: AccessLog | None = None
        self._certificates: Certificates | None = None
        self._limits = Limits()
        self._log_settings = LogSettings()
        self._secure: SecureSites | None = None

    def privilegedStartService(self) -> None:
        """Load the site files and bind the listeners, before privileges are dropped.

        Raises:
            SystemExit: gateway.toml is wrong or a listener cannot be opened; the reason was logged.
        """
        folder = SiteFolder(self.folder, os.environ)
        config = self._read(folder)
        self._secure = SecureSites(config, _monotonic)
        self._front = self._assemble(folder, config, self._secure)
        self._add_listeners(self._front, config, self._secure)
        try:
            for service in self._listeners:
                service.privilegedStartService()
        except ListenError as error:
            log.error("{error}", error=error)
            raise SystemExit(f"gateway: {error}") from None

    def startService(self) -> None:
        """Serve."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's Service has no annotations
        if self._reloader is None:
            raise RuntimeError("startService before privilegedStartService")
        log.info("running {form}", form=FORM)
        self._disk.start()
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = self._reactor
        self._ticks.start(SWEEP).addErrback(_log_bug)
        for service in self._listeners:
            service.startService()
        # From here on with the rights that stay: what is written now can be written later.
        if self._kept is not None:
            self._kept.begin()
        call = cast("IReactorFromThreads", self._reactor).callFromThread
        self._watch = self._watch_files(self.folder, call, self._reloader.touch)
        self._watch.start()
        if self._certificates is not None:
            self._certificates.start()
        self._ignore_hangup = on_signal(signal.SIGHUP, self._reloader.hang_up, call)
        self._ignore_rotation = on_signal(signal.SIGUSR1, self._reopen_logs, call)
        gc.collect()
        gc.freeze()  # what stands now stays: collections under load look at connections only

    def stopService(self) -> Deferred[None]:
        """Stop accepting, let exchanges end within the limit, then cut."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's Service has no annotations
        front = self._front
        if front is None or front.stopping:
            return succeed(None)
        self._ignore_hangup()
        self._ignore_rotation()
        if self._certificates is not None:
            self._certificates.stop()
        if self._reloader is not None:
            self._reloader.stop()
        watch_ended = succeed(None) if self._watch is None else self._watch.stop()
        stopped = gatherResults([service.stopService() for service in self._listeners])
        stopped.addCallback(lambda _: watch_ended)
        done: Deferred[None] = stopped.addCallback(lambda _: self._drain(front))
        return done.addBoth(self._end)

    # Putting the parts together.

    def _read(self, folder: SiteFolder) -> GatewayConfig:
        """Read the site files for the first time.

        Raises:
            SystemExit: The folder cannot be read, or gateway.toml is wrong.
        """
        try:
            for _ in folder.refresh():
                pass
        except OSError as error:
            raise SystemExit(f"gateway: the folder of site files cannot be read: {error}") from None
        if folder.config is None:
            for problem in folder.errors:
                log.error("{error}", error=problem)
            raise SystemExit("gateway: gateway.toml cannot be used; `gateway check` shows every error")
        return folder.config

    def _assemble(self, folder: SiteFolder, config: GatewayConfig, secure: SecureSites) -> Front:
        errors = ErrorPages()
        trusted = _trusted(config)
        context = BuildContext(
            reactor=self._reactor,
            clock=_monotonic,
            wall_clock=_wall_clock,
            sweeper=self._sweeper,
            disk=self._disk,
            upstreams=UpstreamRegistry(),
            via=Via(f"gateway-{secrets.token_hex(4)}"),
            pipes=self._pipes,
        )
        certificates = self._certificates = Certificates(config, secure.names, self._reactor, _wall_clock)
        core = self._core = Core(
            VirtualHosts({}),
            errors,
            self._open_log(config.log),
            clock=_monotonic,
            new_id=RequestIds(os.urandom).next_line,
            trusted=trusted,
            added=SecurityHeaders().constant_fields(secure=False),
            challenges=ChallengeAnswers(certificates.tokens),
        )
        front = Front(
            core,
            connection_limits(config.limits),
            self._sweeper,
            connections=connections_allowed(config.limits),
            per_client=config.limits.connections_per_client,
            trusted=trusted.is_trusted,
        )
        self._limits = config.limits

        def swap(tree: VirtualHosts) -> None:
            secure.use(table.sites)
            certificates.set_sites(table.sites, table.refused)
            core.tree = tree

        self._kept = KeptVersions(Path(config.state) / "sites", os.environ)
        unknown = Silence() if config.unknown_host == "close" else None
        compiler = Compiler(context, errors, self._sockets, secure.place)
        table = SiteTable(compiler, context.upstreams, swap, self._kept, unknown)
        self._reloader = Reloader(self._reactor, folder, table, self._configure, self._sockets.close_site)
        self._reloader.start()
        return front

    def _configure(self, config: GatewayConfig) -> None:
        """Put new settings of gateway.toml into effect, those that can change while it runs."""
        core, front = self._core, self._front
        if core is None or front is None:
            return
        limits = self._limits = config.limits
        front.limits = connection_limits(limits)
        front.connections = connections_allowed(limits)
        front.per_client = limits.connections_per_client
        core.trusted = _trusted(config)
        front.trusted = core.trusted.is_trusted
        if config.log != self._log_settings:
            core.log = self._open_log(config.log)

    def _open_log(self, settings: LogSettings) -> Incidents:
        if self._access_log is not None:
            self._access_log.flush()
        self._log_settings = settings
        folder = Path(settings.folder) if settings.folder else None
        if folder is None and standard_output_is_dropped():
            log.warn("no access log is kept: standard output goes nowhere, and [log] in gateway.toml has no `folder`")
        self._log_writer.move(LogFolder(folder, settings.max_size, settings.keep))
        access_log = AccessLog(self._log_writer.write, _wall_clock, settings.format, skip=settings.skip)
        self._access_log = access_log
        return Incidents(access_log, _monotonic, lambda sentence: log.warn("{sentence}", sentence=sentence))

    def _reopen_logs(self) -> None:
        """Let access logs be rotated: what is gathered goes to the old files, what follows to new ones."""
        if self._access_log is not None:
            self._access_log.flush()
        self._log_writer.reopen()

    def _add_listeners(self, front: Front, config: GatewayConfig, secure: SecureSites) -> None:
        source = f"{self.folder}/gateway.toml"
        for listener in config.http:
            factory = FrontFactory(front, listener.port, _connection_lines)
            self._listeners.append(ListenerService(self._reactor, listener, factory, f"{source}: http"))
        for listener in config.https:
            factory = FrontFactory(front, listener.port, _connection_lines, secure.names)
            service = ListenerService(self._reactor, listener, factory, f"{source}: https", secure.names)
            self._listeners.append(service)

    def _tick(self) -> None:
        if self._front is not None:
            self._front.date_line = b"Date: %b\r\n" % http_date(_wall_clock())
        if self._access_log is not None:
            self._access_log.flush()
        self._log_writer.look()
        if self._secure is not None:
            self._secure.look()
        self._sweeper.sweep(_monotonic())

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
        self._disk.stop()
        self._pipes.close()
        self._log_writer.stop(LOG_PATIENCE)


def makeService(options: Options) -> Gateway:
    """Make the service of `twistd gateway`."""
    from twisted.internet import reactor  # the one place where it is taken from the process

    return Gateway(options.folder, reactor)


def _trusted(config: GatewayConfig) -> TrustedProxies:
    return TrustedProxies(config.trusted_proxies, config.client_ip_header or "")


def _connection_lines(peer: PeerAddress, secure: bool, port: int) -> bytes:
    return connection_lines(peer.host, port, secure)


_monotonic = cast("Callable[[], Seconds]", time.monotonic)  # called several times in each exchange: no frame of ours


def _wall_clock() -> Seconds:
    return Seconds(time.time())


def _nothing() -> None:
    """Undo nothing."""


def _log_bug(failure: Failure) -> None:
    log.failure("a task of the gateway failed", failure)
