"""Real upstreams: the demo app, nginx, and node servers."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.node import NODE, node_program
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import require

_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    if_modified_since before;
    location = /seen {{
      default_type text/plain;
      return 200 "$request_method $request_uri $http_host $http_x_forwarded_for $http_x_forwarded_proto\\n";
    }}
  }}
}}
"""


class Upstream:
    """A process that listens on 127.0.0.1."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        process.wait_for_port(port)

    def stop(self) -> None:
        self.process.stop()


def demo_app(folder: Path, port: int = 0) -> Upstream:
    """`python -m gateway.demo`; on a free port unless one is given."""
    port = port or free_port()
    command = [sys.executable, "-m", "gateway.demo", "--port", str(port)]
    return Upstream(Process(command, folder / "demo.log", cwd=folder), port)


def nginx(folder: Path) -> Upstream:
    """Nginx over `folder/www`, with its configuration and every temporary file below `folder`."""
    port, program = free_port(), require("nginx")
    (folder / "www").mkdir(exist_ok=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=port))
    command = [program, "-e", "stderr", "-p", folder, "-c", configuration]
    return Upstream(Process(command, folder / "nginx.log", cwd=folder), port)


def node_server(folder: Path, script: str, port: int = 0) -> Upstream:
    """One of the servers of `tests/e2e/node/`, told its port as its only argument: a free one unless one is given."""
    port = port or free_port()
    log = folder / f"{Path(script).stem}.log"
    return Upstream(Process([node_program(), NODE / script, str(port)], log, cwd=folder), port)
