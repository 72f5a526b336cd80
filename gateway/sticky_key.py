"""The key of sticky sessions in the state folder, so that clients stay where they are when the gateway restarts."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from gateway.tls.disk import Disk
from gateway.upstream.sticky import KEY_SIZE

log = Logger()

FILE: Final = "sticky.key"


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
