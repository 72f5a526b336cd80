"""Caddy as Debian packages it.

Configured in JSON, because a Caddyfile with a `log` directive in each of many sites makes one logger a site, and every
request then pays for all of them: about four times the CPU time of what is measured here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.contenders.base import SITES, Contender, Task
from benchmarks.process import Command


def _file(path: Path) -> dict[str, object]:
    return {"output": "file", "filename": str(path), "roll": False}


def _site(site: str, task: Task, port: int) -> dict[str, object]:
    added = {name: [value] for name, value in {**task.added, "X-Request-Id": "{http.request.uuid}"}.items()}
    sent = {
        "Via": ["1.1 caddy"],
        "X-Forwarded-Port": [str(port)],
        "X-Request-Id": ["{http.request.uuid}"],
    }
    fields = {"handler": "headers", "response": {"deferred": True, "delete": ["Server"], "set": added}}
    proxy = {
        "handler": "reverse_proxy",
        "headers": {"request": {"set": sent}},
        "transport": {"protocol": "http", "keep_alive": {"max_idle_conns_per_host": 64}},
        "upstreams": [{"dial": f"127.0.0.1:{task.backend}"}],
    }
    content = _files(task.static / site) if task.static else proxy
    return {"match": [{"host": [site]}], "handle": [fields, content], "terminal": True}


def _files(folder: Path) -> dict[str, object]:
    copies = {"precompressed": {"br": {}, "gzip": {}}, "precompressed_order": ["br", "gzip"]}
    return {"handler": "file_server", "root": str(folder), **copies}


def _prepare(task: Task) -> Command:
    log = task.folder / "access.log"
    server = {
        "listen": [f"127.0.0.1:{task.port}"],
        "automatic_https": {"disable": True},
        "logs": {"default_logger_name": "sites"},
        "routes": [_site(site, task, task.port) for site in SITES],
    }
    errors = {"writer": _file(task.folder / "error.log"), "level": "WARN", "exclude": ["http.log.access.sites"]}
    secure = {
        **server,
        "listen": [f"127.0.0.1:{task.tls_port}"],
        "routes": [_site(site, task, task.tls_port) for site in SITES],
        "protocols": ["h1"],
        "tls_connection_policies": [{}],
    }
    pair = {"certificate": str(task.certificate.cert), "key": str(task.certificate.key)}
    config = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": errors, "sites": {"writer": _file(log), "include": ["http.log.access.sites"]}}},
        "apps": {
            "http": {"servers": {"front": server, "secure": secure}},
            "tls": {"certificates": {"load_files": [pair]}},
        },
    }
    written = task.folder / "caddy.json"
    written.write_text(json.dumps(config))
    home = str(task.folder)
    return Command(
        ["caddy", "run", "--config", str(written)],
        log,
        {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "GOMAXPROCS": "1"},
    )


def _version() -> str:
    argv = ["caddy", "version"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout.split()[0]


caddy = Contender("caddy", _prepare, _version)
