"""The listening sockets of all workers: bound and held by the leader, so that none is refused while one is replaced.

Each listener has one socket, from whose queue every worker accepts. A worker that dies leaves the queue to the others;
with a socket each (SO_REUSEPORT) those in its queue would wait for its successor, or be reset.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket

from twisted.logger import Logger

from gateway.config.model import GatewayConfig
from gateway.net.endpoints import backlog
from gateway.net.listeners import bind, remove_socket_file

log = Logger()


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
        self._sockets: list[list[socket]] = []

    @property
    def descriptors(self) -> tuple[tuple[int, ...], ...]:
        """Of each listener the descriptors, those of `http` first."""
        return tuple(tuple(sock.fileno() for sock in sockets) for sockets in self._sockets)

    def bind(self) -> None:
        """Bind all.

        Raises:
            ListenError: One cannot be opened.
        """
        for address, source in self._listeners:
            self._sockets.append(bind(address, source))

    def listen(self) -> None:
        """Let connections wait until there is a worker, from now on."""
        for (address, source), sockets in zip(self._listeners, self._sockets, strict=True):
            for sock in sockets:
                sock.listen(backlog())
            log.info("listening on {address} ({source})", address=address.name, source=source)

    def close(self) -> None:
        """Close all; workers close theirs."""
        for (address, _), sockets in zip(self._listeners, self._sockets, strict=False):
            for sock in sockets:
                sock.close()
            with suppress(OSError):  # after `--uid` the folder may not let us; the next start replaces it
                remove_socket_file(address)
        self._sockets = []


def flat(descriptors: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """List the descriptors of all listeners."""
    return tuple(each for some in descriptors for each in some)
