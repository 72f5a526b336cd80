"""The upkeep of the state folder: whose it is, what is taken over, what can go, and what the operator wishes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from gateway.tls.certificate import CertifiedKey
from gateway.tls.state import NameState
from gateway.tls.state_folder import Requests, StateLock
from gateway.tls.store import DirectoryStore
from gateway.units import Seconds

log = Logger()

_CLEAN: Final = 86400.0


class Upkeep:
    """Looks after the state folder. All methods block.

    Args:
        store: The certificates in it.
        lock: Keeps a second gateway out.
        requests: Wishes of the operator.
        take_over: Folder of txacme's certificates to go on with; None for none.
    """

    def __init__(self, store: DirectoryStore, lock: StateLock, requests: Requests, take_over: Path | None) -> None:
        self._store = store
        self._lock = lock
        self._requests = requests
        self._take_over = take_over
        self._cleaned = 0.0

    def read(self, name: str) -> tuple[CertifiedKey | None, NameState]:
        """Read the certificate of a name and what is remembered of it; what cannot be read counts as not there."""
        try:
            state = self._store.state(name)
        except OSError as error:
            log.error("{name}: what is remembered cannot be read: {error}", name=name, error=error)
            state = NameState()
        return self._store.get(name), state

    def foreign(self) -> dict[str, CertifiedKey]:
        """Read the certificates that will be taken over."""
        return self._store.foreign(self._take_over) if self._take_over is not None else {}

    def tend(self, keep: Collection[str], now: Seconds) -> list[str] | None:
        """Do what there is to do.

        Args:
            keep: Names with a site.
            now: Seconds of the epoch.

        Returns:
            The names that the operator wants renewed now; None where another gateway has the folder.

        Raises:
            OSError: The folder cannot be used.
        """
        if not self._lock.acquire():
            return None
        if self._take_over is not None:
            folder, self._take_over = self._take_over, None
            for name in self._store.take_over(folder):
                log.info("took over the certificate of {name} from {folder}", name=name, folder=str(folder))
        if not self._cleaned <= now < self._cleaned + _CLEAN:
            self._cleaned = now
            for name in self._store.clean(keep, now):
                log.info("removed the expired certificate of {name}, which no site has", name=name)
        return list(self._requests.take())

    def end(self) -> None:
        """Leave the folder to others."""
        self._lock.release()
