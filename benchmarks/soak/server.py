"""The gateway that is soaked: its sites, its limits, and how it is started."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backend import LARGE, pattern
from benchmarks.certificate import certificate
from benchmarks.contenders.base import ADDED_FIELDS
from benchmarks.process import Command
from benchmarks.soak.world import APP, CORPUS, DEAD, DYING, FILES, ODD, SITES

_CHECKOUT = Path(__file__).parents[2]
_MACHINE = """\
http  = ["127.0.0.1:{port}"]
https = ["127.0.0.1:{tls_port}"]
state = "{folder}/state"
{workers}
[log]
folder = "{folder}/logs"
max_size = "32 MB"
keep = 2

[limits]
connections_per_client = 10000
header_time = "4s"
"""
_SITE = """\
{content}
https = "optional"
cert  = "{cert}"
key   = "{key}"
max_body = "20 MB"
{routes}
[headers]
{added}"""
_SPOOLED = """
[routes]
"/spool/*" = {{ proxy = {port}, buffer = "20 MB", keep_alive = "2s" }}
"/never" = {{ proxy = {port}, response_timeout = "1s", keep_alive = "2s" }}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens on 127.0.0.1; nobody listens on `dead`."""

    http: int
    https: int
    backend: int
    odd: int
    dying: int
    dead: int


def prepare(folder: Path, ports: Ports, workers: int) -> Command:
    """Write the configuration and the files of a gateway.

    Args:
        folder: For all of it.
        ports: Where to listen, and where the applications are.
        workers: How many processes serve.

    Returns:
        How to start it.
    """
    sites = folder / "sites"
    for each in (sites, folder / "logs", folder / "state", folder / "files", folder / "keys"):
        each.mkdir()
    _write_files(folder / "files")
    (sites / "gateway.toml").write_text(
        _MACHINE.format(
            port=ports.http,
            tls_port=ports.https,
            folder=folder,
            workers=f"workers = {workers}\n" if workers > 1 else "",
        )
    )
    keys = certificate(folder / "keys", SITES)
    added = "".join(f'{name} = "{value}"\n' for name, value in ADDED_FIELDS.items())
    contents = {
        APP: _proxy(ports.backend),
        CORPUS: _proxy(ports.backend),
        ODD: _proxy(ports.odd),
        DYING: _proxy(ports.dying),
        DEAD: _proxy(ports.dead),
        FILES: f'static = "{folder / "files"}"',
    }
    for site, content in contents.items():
        routes = _SPOOLED.format(port=ports.odd) if site == ODD else ""
        text = _SITE.format(content=content, cert=keys.cert, key=keys.key, added=added, routes=routes)
        (sites / f"{site}.toml").write_text(text)
    argv = ["-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "gateway", "-c", str(sites)]
    return Command([sys.executable, *argv], folder / "logs", {"PYTHONPATH": str(_CHECKOUT)})


def _proxy(port: int) -> str:
    return f'proxy = {{ to = {port}, idle_timeout = "20s", keep_alive = "2s" }}'


def _write_files(folder: Path) -> None:
    (folder / "small.css").write_bytes(pattern(1024))
    (folder / "medium.webp").write_bytes(pattern(100 * 1024))
    (folder / "large").write_bytes(pattern(LARGE))
