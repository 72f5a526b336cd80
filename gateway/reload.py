"""Reloading: when site files changed, read what changed, build it, swap it in, and say in the log what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator, SchedulerStopped
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.config.loader import GATEWAY_FILE
from gateway.config.model import GatewayConfig, Site
from gateway.config.site_folder import SiteFolder
from gateway.config.watch import Settling
from gateway.sites import Changes, SiteTable

log = Logger()


class Reloader:
    """Keeps what is served the same as the folder of site files.

    A reload reads and builds a few files at a time and lets the reactor do its work in between.

    Args:
        reactor: For timers.
        folder: The site files.
        table: The sites that are served.
        configure: Takes new settings of gateway.toml, when the file changed and has no errors.
        gone: Told the name of each site whose file was removed.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        folder: SiteFolder,
        table: SiteTable,
        configure: Callable[[GatewayConfig], object],
        gone: Callable[[str], object],
    ) -> None:
        self._folder = folder
        self._table = table
        self._configure = configure
        self._gone = gone
        self._cooperator = Cooperator(scheduler=lambda step: reactor.callLater(0, step))
        self._settling = Settling(reactor, self.reload)
        self._config = folder.config
        self._started_with = folder.config
        self._told: dict[str, str] = {}
        self._lost = False
        self._running = False
        self._stopped = False
        self._everything = False
        self._waiting: list[Deferred[None]] = []

    def start(self) -> None:
        """Serve what was read, before the reactor runs."""
        for _ in self._table.update(self._folder.drafts):
            pass
        self._tell()

    def touch(self) -> None:
        """Take note that files may have changed: reload once they are quiet."""
        if not self._stopped:
            self._settling.touch()

    def reload(self, everything: bool = False) -> Deferred[None]:
        """Reload now, or once more as soon as the reload under way is done.

        Args:
            everything: Read also files that look the same, for what they refer to may have changed.

        Returns:
            Fires once what is in the folder now is served.
        """
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        self._everything = self._everything or everything
        if not self._running:
            self._begin()
        return done

    def hang_up(self) -> None:
        """Act on SIGHUP: read everything again, at once."""
        log.info("SIGHUP: reading all of {folder}", folder=str(self._folder.folder))
        self.reload(everything=True)

    def stop(self) -> None:
        """Reload no more."""
        self._stopped = True
        self._settling.cancel()
        self._cooperator.stop()

    # One reload.

    def _begin(self) -> None:
        if self._stopped:
            return
        self._running = True
        everything, self._everything = self._everything, False
        waiting, self._waiting = self._waiting, []

        def end(_: object) -> None:
            self._running = False
            if self._waiting:
                self._begin()
            for done in waiting:
                done.callback(None)

        task = self._cooperator.cooperate(self._steps(everything))
        task.whenDone().addErrback(_log_bug).addCallback(end)

    def _steps(self, everything: bool) -> Iterator[None]:
        folder = self._folder
        try:
            yield from folder.refresh(everything)
        except OSError as error:
            if not self._lost:
                reason = "{folder} cannot be read: {reason}: all sites go on as they are"
                log.error(reason, folder=str(folder.folder), reason=error.strerror)
            self._lost = True
            return
        self._lost = False
        if folder.config is not None and folder.config != self._config:
            self._reconfigure(folder.config)
        yield from self._table.update(folder.drafts)
        self._tell()

    def _reconfigure(self, config: GatewayConfig) -> None:
        self._config = config
        self._configure(config)
        late = [name for name in ONLY_AT_START if getattr(config, name) != getattr(self._started_with, name)]
        file = str(self._folder.folder / GATEWAY_FILE)
        if late:
            log.warn("{file}: {keys} take effect after a restart, all else does now", file=file, keys=", ".join(late))
        else:
            log.info("{file}: new settings are in effect", file=file)

    # What the log says.

    def _tell(self) -> None:
        """Say what changed, and what is wrong once for as long as it stays so."""
        changes = self._table.changes
        if len(changes.served) > _MANY:
            log.info("serving {count} sites", count=len(changes.served))
        else:
            for site in changes.served:
                log.info("serving {site}: {hosts}", site=site.name, hosts=", ".join(_hosts(site)) or "any other host")
        for name in changes.removed:
            log.info("{site} is not served any more: its file was removed", site=name)
            self._gone(name)
        told = self._told
        self._told = dict(self._findings(changes))
        for sentence, meaning in self._told.items():
            if sentence not in told:
                log.error("{sentence}{meaning}", sentence=_writable(sentence), meaning=meaning)

    def _findings(self, changes: Changes) -> Iterator[tuple[str, str]]:
        folder = self._folder
        for error in {str(error): error for error in (*folder.errors, *folder.defaults.errors, *changes.errors)}:
            yield error, ""
        if folder.errors:
            yield str(folder.folder / GATEWAY_FILE), " has errors: its settings from before stay in effect"
        for file in changes.stale:
            yield file, " has errors: its last good version is served"
        for file in changes.refused:
            yield file, " has errors: its hosts are answered 503"


ONLY_AT_START: Final = ("http", "https", "tls", "state", "unknown_host", "workers", "local_ca", "acme")
"""Settings of gateway.toml that cannot change while the gateway runs."""


def _hosts(site: Site) -> list[str]:
    return [*site.hosts, *(f"*.{name}" for name in site.wildcards)]


def _writable(sentence: str) -> str:
    """Escape octets of file names that are no UTF-8, which a log drops the whole line for."""
    return sentence.encode("utf-8", "backslashreplace").decode("utf-8")


def _log_bug(failure: Failure) -> None:
    if not failure.check(SchedulerStopped):
        log.failure("a reload failed: what was not swapped in yet goes on as before", failure)


_MANY: Final = 50
"""Sites served anew that are named one by one in the log."""
