"""A folder of site files served in memory: real configuration and tree, upstreams that are the test."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

import gateway.compile
from gateway.compile import Compiler, virtual_hosts
from gateway.config.loader import load
from gateway.context import BuildContext
from gateway.http.forwarding import Via
from gateway.resources.page import ErrorPages
from gateway.units import Seconds
from gateway.upstream.pool import UpstreamRegistry
from tests.support.files import FakeDisk
from tests.support.transports import FakeEndpoint, FakeTransport, World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Served:
    """A gateway whose tree was made of files.

    Args:
        folder: An empty folder.
        patch: Puts fakes in the place of the upstreams' endpoints.
        wall_clock: Seconds since 1970, at which time stands still.
        files: Text of each site file by its stem.

    Attributes:
        world: The gateway in memory.
        disk: Its disk.
        loaded: What the files mean.
        endpoints: The upstreams' endpoints by host and port, or by the path of a socket.
        options: What each endpoint was made with.
        upstreams: The pools.
        compiler: Builds the sites.
    """

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, *, wall_clock: float = 1_700_000_000.5, **files: str
    ) -> None:
        for stem, text in files.items():
            (folder / f"{stem.replace('__', '.')}.toml").write_text(text)
        self.world = World()
        self.disk = FakeDisk()
        self.loaded = load(folder, {})
        self.upstreams = UpstreamRegistry()
        self.endpoints: dict[str, FakeEndpoint] = defaultdict(FakeEndpoint)
        self.options: dict[str, dict[str, object]] = {}
        patch.setattr(gateway.compile, "client_endpoint", self._endpoint)
        context = BuildContext(
            reactor=self.world.clock,
            clock=self.world.now,
            wall_clock=lambda: Seconds(wall_clock),
            disk=self.disk,
            sweeper=self.world.sweeper,
            upstreams=self.upstreams,
            via=Via("gw"),
        )
        self.compiler = Compiler(context, ErrorPages(), self.world.sockets)
        built = [self.compiler.build(site) for site in (*self.loaded.sites, *self.loaded.broken)]
        self.world.core.tree = virtual_hosts(built)

    def _endpoint(self, _reactor: object, **options: object) -> FakeEndpoint:
        name = str(options["path"] or f"{options['host']}:{options['port']}")
        self.options[name] = options
        return self.endpoints[name]

    def ask(self, host: str, target: str = "/", *fields: str, method: str = "GET") -> FakeTransport:
        """Send a request on a connection of its own."""
        client = self.world.client()
        lines = (f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, "", "")
        client.receive("\r\n".join(lines).encode("ascii"))
        return client

    def get(self, host: str, target: str = "/", *fields: str, method: str = "GET") -> bytes:
        """Send a request and take the answer, which must be there at once."""
        return self.ask(host, target, *fields, method=method).take()

    def forwarded(self, upstream: str, host: str, target: str = "/", *fields: str) -> bytes:
        """Send a request that an upstream is asked for, and take what it got."""
        client = self.ask(host, target, *fields)
        assert client.take() == b"", "answered by the gateway itself"
        return self.endpoints[upstream].last.take()
