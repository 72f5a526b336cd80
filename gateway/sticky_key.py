"""The key of sticky sessions in the state folder, so that clients stay where they are when the gateway restarts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from gateway.config.model import Site
from gateway.site_parts import has_sticky
from gateway.tls.disk import Disk
from gateway.upstream.sticky import KEY_SIZE

log = Logger()

FILE: Final = "sticky.key"


class KeyWhenNeeded:
    """Takes the key from the state folder once there is a site that needs it, with the rights that stay.

    Args:
        state: The state folder.
        take: Takes the key, once, before the first site that needs it is served.
    """

    def __init__(self, state: Path, take: Callable[[bytes], object]) -> None:
        self._state = state
        self._take = take
        self._needed = False
        self._permitted = False
        self._taken = False

    def start(self) -> None:
        """From here on the state folder may be used."""
        self._permitted = True
        self._look()

    def use(self, sites: Iterable[Site]) -> None:
        """Be ready to serve these sites."""
        self._needed = any(has_sticky(site) for site in sites)
        self._look()

    def _look(self) -> None:
        if self._needed and self._permitted and not self._taken:
            self._taken = True
            self._take(kept_key(self._state))


def kept_key(state: Path) -> bytes:
    """Read the key, or make it; one that cannot be kept holds until the gateway ends.

    Args:
        state: The state folder.
    """
    path = state / FILE
    try:
        with open(path, "rb") as stream:
            found = stream.read(KEY_SIZE + 1)
        if len(found) == KEY_SIZE:
            return found
        log.warn("{path} is no key of sticky sessions: another one is made", path=str(path))
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warn("{path} cannot be read: sticky sessions end with the gateway: {error}", path=str(path), error=error)
        return secrets.token_bytes(KEY_SIZE)
    made = secrets.token_bytes(KEY_SIZE)
    try:
        state.mkdir(mode=0o700, exist_ok=True)
        Disk().replace(path, made)
    except OSError as error:
        log.warn("{path} cannot be written: sticky sessions end with the gateway: {error}", path=str(path), error=error)
    return made
