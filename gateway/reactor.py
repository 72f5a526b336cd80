"""The choice of the reactor: asyncio's on a uvloop loop, unless one was asked for."""

from __future__ import annotations

import asyncio
import sys

from twisted.internet import asyncioreactor
from twisted.logger import Logger

log = Logger()


def install() -> bool:
    """Install the fastest reactor there is, before anything imports `twisted.internet.reactor`.

    A reactor that is there already, such as that of `twistd --reactor`, stays.

    Returns:
        Whether the reactor was installed here.
    """
    if "twisted.internet.reactor" in sys.modules:
        return False
    try:
        import uvloop
    except ImportError:
        log.warn("uvloop is not installed: the gateway works the same on Twisted's own reactor, but slower")
        return False
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    return True
