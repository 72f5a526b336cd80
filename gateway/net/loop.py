"""Which event loop is under the reactor."""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

try:
    import uvloop
except ImportError:  # no uvloop for this platform: Twisted's own transports serve
    UVLOOP: type[asyncio.AbstractEventLoop] | None = None
else:
    UVLOOP = uvloop.Loop

log = Logger()


def loop_of(reactor: object) -> asyncio.AbstractEventLoop | None:
    """Find the uvloop loop a reactor runs on, and have the loop's errors logged.

    Returns:
        The loop, or None where the reactor runs on anything else.
    """
    loop = getattr(reactor, "_asyncioEventloop", None)  # Twisted has no public name for it
    if UVLOOP is None or not isinstance(loop, UVLOOP):
        return None
    if loop.get_exception_handler() is None:
        loop.set_exception_handler(_log_problem)
    return loop


def _log_problem(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # Any: asyncio's signature
    problem = context.get("exception")
    if problem is None:
        log.error("event loop: {message}", message=context["message"])
    else:
        log.failure("event loop: {message}", Failure(problem), message=context["message"])
