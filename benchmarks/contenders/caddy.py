"""Caddy as Debian packages it."""

from __future__ import annotations

import subprocess

from benchmarks.contenders.base import ADDED_FIELDS, SITES, Contender, Task
from benchmarks.process import Command

_MAIN = """\
{{
    admin off
    auto_https off
    log default {{
        output file {folder}/error.log {{
            roll_disabled
        }}
        level WARN
    }}
}}
(app) {{
    bind 127.0.0.1
    log {{
        output file {folder}/access.log {{
            roll_disabled
        }}
    }}
    header {{
        -Server
        X-Request-Id {{http.request.uuid}}
{added}    }}
    reverse_proxy 127.0.0.1:{backend} {{
        header_up Via "1.1 caddy"
        header_up X-Forwarded-Port {port}
        header_up X-Request-Id {{http.request.uuid}}
        transport http {{
            keepalive_idle_conns_per_host 64
        }}
    }}
}}
{sites}"""

_SITE = """\
http://{site}:{port} {{
    import app
}}
"""


def _prepare(task: Task) -> Command:
    config = task.folder / "Caddyfile"
    config.write_text(
        _MAIN.format(
            folder=task.folder,
            port=task.port,
            backend=task.backend,
            added="".join(f'        {name} "{value}"\n' for name, value in ADDED_FIELDS.items()),
            sites="".join(_SITE.format(site=site, port=task.port) for site in SITES),
        )
    )
    home = str(task.folder)
    return Command(
        ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"],
        {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "GOMAXPROCS": "1"},
    )


def _version() -> str:
    return subprocess.run(["caddy", "version"], capture_output=True, text=True, timeout=10, check=True).stdout.split()[
        0
    ]


caddy = Contender("caddy", _prepare, _version)
