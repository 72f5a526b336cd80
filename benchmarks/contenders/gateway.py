"""gateway: the checkout these benchmarks lie in, or another one, run by the current Python."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.certificate import LOCAL
from benchmarks.contenders.base import ADDED_FIELDS, SITES, Contender, Task
from benchmarks.process import Command

_CHECKOUT = Path(__file__).parents[2]
_TWISTD = ["-c", "from twisted.scripts.twistd import run; run()"]

_MACHINE = """\
http  = ["127.0.0.1:{port}"]
https = ["127.0.0.1:{tls_port}"]
state = "{folder}/state"

[log]
folder = "{folder}/logs"

[limits]
connections            = 10000
connections_per_client = 10000
"""

_SITE = """\
{content}
https = "optional"
cert  = "{cert}"
key   = "{key}"
hosts = {hosts}

[headers]
{added}{websocket}"""

_WEBSOCKET = """
[websocket]
connections_per_client = 10000
ping = "10m"
idle = "20m"
"""


def _prepare(task: Task, *, checkout: Path, twistd: tuple[str, ...]) -> Command:
    sites = task.folder / "sites"
    for folder in (sites, task.folder / "logs", task.folder / "state"):
        folder.mkdir()
    (sites / "gateway.toml").write_text(_MACHINE.format(port=task.port, tls_port=task.tls_port, folder=task.folder))
    added = "".join(f'{name} = "{value}"\n' for name, value in ADDED_FIELDS.items())
    files = task.certificate
    for site in SITES:
        hosts = [LOCAL] if site == SITES[0] else []
        (sites / f"{site}.toml").write_text(
            _SITE.format(
                content=_content(site, task),
                added=added,
                websocket="" if task.static else _WEBSOCKET,
                cert=files.cert,
                key=files.key,
                hosts=hosts,
            )
        )
    argv = [sys.executable, *_TWISTD, "-n", "--pidfile=", *twistd, "gateway", "-c", str(sites)]
    return Command(argv, task.folder / "logs", {"PYTHONPATH": str(checkout)})


def _content(site: str, task: Task) -> str:
    return f'static = "{task.static / site}"' if task.static else f"proxy = {task.backend}"


def _version(*, checkout: Path) -> str:
    argv = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--tags"]
    described = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    return described.stdout.strip() or "unknown"


def gateway(name: str, *twistd: str, checkout: Path = _CHECKOUT) -> Contender:
    """Make a contender of one way to run gateway.

    Args:
        name: What the table calls it.
        twistd: Options for twistd itself, such as `--reactor=epoll`.
        checkout: The folder whose code runs.

    Returns:
        The contender.
    """
    return Contender(name, partial(_prepare, checkout=checkout, twistd=twistd), partial(_version, checkout=checkout))
