"""The listening sockets of all workers: bound and held by the leader, so that none is closed while one is replaced.

Each TCP listener has a socket for each worker (SO_REUSEPORT), among which the kernel shares out connections evenly:
from one queue, the worker that wakes up first takes most of those that come together, such as all WebSockets after a
restart. The queue of a worker that dies stays open here, and another one accepts from it meanwhile. UNIX sockets and
those of systemd cannot be multiplied; all workers accept from the one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket

from twisted.logger import Logger

from gateway.config.model import GatewayConfig
from gateway.net.endpoints import backlog
from gateway.net.listeners import ListenAddress, bind, remove_socket_file

log = Logger()

Descriptors = tuple[tuple[tuple[int, ...], ...], ...]
"""Of each place the descriptors of each listener, those of `http` first; what places share is in all of them."""


class ListeningSockets:
    """The sockets of all listeners.

    Args:
        config: Where to listen.
        folder: The folder of site files, for errors.
    """

    def __init__(self, config: GatewayConfig, folder: Path) -> None:
        source = f"{folder}/gateway.toml"
        self._listeners = [(address, f"{source}: http") for address in config.http]
        self._listeners += [(address, f"{source}: https") for address in config.https]
        self._workers = config.workers
        self._bound: list[list[list[socket]]] = []

    @property
    def descriptors(self) -> Descriptors:
        """The sockets of all places."""
        places = zip(*self._bound, strict=True) if self._bound else [()] * self._workers
        return tuple(tuple(tuple(sock.fileno() for sock in some) for some in place) for place in places)

    def bind(self) -> None:
        """Bind all.

        Raises:
            ListenError: One cannot be opened.
        """
        for address, source in self._listeners:
            self._bound.append(self._bind(address, source))

    def listen(self) -> None:
        """Let connections wait until there is a worker, from now on."""
        for (address, source), places in zip(self._listeners, self._bound, strict=True):
            for sock in _distinct(places):
                sock.listen(backlog())
            log.info("listening on {address} ({source})", address=address.name, source=source)

    def close(self) -> None:
        """Close all; workers close theirs."""
        for (address, _), places in zip(self._listeners, self._bound, strict=False):
            for sock in _distinct(places):
                sock.close()
            with suppress(OSError):  # after `--uid` the folder may not let us; the next start replaces it
                remove_socket_file(address)
        self._bound = []

    def _bind(self, address: ListenAddress, source: str) -> list[list[socket]]:
        """Bind one listener; give the sockets of each place."""
        # First alone: with SO_REUSEPORT another gateway of the same user would not be noticed.
        alone = bind(address, source)
        if not address.host:
            return [alone] * self._workers
        (first,) = alone
        chosen = dataclasses.replace(address, port=first.getsockname()[1])
        first.close()
        return [bind(chosen, source, reuse=True) for _ in range(self._workers)]


def flat(descriptors: Descriptors) -> tuple[int, ...]:
    """List each descriptor once."""
    return tuple(dict.fromkeys(each for place in descriptors for some in place for each in some))


def _distinct(places: Sequence[Sequence[socket]]) -> list[socket]:
    return list(dict.fromkeys(sock for some in places for sock in some))
