"""nginx, HAProxy, Caddy and the gateway, each a plain reverse proxy for one site on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import require
from tests.support.twistd import Twistd

SITE = "example.com"

_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} default_server;
    return 404;
  }}
  server {{
    listen 127.0.0.1:{port};
    server_name {site};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""
_HAPROXY = """\
global
  maxconn 100
defaults
  mode http
  timeout connect 3s
  timeout client 10s
  timeout server 10s
  timeout http-request 10s
  option forwardfor
frontend front
  bind 127.0.0.1:{port}
  acl known hdr(host) -i {site} {site}:80
  http-request deny deny_status 404 unless known
  default_backend back
backend back
  server one 127.0.0.1:{upstream}
"""
_CADDY = """\
{{
  admin off
  auto_https off
}}
http://{site}:{port} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{upstream}
}}
"""


class Peer:
    """A running proxy.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        process.wait_for_port(port)

    def stop(self) -> None:
        """End it."""
        self.process.kill()


def gateway(folder: Path, upstream: int) -> Twistd:
    """Start the gateway over one site file."""
    return Twistd(folder, {SITE: f"proxy = {upstream}"}, reactor="uvloop")


def nginx(folder: Path, upstream: int) -> Peer:
    """Start nginx."""
    return _start(folder, upstream, _NGINX, [require("nginx"), "-e", "stderr", "-p", folder, "-c"])


def haproxy(folder: Path, upstream: int) -> Peer:
    """Start HAProxy."""
    return _start(folder, upstream, _HAPROXY, [require("haproxy"), "-db", "-f"])


def caddy(folder: Path, upstream: int) -> Peer:
    """Start Caddy."""
    return _start(folder, upstream, _CADDY, [require("caddy"), "run", "--adapter", "caddyfile", "--config"])


def _start(folder: Path, upstream: int, template: str, command: list[str | Path]) -> Peer:
    port = free_port()
    settings = folder / "settings.conf"
    settings.write_text(template.format(folder=folder, port=port, upstream=upstream, site=SITE))
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return Peer(Process([*command, settings], folder / "output.log", cwd=folder, env=environment), port)


STARTERS: dict[str, Callable[[Path, int], Peer | Twistd]] = {
    "gateway": gateway,
    "nginx": nginx,
    "HAProxy": haproxy,
    "Caddy": caddy,
}
