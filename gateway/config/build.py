"""Checked site files → the model: what the short keys of a file mean together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.config.decode import place_in
from gateway.config.model import MAX_BODY, Location, Site
from gateway.config.names import Names
from gateway.config.positions import KeyPath
from gateway.config.shorthand import split_pattern
from gateway.config.site_file import RouteTable, SiteFile
from gateway.config.source import Origin, Source
from gateway.errors import ConfigError
from gateway.features import LEAVES, Leaf
from gateway.filters.headers import HeaderEdits
from gateway.resources.proxy import Proxy
from gateway.resources.redirect import Redirect
from gateway.resources.static import Static
from gateway.resources.websocket import WebSocket
from gateway.tls.certificate import CertificateUnusable, KeyUnusable
from gateway.tls.own import load_files

_WITH_ORIGIN = (
    "assets",
    "canonical",
    "cert",
    "errors",
    "hsts",
    "https",
    "maintenance",
    "noindex",
    "security",
    "security_txt",
)
_CHOICE = ", ".join(f"`{key}`" for key in LEAVES)


class SiteBuilder:
    """Makes a `Site` of a checked site file and collects what does not fit together.

    Args:
        names: The names the file claims; which it gets is decided later.
        file: Its settings.
        sources: Where these come from: the file, then the defaults.
    """

    def __init__(self, names: Names, file: SiteFile, sources: Sequence[Source]) -> None:
        self.names = names
        self.file = file
        self.sources = sources
        self.errors: list[ConfigError] = []

    def build(self) -> Site | list[ConfigError]:
        """Make the site, or tell all that is wrong."""
        locations = self._locations()
        self._check_names()
        self._check_app_keys(locations)
        self._check_certificate()
        if self.errors:
            return self.errors
        file = self.file
        return Site(
            name=self.names.name,
            file=str(self.sources[0].file),
            default=self.names.default,
            canonical="" if self._is_nameless else file.canonical or "",
            https=file.https,
            cert=file.cert,
            key=file.key,
            profile=file.profile,
            locations=locations,
            headers=file.headers,
            errors=tuple(sorted(file.errors.items())),
            maintenance=file.maintenance,
            security=file.security,
            server=file.server,
            hsts=file.hsts,
            assets=file.assets,
            noindex=file.noindex,
            security_txt=file.security_txt,
            origins={key: self._origin((key,)) for key in _WITH_ORIGIN if self._is_set(key)},
        )

    def _locations(self) -> tuple[Location, ...]:
        taken: dict[tuple[str, bool], KeyPath] = {}
        locations = []
        for path, location in (*self._main(), *self._routes(), *self._redirects()):
            first = taken.setdefault((location.prefix, location.exact), path)
            if first != path:
                self._complain(f"the same path is answered by {self._origin(first)}", path, kind="clash")
            locations.append(location)
        if not locations and not self.errors:
            self._complain(f"nothing answers: expected one of {_CHOICE}, or [routes]", (), kind="missing")
        return tuple(locations)

    def _main(self) -> Iterator[tuple[KeyPath, Location]]:
        leaf = self._leaf(self.file, (), required=False)
        if leaf is not None:
            yield (leaf[0],), self._location("", False, leaf, self.file, (leaf[0],))

    def _routes(self) -> Iterator[tuple[KeyPath, Location]]:
        for pattern, route in self.file.routes.items():
            path = ("routes", pattern)
            leaf = self._leaf(route, path, required=True)
            if leaf is not None:
                yield path, self._location(*split_pattern(pattern), leaf, route, path)

    def _redirects(self) -> Iterator[tuple[KeyPath, Location]]:
        for pattern, leaf in self.file.redirects.items():
            path = ("redirects", pattern)
            prefix, exact = split_pattern(pattern)
            if isinstance(leaf, Redirect) and leaf.to.endswith("*") and exact:
                self._complain(f'the target ends with "*", but the path {pattern!r} does not', path)
            yield path, self._location(prefix, exact, ("", leaf), None, path)

    def _leaf(self, table: SiteFile | RouteTable, path: KeyPath, required: bool) -> tuple[str, Leaf] | None:
        """Find the one key of a table that says who answers."""
        given = [key for key in LEAVES if getattr(table, key) is not None]
        for key in given[1:]:
            message = f"`{key}` and `{given[0]}` cannot both answer; give a path to one of them in [routes]"
            self._complain(message, (*path, key), kind="clash")
        if required and not given:
            self._complain(f"nothing answers: expected one of {_CHOICE}", path, kind="missing")
        return (given[0], getattr(table, given[0])) if len(given) == 1 else None

    def _location(
        self, prefix: str, exact: bool, leaf: tuple[str, Leaf], table: SiteFile | RouteTable | None, path: KeyPath
    ) -> Location:
        site = self.file
        route = table if isinstance(table, RouteTable) else RouteTable()
        if isinstance(leaf[1], Proxy) and leaf[1].ca:
            self._check_authorities(leaf[1].ca, (*path, "ca"))
        max_body, setting = MAX_BODY, "max_body (default)"
        if site.max_body is not None:
            max_body, setting = site.max_body, str(self._origin(("max_body",)))
        if route.max_body is not None:
            max_body, setting = route.max_body, str(self._origin((*path, "max_body")))
        return Location(
            prefix=prefix,
            exact=exact,
            leaf=_with_files(_with_app_keys(_with_websocket(leaf[1], site.websocket), site), route, site),
            phoenix=leaf[0] == "phoenix",
            max_body=max_body,
            max_body_setting=setting,
            slash=route.slash or site.slash if isinstance(leaf[1], Proxy) and not exact else "keep",
            when=route.when,
            headers=_not_empty(site.headers, route.headers),
            request_headers=_not_empty(site.request_headers, route.request_headers),
            origin=self._origin(path),
        )

    def _check_authorities(self, ca: str, path: KeyPath) -> None:
        try:
            content = Path(ca).read_bytes()
        except OSError as error:
            self._complain(f"{ca} cannot be read: {error.strerror}", path, kind="file")
            return
        if b"-----BEGIN CERTIFICATE-----" not in content:
            self._complain(f"{ca} holds no PEM certificate", path, kind="file")

    def _check_certificate(self) -> None:
        """Check the site's own certificate: its key, its chain, and that it is for the site."""
        file = self.file
        if not file.cert and not file.key:
            return
        if not file.cert or not file.key:
            given, missing = ("cert", "key") if file.cert else ("key", "cert")
            self._complain(f"`{given}` needs `{missing}` beside it", (given,), kind="missing")
            return
        try:
            found = load_files(file.cert, file.key)
        except CertificateUnusable as problem:
            self._complain(str(problem), ("key" if isinstance(problem, KeyUnusable) else "cert",), kind="file")
            return
        names = [*self.names.claimed, self.names.www]
        if not self.names.default and not any(found.covers(name) for name in names):
            known = ", ".join(found.names) or "no name at all"
            self._complain(f"the certificate is for {known}, not for {names[0]}", ("cert",))

    def _check_names(self) -> None:
        own = self.sources[0].data
        if self.names.default and "hosts" in own:
            self._complain("the default site has no hosts of its own", ("hosts",))
        if self._is_nameless and "canonical" in own:
            self._complain("only a file named after a host has a canonical name", ("canonical",))

    def _check_app_keys(self, locations: Sequence[Location]) -> None:
        """Check that there is an app for the keys that are about the site's."""
        if any(isinstance(each.leaf, Proxy) and not each.prefix for each in locations):
            return
        wanted = "expected `phoenix` or `proxy` for the whole site"
        beside = 'a route has its own: "/api/*" = { proxy = 4000,'
        for key, message in (
            ("assets", f"assets are served in front of an app: {wanted}"),
            ("health", f'the site has no app to check: {wanted}; {beside} health = "/health" }}'),
            ("sticky", f"the site has no app to stay at: {wanted}; {beside} sticky = true }}"),
        ):
            if key in self.sources[0].data:
                self._complain(message, (key,))

    @property
    def _is_nameless(self) -> bool:
        return not self.names.own or self.names.own.startswith("*.")

    def _is_set(self, key: str) -> bool:
        return any(key in source.data for source in self.sources)

    def _complain(self, message: str, path: KeyPath, kind: str = "value") -> None:
        source = place_in(self.sources, path)
        self.errors.append(source.error(message, source.find(path), at_key=True, kind=kind))

    def _origin(self, path: KeyPath) -> Origin:
        source = place_in(self.sources, path)
        return source.origin(source.find(path))


def _with_websocket(leaf: Leaf, websocket: WebSocket | None) -> Leaf:
    """Give a proxy the site's `[websocket]` unless it has settings of its own."""
    if websocket is not None and isinstance(leaf, Proxy) and leaf.websocket == WebSocket():
        return dataclasses.replace(leaf, websocket=websocket)
    return leaf


def _with_app_keys(leaf: Leaf, site: SiteFile) -> Leaf:
    """Give the site's app, and routes to its upstreams, what is said beside it, unless their own table says more."""
    app = site.phoenix or site.proxy
    if app is None or not isinstance(leaf, Proxy) or not set(leaf.to) <= set(app.to):
        return leaf
    health = leaf.health if leaf.health is not None else site.health
    return dataclasses.replace(leaf, health=health, sticky=leaf.sticky or bool(site.sticky))


def _with_files(leaf: Leaf, *tables: RouteTable | SiteFile) -> Leaf:
    """Give a folder of files what is said beside it, the nearest first, unless its own table says something else."""
    if not isinstance(leaf, Static):
        return leaf
    beside: dict[str, Any] = {}
    for key, default in (("clean", "serve"), ("listing", False), ("untrusted", False)):
        said = next((value for table in tables if (value := getattr(table, key)) is not None), default)
        beside[key] = said if getattr(leaf, key) == default else getattr(leaf, key)
    return dataclasses.replace(leaf, **beside)


def _not_empty(*edits: HeaderEdits) -> tuple[HeaderEdits, ...]:
    return tuple(each for each in edits if each.set or each.add or each.remove)
