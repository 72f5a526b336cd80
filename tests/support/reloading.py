"""Reloading in memory: a clock that takes calls from threads, and a watch that the test rings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from gateway.config.model import GatewayConfig
from gateway.config.site_folder import SiteFolder
from gateway.reload import Reloader
from gateway.sites import LastGood, SiteTable
from gateway.web.tree import VirtualHosts
from tests.support.served import Served


class FakeReactor(Clock):
    """A clock that also runs what threads hand over: at once, as there are none."""

    def callFromThread(self, act: Callable[[], object]) -> None:
        act()

    def work(self) -> None:
        """Do all that is to be done now."""
        while any(call.getTime() <= self.seconds() for call in self.getDelayedCalls()):
            self.advance(0)


class FakeWatch:
    """Notices what it is told to.

    Attributes:
        ring: Say that files may have changed.
        state: What was done with it.
    """

    def __init__(self, folder: Path, call: object, notice: Callable[[], object]) -> None:
        self.folder = folder
        self.ring = notice
        self.state = "new"

    def start(self) -> None:
        self.state = "started"

    def stop(self) -> Deferred[None]:
        self.state = "stopped"
        return succeed(None)


class Reloading(Served):
    """A folder of site files served in memory, and reloaded.

    Attributes:
        folder: The site files.
        table: The sites that are served.
        reloader: Reloads.
        configured: What gateway.toml said when it changed.
    """

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, last_good: LastGood | None = None, **files: str
    ) -> None:
        super().__init__(folder, patch, **files)
        self.path = folder
        self.reactor = FakeReactor()
        self.folder = SiteFolder(folder, {}, lambda: 2**62)
        self.table = SiteTable(self.compiler, self.upstreams, self._swap, last_good)
        self.configured: list[GatewayConfig] = []
        for _ in self.folder.refresh():
            pass
        self.reloader = Reloader(
            self.reactor, self.folder, self.table, self.configured.append, self.world.sockets.close_site
        )
        self.reloader.start()

    def _swap(self, tree: VirtualHosts) -> None:
        self.world.core.tree = tree

    @property
    def tree(self) -> VirtualHosts:
        tree = self.world.core.tree
        assert isinstance(tree, VirtualHosts)
        return tree

    def put(self, **files: str | None) -> None:
        """Write site files by their stem, `__` standing for a dot, or remove them."""
        for stem, text in files.items():
            file = self.path / f"{stem.replace('__', '.')}.toml"
            if text is None:
                file.unlink()
            else:
                half = file.with_suffix(".half")
                half.write_text(text)
                os.replace(half, file)

    def change(self, **files: str | None) -> None:
        """Write or remove site files and let it be noticed."""
        self.put(**files)
        self.reloader.touch()
        self.reactor.advance(0.3)
        self.reactor.work()

    def status(self, host: str) -> int:
        return int(self.get(host).split(b" ", 2)[1])

    def location(self, host: str) -> bytes:
        """Where a host redirects to; empty where it does not."""
        return self.get(host).partition(b"\r\nLocation: ")[2].partition(b"\r\n")[0]
