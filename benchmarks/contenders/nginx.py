"""nginx as Debian packages it."""

from __future__ import annotations

import os
import subprocess

from benchmarks.contenders.base import SITES, Contender, Task
from benchmarks.process import Command

_MAIN = """\
{user}daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 20000; }}
http {{
    log_format sites '$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                     '"$http_referer" "$http_user_agent" $request_id $request_time $upstream_response_time';
    access_log {folder}/access.log sites buffer=64k flush=1s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    gzip_static on;
    types {{
        text/css css;
        image/webp webp;
    }}
    default_type application/octet-stream;
    keepalive_requests 1000000000;
    client_max_body_size 100m;

    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" "";
    }}
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    proxy_http_version 1.1;
    proxy_buffers 16 16k;
    proxy_busy_buffers_size 64k;
    proxy_max_temp_file_size 0;
    proxy_read_timeout 60s;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header Via "1.1 nginx";
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Request-Id $request_id;
    add_header X-Request-Id $request_id always;
{added}
{sites}
}}
"""

_SITE = """\
    upstream {site} {{
        server 127.0.0.1:{backend};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{tls_port} ssl backlog=4096;
        server_name {site};
        location / {{ {content}; }}
    }}
"""


def _prepare(task: Task) -> Command:
    config = task.folder / "nginx.conf"
    sites = "".join(
        _SITE.format(
            site=site, port=task.port, tls_port=task.tls_port, backend=task.backend, content=_content(site, task)
        )
        for site in SITES
    )
    config.write_text(
        _MAIN.format(
            user="user root root;\n" if os.geteuid() == 0 else "",
            folder=task.folder,
            added="".join(f'    add_header {name} "{value}" always;\n' for name, value in task.added.items()),
            sites=_with_backlog(sites, task),
            cert=task.certificate.cert,
            key=task.certificate.key,
        )
    )
    return Command(["nginx", "-p", str(task.folder), "-c", str(config)], task.folder / "access.log")


def _with_backlog(sites: str, task: Task) -> str:
    """Leave the length of the queue to the first site of each port: nginx refuses it twice."""
    sites = sites.replace(" backlog=4096", "")
    for port, tls in ((task.port, ""), (task.tls_port, " ssl")):
        sites = sites.replace(f":{port}{tls};", f":{port}{tls} backlog=4096;", 1)
    return sites


def _content(site: str, task: Task) -> str:
    return f"root {task.static / site}" if task.static else f"proxy_pass http://{site}"


def _version() -> str:
    printed = subprocess.run(["nginx", "-v"], capture_output=True, text=True, timeout=10, check=True).stderr
    return printed.strip().rpartition("/")[2]


nginx = Contender("nginx", _prepare, _version)
