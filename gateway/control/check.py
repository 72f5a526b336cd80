"""`gateway check`: all that is wrong with a folder of site files, before a client meets it."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from gateway.config.loader import GATEWAY_FILE, load
from gateway.config.model import Loaded, Location, Site
from gateway.config.source import Origin
from gateway.control.findings import Finding, as_json
from gateway.control.hops import Journey, Redirects
from gateway.control.machine import Machine
from gateway.resources.proxy import Proxy
from gateway.resources.static import Static
from gateway.tls.certificate import CertificateUnusable
from gateway.tls.own import load_files
from gateway.upstream.address import UpstreamAddress

_PROBES = 16
"""Upstreams tried at a time."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("check", help="check the site files of a folder")
    parser.add_argument("folder", nargs="?", type=Path, help="folder of site files (default: sites)")
    parser.add_argument("-c", "--config", default=Path("sites"), type=Path, metavar="FOLDER", help="the same")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_run)


def check(loaded: Loaded, machine: Machine, now: float | None = None) -> list[Finding]:
    """Find all that is wrong with a loaded folder, errors first.

    Args:
        loaded: The folder.
        machine: Where to look for files and upstreams.
        now: Seconds since 1970, by which certificates expire; None for the machine's clock.
    """
    errors = [Finding.of(error) for error in loaded.errors]
    warnings = list(_nothing_to_do(loaded))
    warnings += [finding for site in loaded.sites for finding in _missing_paths(site, machine)]
    for site in loaded.sites:
        for certificate in _certificate(site, time.time() if now is None else now):
            (errors if certificate.severity == "error" else warnings).append(certificate)
    warnings += _upstreams(loaded.sites, machine)
    seen = set()
    for journey in Redirects(loaded.sites).journeys():
        finding = _journey(journey)
        if finding is not None and (finding.file, finding.line) not in seen:
            seen.add((finding.file, finding.line))
            (errors if finding.severity == "error" else warnings).append(finding)
    return [*errors, *warnings]


def _run(options: argparse.Namespace) -> int:
    folder = options.folder or options.config
    loaded = load(folder, os.environ)
    findings = check(loaded, Machine())
    errors = sum(finding.severity == "error" for finding in findings)
    if options.json:
        print(json.dumps({"ok": not errors, "findings": as_json(findings)}, indent=2))
    else:
        for finding in findings:
            print(*finding.lines(), "", sep="\n")
        warnings = len(findings) - errors
        sites = f"{len(loaded.sites)} of {len(loaded.sites) + len(loaded.broken)} sites can be served"
        print(f"{folder}: {sites}; {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return 1 if errors else 0


def _nothing_to_do(loaded: Loaded) -> Iterator[Finding]:
    """Look whether anything would be served at all; the folder may be another than the one that was meant."""
    config = loaded.config
    if config is not None and not config.http and not config.https:
        file = loaded.folder / GATEWAY_FILE
        yield _warning(Origin(str(file)), "nothing listens: `http` and `https` are both empty")
    if config is not None and not loaded.sites and not loaded.broken:
        yield _warning(Origin(str(loaded.folder)), "there is no site file, such as example.com.toml")


def _missing_paths(site: Site, machine: Machine) -> Iterator[Finding]:
    for location in site.locations:
        leaf = location.leaf
        if isinstance(leaf, Static):
            if not machine.has_folder(leaf.root):
                yield _warning(location.origin, f"there is no folder {leaf.root}")
            elif leaf.spa and not machine.has_file(f"{leaf.root}/index.html"):
                yield _warning(location.origin, f"there is no file {leaf.root}/index.html, which is the app itself")
        if isinstance(leaf, Proxy) and not leaf.verify and any(upstream.tls for upstream in leaf.to):
            yield _warning(location.origin, "the certificate of the upstream is not verified")
    for folder in site.assets:
        if not any(machine.has_folder(path) for path in [folder, *glob(folder)]):
            yield _warning(site.origins["assets"], f"there is no folder {folder}")
    if site.plain_subdomain:
        message = f"hsts.subdomains has no effect: {site.plain_subdomain} is served without HTTPS"
        yield _finding("error", site.origins["hsts"], message)
    pages = [("errors", page) for _, page in site.errors]
    if site.maintenance.page:
        pages.append(("maintenance", site.maintenance.page))
    for key, page in pages:
        if not machine.has_file(page):
            yield _warning(site.origins[key], f"there is no file {page}")


def _certificate(site: Site, now: float) -> Iterator[Finding]:
    """Look at what only time and the other names of a site bring about; the loader has seen to the rest."""
    if not site.cert:
        return
    origin = site.origins["cert"]
    try:
        found = load_files(site.cert, site.key)
    except CertificateUnusable as problem:  # changed since it was loaded
        yield _finding("error", origin, str(problem))
        return
    left = found.not_after - now
    if left <= 0:
        yield _finding("error", origin, f"the certificate expired {_days(-left)} ago")
    elif found.not_before > now:
        yield _finding("error", origin, f"the certificate is not valid before {_days(found.not_before - now)} from now")
    elif left < (found.not_after - found.not_before) / 3:
        yield _warning(origin, f"the certificate expires in {_days(left)}")
    if found.lacks_issuer:
        advice = "many clients will not trust it; put the whole chain into the file"
        yield _warning(origin, f"the certificate comes without that of its issuer, {found.issuer}: {advice}")
    names = [name for name in site.hosts if name != site.implied]
    missing = [name for name in (*names, *(f"*.{each}" for each in site.wildcards)) if not found.covers(name)]
    if missing:
        yield _warning(origin, f"the certificate is not for {', '.join(missing)}: no HTTPS there")


def _days(seconds: float) -> str:
    return _count(int(seconds // 86_400), "day")


def _upstreams(sites: Sequence[Site], machine: Machine) -> Iterator[Finding]:
    used: dict[UpstreamAddress, Location] = {}
    for site in sites:
        for location in site.locations:
            for upstream in location.leaf.to if isinstance(location.leaf, Proxy) else ():
                used.setdefault(upstream, location)
    with ThreadPoolExecutor(_PROBES) as threads:
        listening = list(threads.map(machine.listens, used))
    open_ports = machine.open_ports()
    for (upstream, location), listens in zip(used.items(), listening, strict=True):
        if not listens:
            yield _warning(location.origin, f"nothing listens on {upstream.name}")
        elif upstream.host in _LOOPBACK and upstream.port in open_ports:
            message = f"port {upstream.port} listens on all addresses: it may be reachable past the gateway"
            yield _warning(location.origin, message)


def _journey(journey: Journey) -> Finding | None:
    """Judge one journey: a loop is an error, more than one hop is worth a word."""
    way = " -> ".join(journey.urls)
    origin = journey.location.origin
    if journey.loops:
        return _finding("error", origin, f"redirect loop: {way}", "loop")
    if len(journey.urls) > 2:
        return _finding("warning", origin, f"{len(journey.urls) - 1} redirects in a row: {way}")
    return None


def _warning(origin: Origin, message: str) -> Finding:
    return _finding("warning", origin, message)


def _finding(severity: str, origin: Origin, message: str, kind: str = "") -> Finding:
    return Finding(
        severity=severity,
        message=message,
        file=origin.file,
        line=origin.line,
        column=origin.column,
        key=origin.key,
        source_line=origin.text,
        kind=kind or ("advice" if severity == "warning" else "certificate"),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
