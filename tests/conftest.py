"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

# No test depends on how fast the machine is just then.
settings.register_profile("gateway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gateway")


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What the gateway's own log says, a sentence each."""
    sentences: list[str] = []

    def note(event: LogEvent) -> None:
        sentences.append(formatEvent(event))

    globalLogPublisher.addObserver(note)
    yield sentences
    globalLogPublisher.removeObserver(note)
