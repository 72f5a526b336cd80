"""HTTPS as the service sees it: certificates by name, those of the sites themselves, and what time does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from gateway.config.model import GatewayConfig, Site
from gateway.filters.https import Https
from gateway.tls.contexts import TICKET_LIFETIME
from gateway.tls.own import OwnCertificates, OwnFiles
from gateway.tls.sni import ServerNames
from gateway.units import Seconds

LOOK: Final = Seconds(10)
"""How often the files of the sites' own certificates are looked at."""


class SecureSites:
    """The certificates that the TLS listeners show.

    Args:
        config: What gateway.toml says of TLS.
        clock: Monotonic seconds.
        names: Where handshakes look; made here where there are none yet.

    Attributes:
        names: Server name → certificate, in memory.
    """

    def __init__(self, config: GatewayConfig, clock: Callable[[], Seconds], names: ServerNames | None = None) -> None:
        self.names = names if names is not None else ServerNames(config.tls)
        self._listeners = config.https
        self._own = OwnCertificates(self.names)
        self._clock = clock
        self._tickets_since = clock()
        self._files_seen = clock()

    @property
    def place(self) -> Https | None:
        """Where HTTPS is, for those who are redirected there; None for nowhere."""
        if not self._listeners:
            return None
        ports = [listener.port for listener in self._listeners if listener.port]
        port = ports[0] if ports and 443 not in ports else 443
        return Https(self.names.has_certificate, self.names.has_renewed, port)

    def use(self, sites: Iterable[Site]) -> None:
        """Hold the own certificates of these sites and of no others."""
        self._own.use(_own_files(site) for site in sites if site.cert)

    def look(self) -> None:
        """Rotate the keys of session tickets and look at certificate files, each when it is time."""
        now = self._clock()
        if now - self._tickets_since >= TICKET_LIFETIME:
            self._tickets_since = now
            self.names.rotate()
        if now - self._files_seen >= LOOK:
            self._files_seen = now
            self._own.refresh()


def _own_files(site: Site) -> OwnFiles:
    names = (*site.hosts, *(f"*.{name}" for name in site.wildcards), *(("",) if site.default else ()))
    return OwnFiles(site.name, site.cert, site.key, names)
