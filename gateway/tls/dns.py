"""Names that nobody asked for: a `www.` that came with a site wants a certificate only where DNS knows it."""

from __future__ import annotations

import socket
from typing import Final

from gateway.tls.problems import OrderRefused
from gateway.units import Seconds

AGAIN: Final = Seconds(3600)
"""How long until DNS is asked again."""


def check_known(name: str, now: Seconds) -> None:
    """Let a name wait that DNS does not know; one that nobody can be asked about now is the authority's to judge.

    Raises:
        OrderRefused: It has no address.
    """
    try:
        socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _NONE:
            raise OrderRefused(
                "no site file asks for it, and DNS has no address for it", Seconds(now + AGAIN)
            ) from None
    except (OSError, UnicodeError):
        pass


_NONE: Final = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})
