"""The composition root: start and stop of a gateway."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final, Protocol, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway import FORM
from gateway.certificates import Certificates
from gateway.compile import Compiler
from gateway.config.last_good import KeptVersions
from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.config.site_folder import SiteFolder
from gateway.config.watch import FolderWatch
from gateway.errors import GatewayError
from gateway.https import SecureSites
from gateway.net.listeners import ListenError
from gateway.options import Options
from gateway.reload import Reloader
from gateway.serving import Serving, monotonic, wall_clock
from gateway.signals import on_signal
from gateway.sites import SiteTable
from gateway.tls.responders import Ready, at_once
from gateway.units import Seconds
from gateway.upstream.pool import UpstreamRegistry
from gateway.web.resource import Resource
from gateway.web.tree import VirtualHosts
from gateway.workers.crew import Crew
from gateway.workers.link import attach
from gateway.workers.process import spawner

log = Logger()

LOOK: Final = Seconds(1)
"""How often it is looked whether certificates change with time."""
STOPPING: Final = (signal.SIGTERM, signal.SIGINT)
"""The signals to stop."""


class Servers(Protocol):
    """Who serves what the rest of the gateway decides: this process, or several.

    Attributes:
        compiler: Builds sites for it.
        upstreams: Their pools.
        unknown: Who answers for hosts of no site; None: they get 404.
    """

    compiler: Compiler
    upstreams: UpstreamRegistry
    unknown: Resource | None

    def bind(self) -> None:
        """Bind the listeners, while that is permitted.

        Raises:
            ListenError: One cannot be opened.
        """

    def start(self) -> None:
        """Accept connections.

        Raises:
            GatewayError: Nobody would accept them.
        """

    def use(self, tree: VirtualHosts, sites: Iterable[Site], refused: Iterable[BrokenSite]) -> None:
        """Serve these sites from now on; `tree` was built of them."""

    def close_site(self, name: str) -> None:
        """Close the WebSockets of a site that is gone."""

    def configure(self, config: GatewayConfig) -> None:
        """Put new settings of gateway.toml into effect, those that can change at run time."""

    def reopen_logs(self) -> None:
        """Open access logs anew, after they were renamed."""

    def stop(self) -> Deferred[None]:
        """Accept no more, let exchanges end within the limit, then cut; fires once all is over."""

    def cut(self) -> None:
        """Cut what a stop still waits for."""


class FilesWatch(Protocol):
    """What notices changed files."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> Deferred[None]:
        """End; fires once it is over."""


Soon = Callable[[Callable[[], object]], object]
WatchFiles = Callable[[Path, Soon, Callable[[], object]], FilesWatch]


class Gateway(Service):
    """A running gateway: it decides what is served and under which certificates; `Servers` serve it.

    Args:
        folder: The folder of site files.
        reactor: The reactor.
        watch: Makes what notices changed files, of the folder, of what runs a function in the reactor's thread, and of
            what to call there.

    Attributes:
        servers: Who serves; None before the start.
    """

    def __init__(self, folder: Path, reactor: IReactorTime, watch: WatchFiles = FolderWatch) -> None:
        self.folder = folder
        self.servers: Servers | None = None
        self._reactor = reactor
        self._ticks: LoopingCall | None = None
        self._watch_files = watch
        self._watch: FilesWatch | None = None
        self._ignore_signals: list[Callable[[], object]] = []
        self._reloader: Reloader | None = None
        self._kept: KeptVersions | None = None
        self._certificates: Certificates | None = None
        self._stopped = False

    def privilegedStartService(self) -> None:
        """Load the site files and bind the listeners, before privileges are dropped.

        Raises:
            SystemExit: gateway.toml is wrong or a listener cannot be opened; the reason was logged.
        """
        folder = SiteFolder(self.folder, os.environ)
        config = self._read(folder)
        servers = self._assemble(folder, config)
        try:
            servers.bind()
        except ListenError as error:
            log.error("{error}", error=error)
            raise SystemExit(f"gateway: {error}") from None

    def startService(self) -> None:
        """Serve.

        Raises:
            SystemExit: Nobody can; the reason was logged.
        """
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's Service has no annotations
        if self._reloader is None or self.servers is None or self._ticks is None:
            raise RuntimeError("startService before privilegedStartService")
        log.info("running {form}", form=FORM)
        self._ticks.clock = self._reactor
        self._ticks.start(LOOK).addErrback(_log_bug)
        try:
            self.servers.start()
        except GatewayError as error:
            raise SystemExit(f"gateway: {error}") from None
        # From here on with the rights that stay: what is written now can be written later.
        if self._kept is not None:
            self._kept.begin()
        call = cast("IReactorFromThreads", self._reactor).callFromThread
        self._watch = self._watch_files(self.folder, call, self._reloader.touch)
        self._watch.start()
        if self._certificates is not None:
            self._certificates.start()
        self._ignore_signals = [
            on_signal(signal.SIGHUP, self._reloader.hang_up, call),
            on_signal(signal.SIGUSR1, self.servers.reopen_logs, call),
        ]

    def stopService(self) -> Deferred[None]:
        """Stop accepting, let exchanges end within the limit, or until a second signal to stop, then cut."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's Service has no annotations
        servers = self.servers
        if servers is None or self._stopped:
            return succeed(None)
        self._stopped = True
        self._ignore_all_signals()
        call = cast("IReactorFromThreads", self._reactor).callFromThread
        self._ignore_signals = [on_signal(number, self._cut, call, instead=True) for number in STOPPING]
        if self._certificates is not None:
            self._certificates.stop()
        if self._reloader is not None:
            self._reloader.stop()
        watch_ended = succeed(None) if self._watch is None else self._watch.stop()
        stopped = servers.stop()
        done: Deferred[None] = stopped.addCallback(lambda _: watch_ended)
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

    def _assemble(self, folder: SiteFolder, config: GatewayConfig) -> Servers:
        servers, secure, tokens, ready = self._choose_servers(config)
        self.servers = servers
        certificates = self._certificates = Certificates(
            config, secure.names, self._reactor, wall_clock, tokens=tokens, ready=ready
        )
        self._ticks = LoopingCall(secure.look)

        def swap(tree: VirtualHosts) -> None:
            secure.use(table.sites)
            certificates.set_sites(table.sites, table.refused)
            servers.use(tree, table.sites, table.refused)

        self._kept = KeptVersions(Path(config.state) / "sites", os.environ)
        table = SiteTable(servers.compiler, servers.upstreams, swap, self._kept, servers.unknown)
        self._reloader = Reloader(self._reactor, folder, table, servers.configure, servers.close_site)
        self._reloader.start()
        return servers

    def _choose_servers(self, config: GatewayConfig) -> tuple[Servers, SecureSites, dict[bytes, bytes], Ready]:
        """Serve in this process or, where there are to be several, in others.

        Returns:
            Who serves, the certificates and the answers to challenges that they show, and what waits until they do.
        """
        if config.workers > 1:
            crew = Crew(self.folder, config, self._reactor, spawner(self._reactor), partial(attach, self._reactor))
            return crew, crew.secure, crew.tokens, crew.ready
        secure = SecureSites(config, monotonic)
        tokens: dict[bytes, bytes] = {}
        return Serving(self.folder, config, self._reactor, secure, tokens), secure, tokens, at_once

    # Stopping.

    def _ignore_all_signals(self) -> None:
        while self._ignore_signals:
            self._ignore_signals.pop()()

    def _cut(self) -> None:
        log.info("told to stop once more: cutting what is still under way")
        if self.servers is not None:
            self.servers.cut()

    def _end(self, _: object) -> None:
        self._ignore_all_signals()
        if self._ticks is not None and self._ticks.running:
            self._ticks.stop()


def makeService(options: Options) -> Gateway:
    """Make the service of `twistd gateway`."""
    from twisted.internet import reactor  # the one place where it is taken from the process

    return Gateway(options.folder, reactor)


def _log_bug(failure: Failure) -> None:
    log.failure("a task of the gateway failed", failure)
