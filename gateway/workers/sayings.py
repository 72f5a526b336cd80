"""What a worker has to say to the operator: the leader writes it to the log, for there is one log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal, cast

from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, formatEvent
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.units import Seconds
from gateway.workers.link import Link
from gateway.workers.messages import FromLeader, Said

log = Logger()

SAME: Final = Seconds(10)
"""How long the same sentence of several processes is one."""
_LONGEST: Final = 10_000
_REMEMBERED: Final = 1000

Level = Literal["info", "warn", "error", "critical"]


@implementer(ILogObserver)
class Sayings:
    """A log observer that passes warnings and errors on to the leader; what is less, the leader says itself.

    Attributes:
        link: To the leader.
    """

    def __init__(self) -> None:
        self.link: Link[FromLeader] | None = None

    def __call__(self, event: LogEvent) -> None:
        """Pass an event on, unless the leader does not keep up."""
        level = event.get("log_level", LogLevel.info)
        if level < LogLevel.warn or self.link is None or self.link.full:
            return
        text = formatEvent(event)
        failure = event.get("log_failure")
        if isinstance(failure, Failure):
            text = f"{text}\n{failure.getTraceback()}"
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST // 2]} [...] {text[-_LONGEST // 2 :]}"
        self.link.say(Said(level=cast("Level", level.name), text=text))


@implementer(ILogObserver)
class Repeater:
    """Says in the leader's log what workers say; what several processes say at once is said once.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], Seconds]) -> None:
        self._clock = clock
        self._said: OrderedDict[str, Seconds] = OrderedDict()

    def __call__(self, event: LogEvent) -> None:
        """Take note of what the leader says itself: a log observer."""
        if event.get("log_level", LogLevel.info) >= LogLevel.warn:
            self._note(formatEvent(event))

    def repeat(self, number: int, said: Said) -> None:
        """Say what a worker said, unless it is known."""
        last = self._said.get(said.text)
        if last is None or self._clock() - last > SAME:
            self._note(said.text)
            log.emit(LogLevel.levelWithName(said.level), "worker {number}: {text}", number=number, text=said.text)

    def _note(self, text: str) -> None:
        self._said[text] = self._clock()
        self._said.move_to_end(text)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
