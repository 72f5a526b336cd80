"""`gateway certs why`: the state of a name's certificate in plain sentences, and what may stand in its way."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from gateway.certificates import STATE, authority_store, names_of, wanted_names
from gateway.config.model import GatewayConfig, Loaded
from gateway.control.moments import moment
from gateway.tls.ledger import Ledger
from gateway.tls.local_ca import is_local
from gateway.tls.names import LETSENCRYPT, authority_folder, directory_url, is_public, is_wildcard
from gateway.tls.responders import persistent_record
from gateway.tls.schedule import Validity, decide
from gateway.tls.state_folder import StateLock
from gateway.units import Seconds


class Looks(Protocol):
    """What the world sees of a name."""

    def addresses(self, name: str) -> list[str]:
        """List its addresses."""

    def own_addresses(self) -> list[str]:
        """List this machine's."""

    def connects(self, name: str, port: int) -> bool:
        """Tell whether a port of it accepts."""

    def caa(self, name: str) -> list[tuple[str, str]] | None:
        """Find its CAA records."""


class Advice:
    """Explains names.

    Args:
        loaded: The site files.
        config: The machine's settings.
        world: What the world sees.
        now: Seconds of the epoch.
    """

    def __init__(self, loaded: Loaded, config: GatewayConfig, world: Looks, now: Seconds) -> None:
        self._loaded = loaded
        self._config = config
        self._world = world
        self._now = now
        self._store = authority_store(config)

    def sentences(self, name: str) -> Iterator[str]:
        """Explain a name."""
        yield from self._certificate(name)
        reason = self._not_wanted(name)
        if reason:
            yield reason
            return
        yield from self._next(name)
        if is_wildcard(name):
            yield from self._dns_challenges(name)
        else:
            yield from self._reachable(name)
        yield from self._permission(name)

    def _certificate(self, name: str) -> Iterator[str]:
        key = self._store.get(name)
        if key is None:
            yield f"{name} has no certificate of {authority_folder(self._config.acme.directory)} yet."
            return
        left = (key.not_after - self._now) / 86400
        state = f"has {left:.1f} days left" if left > 0 else f"EXPIRED {-left:.1f} days ago and is served all the same"
        yield f"{name} has a certificate by {key.issuer}; it {state}."

    def _not_wanted(self, name: str) -> str:
        """Say why no certificate is asked for; empty if one is."""
        config = self._config
        sites = [site for site in self._loaded.sites if name in names_of(site)]
        if not sites:
            broken = [site.file for site in self._loaded.broken if name in names_of(site)]
            return f"Its site file has errors: {broken[0]}." if broken else "No site file has this name."
        if sites[0].https == "off":
            return f'Its site does without HTTPS: `https = "off"` in {sites[0].file}.'
        if name not in wanted_names(sites, ""):
            if is_local(name):
                how = "is on" if config.local_ca else "is off: set `local_ca = true` in gateway.toml"
                return f"The name is this machine's own; the local authority {how}."
            if not is_public(name):
                return "It is no public name: no authority can issue for it."
            return f"Its site has a certificate of its own: {sites[0].file}."
        if not config.https:
            return "There is no HTTPS listener: `https` in gateway.toml is empty."
        if not config.acme.enabled:
            return "No authority is asked: set `email`, or `agree = true`, in [acme] of gateway.toml."
        return ""

    def _next(self, name: str) -> Iterator[str]:
        key, state = self._store.get(name), self._store.state(name)
        validity = Validity(key.not_before, key.not_after) if key is not None else None
        decision = decide(validity, state, self._now)
        if not StateLock(Path(self._config.state) / STATE).is_held():
            yield f"No gateway is running with the state folder {self._config.state}: nobody is asked until one is."
        when = "now" if decision.at <= self._now else moment(decision.at)
        yield f"The next try is {when}: {decision.reason}."
        if state.failures:
            last = moment(state.last_failure)
            yield f"{state.failures} failed in a row since {moment(state.first_failure)}, last {last}: {state.error}."
        if state.window is not None and state.window.explanation:
            yield f"The authority explains its renewal window at {state.window.explanation}."
        folder = Path(self._config.state) / STATE / authority_folder(self._config.acme.directory)
        refusal = Ledger(folder / "ledger", self._now).refusal(name, self._now)
        if refusal is not None:
            yield f"No order is made before {moment(refusal.until)}: {refusal.reason}."

    def _reachable(self, name: str) -> Iterator[str]:
        addresses, own = self._world.addresses(name), self._world.own_addresses()
        if not addresses:
            yield f"DNS has no address for {name}: add an A record (and AAAA) with this machine's address."
            return
        yield f"DNS says {', '.join(addresses)}; this machine speaks from {', '.join(own) or 'no address'}."
        for address in addresses:
            kind = "AAAA" if ip_address(address).version == 6 else "A"
            if own and address not in own and any(ip_address(each).is_global for each in own):
                yield f"The {kind} record {address} is not this machine: the authority may look there and find another."
        if not any(listener.port == 80 for listener in self._config.http):
            yield "Nothing here listens on port 80, where http-01 looks; tls-alpn-01 on port 443 is tried then."
        elif not self._world.connects(name, 80):
            yield f"Port 80 of {name} does not accept connections from here: look at the firewall."

    def _dns_challenges(self, name: str) -> Iterator[str]:
        chosen = self._config.acme.chosen_challenges
        if not {"dns-01", "dns-persist-01"} & set(chosen):
            yield "A wildcard needs a DNS challenge: set `dns_hook`, or `challenges`, in [acme] of gateway.toml."
        if "dns-persist-01" in chosen:
            account = self._store.account()
            if account is None or not account.url:
                yield "For dns-persist-01 a record is needed; what it says is known once the account is registered."
                return
            issuer = "letsencrypt.org" if directory_url(self._config.acme.directory) == LETSENCRYPT else "ISSUER"
            record, text = persistent_record(name, issuer, account.url)
            yield f'For dns-persist-01 this record must stand: {record} TXT "{text}"'

    def _permission(self, name: str) -> Iterator[str]:
        records = self._world.caa(name)
        if records is None:
            yield "CAA records cannot be looked up from here."
            return
        wild = [value for tag, value in records if tag == "issuewild"]
        allowed = wild if wild and is_wildcard(name) else [value for tag, value in records if tag == "issue"]
        if not allowed:
            yield "No CAA record forbids any authority."
            return
        issuers = [value.partition(";")[0].strip() for value in allowed]
        if directory_url(self._config.acme.directory) == LETSENCRYPT and "letsencrypt.org" not in issuers:
            yield f"CAA records allow {', '.join(filter(None, issuers)) or 'nobody'}: add letsencrypt.org."
        else:
            yield f"CAA records allow {', '.join(filter(None, issuers)) or 'nobody'}."
