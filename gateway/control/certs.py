"""`gateway certs`: what certificates there are, what happens next, why one is missing, and renewal before its time."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gateway.certificates import STATE, authority_store, names_of, wanted_names
from gateway.config.hosts import normal_pattern
from gateway.config.loader import load
from gateway.config.model import GatewayConfig, Loaded
from gateway.control.advice import Advice
from gateway.control.dns_look import World
from gateway.control.moments import moment
from gateway.tls.certificate import CertifiedKey
from gateway.tls.local_ca import FOLDER, ROOT, is_local, trust_advice
from gateway.tls.schedule import Validity, decide
from gateway.tls.state_folder import Requests, StateLock
from gateway.tls.store import DirectoryStore
from gateway.units import Seconds

RENEW_TIME: Final = Seconds(120)
"""How long `renew` waits for the running gateway."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands `certs` and `trust`."""
    parser = commands.add_parser("certs", help="list, renew and explain certificates")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the certificates of all names")
    listing.set_defaults(run=_told(_list))
    renewing = actions.add_parser("renew", help="renew a certificate now")
    renewing.set_defaults(run=_told(_renew))
    explaining = actions.add_parser("why", help="explain the state of a name's certificate")
    explaining.set_defaults(run=_told(_why))
    for each in (renewing, explaining):
        each.add_argument("name", type=_name, help="the name, such as example.com or *.example.com")
    trusting = commands.add_parser("trust", help="tell how to trust the local authority")
    trusting.set_defaults(run=_told(_trust))
    for each in (listing, renewing, explaining, trusting):
        each.add_argument("-c", "--config", default="sites", type=Path, help="folder of site files (default: sites)")


def _name(text: str) -> str:
    try:
        return normal_pattern(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _told(action: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Say in a sentence that the state folder is not open to the user who runs this."""

    def run(options: argparse.Namespace) -> int:
        try:
            return action(options)
        except PermissionError as error:
            print(f"no permission for {error.filename}: run this as the gateway's user or as root")
            return 1

    return run


def _list(options: argparse.Namespace) -> int:
    loaded, config = _load(options.config)
    if config is None:
        return 1
    rows = list(_rows(loaded, config, Seconds(time.time())))
    if not rows:
        print("no site has a name that wants an automatic certificate")
        return 0
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]]))
    return 0


def _rows(loaded: Loaded, config: GatewayConfig, now: Seconds) -> Iterator[tuple[str, str, str, str]]:
    """Make the rows of the list: name, issuer, days left, next action."""
    store = authority_store(config)
    wanted = wanted_names(loaded.sites, config.acme.profile)
    for name in sorted({*wanted, *store.names()}):
        key = store.get(name)
        issuer = key.issuer if key is not None else "-"
        yield name, issuer, days_left(key, now), next_action(name, key, store, now, name in wanted, config)


def days_left(key: CertifiedKey | None, now: Seconds) -> str:
    """Say how long a certificate holds."""
    if key is None:
        return "none"
    left = (key.not_after - now) / 86400
    return f"{left:.0f} days" if left >= 1 else f"{left * 24:.0f} hours" if left > 0 else "EXPIRED"


def next_action(
    name: str, key: CertifiedKey | None, store: DirectoryStore, now: Seconds, wanted: bool, config: GatewayConfig
) -> str:
    """Say what will happen next to a name."""
    if not wanted:
        return "kept, no site has the name"
    if not config.acme.enabled:
        return "nothing: set `email`, or `agree = true`, in [acme] of gateway.toml"
    validity = Validity(key.not_before, key.not_after) if key is not None else None
    decision = decide(validity, store.state(name), now)
    verb = "renews" if key is not None else "asks"
    return (
        f"{verb} now: {decision.reason}" if decision.at <= now else f"{verb} {moment(decision.at)}: {decision.reason}"
    )


def _renew(options: argparse.Namespace) -> int:
    loaded, config = _load(options.config)
    if config is None:
        return 1
    name = options.name
    if name not in wanted_names(loaded.sites, ""):
        print(f"{name} has no automatic certificate; `gateway certs why {name}` says why")
        return 1
    folder = Path(config.state) / STATE
    if not StateLock(folder).is_held():
        print(f"no gateway is running with the state folder {config.state}")
        return 1
    store = authority_store(config)
    before, state = store.get(name), store.state(name)
    Requests(folder).ask(name)
    deadline = time.monotonic() + RENEW_TIME
    while time.monotonic() < deadline:
        time.sleep(0.5)
        key, now = store.get(name), store.state(name)
        if key is not None and (before is None or key.serial != before.serial):
            print(f"{name}: new certificate by {key.issuer}, until {moment(key.not_after)}")
            return 0
        if now.error and (now.last_failure, now.held_until) != (state.last_failure, state.held_until):
            print(f"{name}: {now.error}")
            return 1
    print(f"{name}: nothing has come of it within {RENEW_TIME:.0f} s; see the log")
    return 1


def _why(options: argparse.Namespace) -> int:
    loaded, config = _load(options.config)
    if config is None:
        return 1
    print(*list(Advice(loaded, config, World(), Seconds(time.time())).sentences(options.name)), sep="\n")
    return 0


def _trust(options: argparse.Namespace) -> int:
    loaded, config = _load(options.config)
    if config is None:
        return 1
    root = Path(config.state) / FOLDER / ROOT
    local = [name for site in loaded.sites for name in names_of(site) if is_local(name)]
    if not config.local_ca:
        print("there is no local authority: set `local_ca = true` in gateway.toml")
    elif not root.exists():
        which = "start the gateway" if local else "no site has a name under .localhost; add one and start the gateway"
        print(f"the local authority is made on first use: {which}")
    else:
        print(trust_advice(root), end="")
        return 0
    return 1


def _load(folder: Path) -> tuple[Loaded, GatewayConfig | None]:
    loaded = load(folder, os.environ)
    if loaded.config is None:
        print(f"{folder}: gateway.toml cannot be used; `gateway check` shows every error")
    return loaded, loaded.config
