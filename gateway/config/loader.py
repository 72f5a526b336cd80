"""A folder of site files → the whole configuration; a bad file costs only its own site.

`read_site` reads one file, `settle` decides which file has which host; `load` does it for a folder. After a change, the
drafts of files that stayed the same can be settled again together with the new one.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config.build import SiteBuilder
from gateway.config.crosscheck import find_lost_listeners, find_plain_subdomains
from gateway.config.decode import Decoder
from gateway.config.flags import read_flag, with_flag
from gateway.config.hosts import apex_name, normal_pattern
from gateway.config.misplaced import misplaced_keys
from gateway.config.model import BrokenSite, GatewayConfig, Loaded, Site
from gateway.config.names import Names, names_of, owners
from gateway.config.positions import KeyPath
from gateway.config.secrets import resolve
from gateway.config.shorthand import PROXY_KEYS
from gateway.config.site_file import SITE_KEYS, RouteTable, SiteFile
from gateway.config.source import Source
from gateway.errors import ConfigError
from gateway.features import LEAVES, NOT_YET

GATEWAY_FILE = "gateway.toml"
DEFAULTS_FILE = "_defaults.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What `_defaults.toml` says.

    Attributes:
        source: The file; None if there is none.
        errors: What is wrong with it; then no site can be served, for it might lack what protects it.
    """

    source: Source | None = None
    errors: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One site file on its own, before it is known which of its hosts it gets.

    Attributes:
        file: Path of the file.
        names: The names it claims; None if not even these can be told.
        site: The site, its hosts still empty; None if there are errors.
        source: The file's text; None if it cannot be read.
        below: The defaults laid under it; None if there are none.
        errors: What is wrong with it.
        flag: Content of its flag file, which switches maintenance on; None if there is none.
    """

    file: Path
    names: Names | None
    site: Site | None = None
    source: Source | None = None
    below: Source | None = None
    errors: tuple[ConfigError, ...] = ()
    flag: str | None = None


def load(folder: Path, environ: Mapping[str, str], live: Mapping[str, str] | None = None) -> Loaded:
    """Load a folder of site files.

    Args:
        folder: The folder.
        environ: The environment, for `env:NAME` and systemd's folders.
        live: File by host as served until now: a file keeps the hosts that it has.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if is_site_file(entry.name))
    except OSError as error:
        problem = ConfigError(f"cannot be read: {error.strerror}", file=str(folder), kind="file")
        return Loaded(folder=folder, config=None, errors=(problem,))
    config, errors = read_gateway(folder / GATEWAY_FILE, environ)
    defaults = read_defaults(folder / DEFAULTS_FILE, environ)
    drafts = [
        read_site(folder / name, defaults, environ) for name in names if name not in (GATEWAY_FILE, DEFAULTS_FILE)
    ]
    sites, broken = settle(drafts, live or {})
    everything = (*errors, *defaults.errors, *(error for site in broken for error in site.errors))
    distinct = {(error.place, error.message): error for error in everything}
    errors = sorted(distinct.values(), key=lambda error: (error.file, error.line, error.column))
    return Loaded(folder=folder, config=config, sites=sites, broken=broken, errors=tuple(errors))


def is_site_file(name: str) -> bool:
    """Tell whether a file of the folder counts: `*.toml`, and neither hidden nor an editor's left-over."""
    return name.endswith(".toml") and not name.startswith((".", "#"))


def read_gateway(file: Path, environ: Mapping[str, str]) -> tuple[GatewayConfig | None, list[ConfigError]]:
    """Read gateway.toml; without the file everything has its default."""
    data: Mapping[str, object] = {}
    config = GatewayConfig()
    if file.exists():
        try:
            source = Source.read(file)
        except ConfigError as error:
            return None, [error]
        data = source.data
        decoded, errors = _decode(_GATEWAY, source, None, environ, _GATEWAY_TOP)
        if decoded is None:
            return None, errors
        config = decoded
        errors = [source.error(message, path, kind="clash") for path, message in find_lost_listeners(config)]
        if errors:
            return None, errors
    folder = os.path.abspath(file.parent)
    state = environ.get("STATE_DIRECTORY", "").split(":")[0] or os.path.join(os.path.dirname(folder), "state")
    log = config.log
    table = data.get("log", {})
    if not (isinstance(table, dict) and "folder" in table):
        log = dataclasses.replace(log, folder=environ.get("LOGS_DIRECTORY", "").split(":")[0])
    return dataclasses.replace(config, state=config.state or state, log=log), []


def read_defaults(file: Path, environ: Mapping[str, str]) -> Defaults:
    """Read `_defaults.toml` and check it for itself."""
    if not file.exists():
        return Defaults()
    try:
        source = Source.read(file)
    except ConfigError as error:
        return Defaults(errors=(error,))
    _, errors = _decode(_SITE, source, None, environ, _TOP)
    errors += [
        source.error(f"`{key}` belongs into the files of sites", (key,), at_key=True)
        for key in ("hosts", *LEAVES)
        if key in source.data
    ]
    return Defaults(source=source, errors=tuple(errors))


def read_site(file: Path, defaults: Defaults, environ: Mapping[str, str]) -> Draft:
    """Read one site file, and its flag file."""
    return dataclasses.replace(_read_draft(file, defaults, environ), flag=read_flag(file))


def _read_draft(file: Path, defaults: Defaults, environ: Mapping[str, str]) -> Draft:
    names = None
    try:
        names = names_of(file.stem)
        source = Source.read(file)
    except ValueError as error:
        message = f"the file's name is no host: {error}"
        problem = ConfigError(message, file=str(file), kind="file_name")
        return Draft(file=file, names=None, errors=(problem,))
    except ConfigError as error:
        return Draft(file=file, names=names, errors=(error, *defaults.errors))
    return draft_of(source, defaults, environ)


def draft_of(source: Source, defaults: Defaults, environ: Mapping[str, str]) -> Draft:
    """Make a draft of a site file's text; the file's name is known to be one of a site."""
    file = source.file
    below = None if defaults.errors else defaults.source
    settings, errors = _decode(_SITE, source, below, environ, _TOP)
    if settings is None:
        return Draft(file=file, names=_guess_names(source), source=source, errors=(*errors, *defaults.errors))
    names = names_of(file.stem, settings.hosts)
    built = SiteBuilder(names, settings, [source] if below is None else [source, below]).build()
    if isinstance(built, list) or defaults.errors:
        errors = built if isinstance(built, list) else []
        return Draft(file=file, names=names, source=source, errors=(*errors, *defaults.errors))
    return Draft(file=file, names=names, site=built, source=source, below=below)


def settle(drafts: Iterable[Draft], live: Mapping[str, str]) -> tuple[tuple[Site, ...], tuple[BrokenSite, ...]]:
    """Decide which file has which host, and refuse newcomers that claim another's.

    Args:
        drafts: All site files.
        live: File by host as served until now.
    """
    by_file = {str(draft.file): draft for draft in drafts}
    failed = {file for file, draft in by_file.items() if draft.errors}
    won = owners({file: draft.names for file, draft in by_file.items() if draft.names}, live, failed)
    sites, broken = [], []
    for file, draft in by_file.items():
        names = draft.names
        if names is None:
            broken.append(BrokenSite(name=draft.file.stem, file=file, errors=draft.errors))
            continue
        mine = [host for host in (*names.claimed, names.www) if host and won[host] == file]
        errors = [*draft.errors, *_clashes(draft, names, won, by_file)]
        hosts = tuple(host for host in mine if not host.startswith("*."))
        wildcards = tuple(host[2:] for host in mine if host.startswith("*."))
        if draft.site is not None and not errors:
            maintenance = with_flag(draft.site.maintenance, draft.flag)
            site = dataclasses.replace(draft.site, hosts=hosts, wildcards=wildcards, maintenance=maintenance)
            canonical, errors = _canonical(draft, site)
            if not errors:
                implied = names.www if names.www in hosts and names.www != canonical else ""
                sites.append(dataclasses.replace(site, canonical=canonical, implied=implied))
                continue
        broken.append(
            BrokenSite(
                name=names.name,
                file=file,
                hosts=hosts,
                wildcards=wildcards,
                default=names.default,
                errors=tuple(errors),
            )
        )
    return find_plain_subdomains(sites), tuple(broken)


def _clashes(draft: Draft, names: Names, won: Mapping[str, str], by_file: Mapping[str, Draft]) -> list[ConfigError]:
    errors = []
    for host in names.claimed:
        owner = by_file[won[host]]
        if owner is not draft:
            message = f"{host} belongs to {_claim_place(owner, host)} already"
            errors.append(_claim_error(draft, host, message))
    return errors


def _claim_place(draft: Draft, host: str) -> str:
    error = _claim_error(draft, host, "")
    return error.place if error.line else f"{error.file} (by its name)"


def _claim_error(draft: Draft, host: str, message: str) -> ConfigError:
    """Make an error at the place where a file claims a host: an element of `hosts`, or the file's name."""
    if draft.source is None or draft.names is None or host not in draft.names.others:
        return ConfigError(message, file=str(draft.file), kind="clash")
    return draft.source.error(message, ("hosts", draft.names.others.index(host)), kind="clash")


def _canonical(draft: Draft, site: Site) -> tuple[str, list[ConfigError]]:
    """Find the canonical host of a site whose hosts are known."""
    if not site.canonical:
        return "", []
    apex = apex_name(site.name)
    host = {"www": f"www.{apex}", "apex": apex, "name": site.name}[site.canonical]
    if host in site.hosts or draft.source is None:
        return host, []
    message = f'the canonical name {host} is not a name of this site; add hosts = ["{host}"]'
    return "", [draft.source.error(message, ("canonical",), kind="clash")]


def _decode(
    decoder: Decoder[Any],
    source: Source,
    below: Source | None,
    environ: Mapping[str, str],
    top: frozenset[str],
) -> tuple[Any, list[ConfigError]]:
    data = source.data if below is None else merge(below.data, source.data)
    skip = _waits if decoder.not_yet else _never
    resolved = resolve(data, source.folder, environ, skip)
    decoded = decoder.decode(resolved, [source] if below is None else [source, below])
    misplaced = misplaced_keys(source, decoder, top)
    if not isinstance(decoded, list) and not misplaced:
        return decoded, []
    errors = list(misplaced.values())
    explained = {(each.file, each.key) for each in errors}
    if isinstance(decoded, list):
        errors += [each for each in decoded if (each.file, each.key) not in explained]
    return None, errors


def merge(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Lay one table over another; tables within them are merged too, anything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _guess_names(source: Source) -> Names:
    """Find the names of a file with errors, so that its hosts can say so."""
    hosts = source.data.get("hosts", [])
    names = names_of(source.file.stem)
    others = []
    for host in hosts if isinstance(hosts, list) else []:
        with suppress(ValueError):
            others += [normal_pattern(host)] if isinstance(host, str) else []
    return dataclasses.replace(names, others=tuple(others))


def _never(path: KeyPath) -> bool:
    return False


def _waits(path: KeyPath) -> bool:
    """Tell whether a key has no effect yet: what it refers to need not be there."""
    inside = path[2:3] if path[0] == "routes" else path[1:2] if path[0] in LEAVES else ()
    return path[0] in NOT_YET or any(part in NOT_YET for part in inside)


_SITE = Decoder(
    SiteFile,
    NOT_YET,
    beside={RouteTable: PROXY_KEYS},
    elsewhere={
        key: f"`{key}` belongs to the app: phoenix = {{ to = 4000, {key} = … }}" for key in PROXY_KEYS - SITE_KEYS
    },
)
_GATEWAY = Decoder(GatewayConfig)
_TOP = SITE_KEYS | NOT_YET.keys()
_GATEWAY_TOP = frozenset(GatewayConfig.__dataclass_fields__)
