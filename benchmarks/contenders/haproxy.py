"""HAProxy as Debian packages it."""

from __future__ import annotations

import subprocess

from benchmarks.contenders.base import ADDED_FIELDS, SITES, Contender, Task
from benchmarks.process import Command

_MAIN = """\
global
    nbthread 1
    maxconn 9800
    log stdout len 4096 format raw local0
defaults
    mode http
    log global
    option httplog
    option dontlognull
    http-reuse always
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    timeout http-request 15s
    timeout http-keep-alive 75s
    timeout tunnel 1h
frontend front
    bind 127.0.0.1:{port} backlog 4096
    bind 127.0.0.1:{tls_port} backlog 4096 ssl crt {both} ssl-min-ver TLSv1.2 alpn http/1.1
    unique-id-format %[uuid]
    unique-id-header X-Request-Id
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header Via "1.1 haproxy"
    http-response set-header X-Request-Id %[unique-id]
    http-response del-header Server
{added}    use_backend %[req.hdr(host),field(1,:),lower,map_str({folder}/sites.map)]
{sites}"""

_SITE = """\
backend {site}
    server app 127.0.0.1:{backend} pool-max-conn 64
"""


def _prepare(task: Task) -> Command:
    (task.folder / "sites.map").write_text("".join(f"{site} {site}\n" for site in SITES))
    config = task.folder / "haproxy.cfg"
    config.write_text(
        _MAIN.format(
            port=task.port,
            tls_port=task.tls_port,
            both=task.certificate.both,
            folder=task.folder,
            added="".join(f'    http-response set-header {name} "{value}"\n' for name, value in ADDED_FIELDS.items()),
            sites="".join(_SITE.format(site=site, backend=task.backend) for site in SITES),
        )
    )
    return Command(["haproxy", "-db", "-f", str(config)], task.folder / "output")


def _version() -> str:
    printed = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, timeout=10, check=True).stdout
    return printed.split()[2]


haproxy = Contender("haproxy", _prepare, _version, static=False)
