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
events {{ worker_connections 9000; }}
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
        server_name {site};
        location / {{ {content}; }}
    }}
"""


def _prepare(task: Task) -> Command:
    config = task.folder / "nginx.conf"
    sites = "".join(
        _SITE.format(site=site, port=task.port, backend=task.backend, content=_content(site, task)) for site in SITES
    )
    config.write_text(
        _MAIN.format(
            user="user root root;\n" if os.geteuid() == 0 else "",
            folder=task.folder,
            added="".join(f'    add_header {name} "{value}" always;\n' for name, value in task.added.items()),
            sites=sites.replace(" backlog=4096", "").replace(f":{task.port};", f":{task.port} backlog=4096;", 1),
        )
    )
    return Command(["nginx", "-p", str(task.folder), "-c", str(config)], task.folder / "access.log")


def _content(site: str, task: Task) -> str:
    return f"root {task.static / site}" if task.static else f"proxy_pass http://{site}"


def _version() -> str:
    printed = subprocess.run(["nginx", "-v"], capture_output=True, text=True, timeout=10, check=True).stderr
    return printed.strip().rpartition("/")[2]


nginx = Contender("nginx", _prepare, _version)
