"""What all workers serve: the sites that the leader decided on, whole for a new worker, changes for the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from gateway.config.model import BrokenSite, Site
from gateway.workers.messages import FromLeader, Serve
from gateway.workers.packing import pack_sites


class Generation:
    """The newest generation.

    Attributes:
        number: Its number; 0 before the first.
    """

    def __init__(self) -> None:
        self.number = 0
        self._sites: dict[str, Site | BrokenSite] = {}

    def next(self, sites: Iterable[Site], refused: Iterable[BrokenSite]) -> Iterator[FromLeader]:
        """Begin another one; give what is to be said to workers that have the one before.

        Args:
            sites: All sites; one that is the very object of before has not changed.
            refused: Sites that cannot be served.
        """
        now: dict[str, Site | BrokenSite] = {site.file: site for site in sites}
        # Errors are the leader's to tell, and no data.
        now |= {site.file: dataclasses.replace(site, errors=()) for site in refused}
        before, self._sites = self._sites, now
        self.number += 1
        yield from pack_sites(site for file, site in now.items() if before.get(file) is not site)
        yield self._serve()

    def everything(self) -> Iterator[FromLeader]:
        """Say all to a worker that knows nothing yet."""
        yield from pack_sites(self._sites.values())
        yield self._serve()

    def _serve(self) -> Serve:
        return Serve(generation=self.number, files=tuple(self._sites))
