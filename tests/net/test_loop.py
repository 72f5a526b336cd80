from __future__ import annotations

from collections.abc import Iterator

import pytest
import uvloop
from twisted.logger import globalLogPublisher

from gateway.net.loop import loop_of


class Reactor:
    def __init__(self, loop: object) -> None:
        self._asyncioEventloop = loop


@pytest.fixture
def loop() -> Iterator[uvloop.Loop]:
    made = uvloop.new_event_loop()
    yield made
    made.close()


def test_finds_uvloop(loop: uvloop.Loop) -> None:
    """A reactor on uvloop shows its loop; any other shows none."""
    assert loop_of(Reactor(loop)) is loop
    assert loop_of(Reactor(object())) is None
    assert loop_of(object()) is None


def test_errors_are_logged(loop: uvloop.Loop) -> None:
    """What goes wrong in the loop is logged where everything else is."""
    loop_of(Reactor(loop))
    events: list[dict[str, object]] = []
    globalLogPublisher.addObserver(events.append)
    try:
        loop.call_exception_handler({"message": "odd"})
        loop.call_exception_handler({"message": "bad", "exception": ValueError("bug")})
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert [event["message"] for event in events] == ["odd", "bad"]
    assert "log_failure" in events[1]


def test_own_handler_stays(loop: uvloop.Loop) -> None:
    """A handler that somebody set is not replaced."""
    loop.set_exception_handler(print)
    loop_of(Reactor(loop))
    assert loop.get_exception_handler() is print
