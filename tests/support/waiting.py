"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine: tests wait for what happens, never for time to pass."""
_STEP = 0.02
_Found = TypeVar("_Found")


def eventually(found: Callable[[], _Found | None], otherwise: Callable[[], object] = str) -> _Found:
    """Call `found` again and again until it returns something true.

    Args:
        found: What is waited for.
        otherwise: Says what is known when it does not happen, such as a log.

    Returns:
        What `found` returned.

    Raises:
        AssertionError: It did not happen within PATIENCE.
    """
    deadline = time.monotonic() + PATIENCE
    while not (result := found()):
        assert time.monotonic() < deadline, f"it did not happen within {PATIENCE:.0f} s: {otherwise()}"
        time.sleep(_STEP)
    return result
