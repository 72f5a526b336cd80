"""The certificates of the process, put together from its settings: which names want one, and who issues it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import SystemRandom
from typing import Final, cast

from requests.adapters import BaseAdapter
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gateway.config.acme import Acme
from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.tls.account import AccountKeeper, AccountSettings
from gateway.tls.acme import Issuer
from gateway.tls.alarm import Alarm
from gateway.tls.authority import Authority, ExternalAccount
from gateway.tls.hooks import Hook
from gateway.tls.ledger import Ledger
from gateway.tls.local_ca import FOLDER, LocalAuthority, LocalCertificates, is_local
from gateway.tls.names import authority_folder, directory_url, is_public, staging_of
from gateway.tls.own_alarms import OwnAlarms
from gateway.tls.renewal import IssuingService
from gateway.tls.responders import (
    DNS01Responder,
    DNSPersist01Responder,
    HTTP01Responder,
    Ready,
    Responder,
    TLSALPN01Responder,
    at_once,
)
from gateway.tls.schedule import CHECK
from gateway.tls.sni import ServerNames
from gateway.tls.state_folder import Requests, StateLock
from gateway.tls.store import DirectoryStore
from gateway.tls.worker import ThreadWorker
from gateway.units import Seconds

log = Logger()

STATE: Final = "acme"
"""Folder of all authorities in the state folder."""


def wanted_names(sites: Iterable[Site], profile: str) -> dict[str, str]:
    """Find the names that want an automatic certificate, with the profile of each.

    Args:
        sites: The sites that are served.
        profile: Where a site has none of its own.

    Source: FEATURES §19, "Which names".
    """
    return {
        name: site.profile or profile for site in sites for name in names_of(site) if _wants(site) and is_public(name)
    }


def names_of(site: Site | BrokenSite) -> list[str]:
    """List the hosts and wildcards of a site."""
    return [*site.hosts, *(f"*.{name}" for name in site.wildcards)]


def authority_store(config: GatewayConfig) -> DirectoryStore:
    """Find the certificates of the authority in use."""
    return DirectoryStore(Path(config.state) / STATE / authority_folder(config.acme.directory))


class Certificates:
    """Has certificates for the names of all sites.

    Args:
        config: The machine's settings.
        names: Where handshakes look.
        reactor: The reactor.
        now: Seconds of the epoch.
        adapter: Carries requests to authorities instead of the network, in tests.
        tokens: What the challenge http-01 is answered with; made here where there is nothing yet.
        ready: Waits until answers to challenges are the same in all processes.

    Attributes:
        tokens: What the challenge http-01 is answered with.
    """

    def __init__(
        self,
        config: GatewayConfig,
        names: ServerNames,
        reactor: IReactorTime,
        now: Callable[[], Seconds],
        adapter: BaseAdapter | None = None,
        tokens: dict[bytes, bytes] | None = None,
        ready: Ready = at_once,
    ) -> None:
        self._config = config
        self._now = now
        self._reactor = reactor
        self._adapter = adapter
        self._ready = ready
        self._http = HTTP01Responder(tokens, ready)
        self.tokens: Mapping[bytes, bytes] = self._http.tokens
        self._workers: list[ThreadWorker] = []
        self._service: IssuingService | None = None
        self._local: LocalCertificates | None = None
        self._loaded = False
        self._looking: LoopingCall | None = None
        self._started = False
        hooks = self._worker("acme-hooks")
        told = Hook(config.acme.alarm_hook, hooks) if config.acme.alarm_hook else None
        alarm = Alarm(told, config.acme.alarm_webhook, hooks)
        self._own = OwnAlarms(names, alarm, now)
        if config.https and config.acme.enabled:
            self._service = self._assemble(config.acme, names, alarm, hooks)
        if config.https and config.local_ca:
            authority = LocalAuthority(Path(config.state) / FOLDER, now)
            self._local = LocalCertificates(authority, names, now)

    def set_sites(self, sites: Iterable[Site], broken: Iterable[BrokenSite] = ()) -> None:
        """Look after the names of these sites; the first time, before listeners open, what is stored is read.

        Args:
            sites: The sites that are served.
            broken: Those that are not: they say so under the certificates that they have.
        """
        sites = tuple(sites)
        own = {site.name: (*names_of(site), *([""] if site.default else [])) for site in sites if site.cert}
        self._own.sites = own if self._config.https else {}
        self._look_regularly()
        if self._local is not None:
            self._local.set_names(name for site in sites if _wants(site) for name in names_of(site) if is_local(name))
        if self._service is None:
            self._tell_of_consent(sites)
            return
        wanted: dict[str, str | None] = {name: None for site in broken for name in names_of(site) if is_public(name)}
        wanted |= wanted_names(sites, self._config.acme.profile)
        unasked = frozenset(site.implied for site in sites)
        if self._loaded:
            self._service.set_names(wanted, unasked)
        else:
            self._loaded = True
            self._service.load(wanted, unasked)

    def start(self) -> None:
        """Begin to ask for certificates; with the rights that stay."""
        self._started = True
        self._look_regularly()
        if self._service is not None:
            self._service.start()

    def stop(self) -> None:
        """Stop asking."""
        if self._looking is not None and self._looking.running:
            self._looking.stop()
        if self._service is not None:
            self._service.stop()
        for worker in self._workers:
            worker.stop()

    def _look_regularly(self) -> None:
        """Look after certificates that no other authority issues, as soon as there are any."""
        if self._started and self._looking is None and (self._local is not None or self._own.sites):
            self._looking = LoopingCall(self._look)
            self._looking.clock = self._reactor
            self._looking.start(CHECK).addErrback(
                lambda failure: log.failure("looking at certificates failed", failure)
            )

    def _look(self) -> None:
        if self._local is not None:
            self._local.look()
        self._own.look()

    def _tell_of_consent(self, sites: Iterable[Site]) -> None:
        """Say, once, that nobody is asked for certificates that sites could have."""
        if self._config.https and not self._loaded and wanted_names(sites, ""):
            self._loaded = True
            log.warn("no automatic certificates: set `email`, or `agree = true`, in [acme] of gateway.toml")

    # Putting the parts together.

    def _assemble(self, acme: Acme, names: ServerNames, alarm: Alarm, hooks: ThreadWorker) -> IssuingService:
        calls = self._worker("acme")
        folder = Path(self._config.state) / STATE
        responders = self._responders(acme, names, hooks)
        staging = acme.staging or staging_of(acme.directory)
        issuer = self._issuer(acme.directory, acme, folder, responders, calls)
        rehearsals = self._issuer(staging, acme, folder, responders, calls) if staging else None
        service = IssuingService(
            store=authority_store(self._config),
            lock=StateLock(folder),
            requests=Requests(folder),
            issuer=issuer,
            staging=rehearsals,
            names=names,
            alarm=alarm,
            worker=calls,
            clock=self._reactor,
            now=self._now,
            random=SystemRandom().random,
            take_over=Path(acme.take_over) if acme.take_over else None,
        )
        issuer.authority.on_date = service.note_date
        return service

    def _issuer(
        self, directory: str, acme: Acme, folder: Path, responders: list[Responder], worker: ThreadWorker
    ) -> Issuer:
        authority = Authority(directory_url(directory), acme.ca_file, adapter=self._adapter)
        place = folder / authority_folder(directory)
        store = DirectoryStore(place)
        external = ExternalAccount(acme.eab.kid, acme.eab.hmac) if acme.eab is not None else None
        settings = AccountSettings(email=acme.email, agree=acme.agree, external=external)
        return Issuer(
            authority,
            store,
            Ledger(place / "ledger", self._now()),
            worker,
            self._reactor,
            self._now,
            responders,
            AccountKeeper(authority, store, worker, settings),
            acme.chain,
        )

    def _responders(self, acme: Acme, names: ServerNames, hooks: ThreadWorker) -> list[Responder]:
        made: dict[str, Responder] = {
            "http-01": self._http,
            "tls-alpn-01": TLSALPN01Responder(names, self._ready),
            "dns-01": DNS01Responder(Hook(acme.dns_hook, hooks)),
            "dns-persist-01": DNSPersist01Responder(),
        }
        return [made[kind] for kind in acme.chosen_challenges if kind != "http-01" or self._config.http]

    def _worker(self, name: str) -> ThreadWorker:
        worker = ThreadWorker(cast("IReactorFromThreads", self._reactor), name)
        self._workers.append(worker)
        return worker


def _wants(site: Site) -> bool:
    return site.https != "off" and not site.cert
