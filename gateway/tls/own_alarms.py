"""Alarms about certificates that sites bring along: nobody replaces them but the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gateway.tls.alarm import Alarm
from gateway.tls.schedule import BUILT, Validity, alarms
from gateway.tls.sni import ServerNames
from gateway.tls.state import NameState
from gateway.units import Seconds

log = Logger()


class OwnAlarms:
    """Gives each alarm once for a certificate, and once more after a restart.

    Args:
        names: Where the certificates are that are shown.
        alarm: Tells people.
        now: Seconds of the epoch.

    Attributes:
        sites: The names that a certificate may be shown for, by the name of the site that has it.
    """

    def __init__(self, names: ServerNames, alarm: Alarm, now: Callable[[], Seconds]) -> None:
        self.sites: Mapping[str, tuple[str, ...]] = {}
        self._names = names
        self._alarm = alarm
        self._now = now
        self._given: dict[tuple[str, int], tuple[str, ...]] = {}

    def look(self) -> None:
        """Give the alarms that are due."""
        now = self._now()
        before, self._given = self._given, {}
        for site, names in self.sites.items():
            key = next(filter(None, map(self._names.find, names)), None)
            if key is None or now < BUILT:
                continue
            given = before.get((site, key.serial), ())
            due = alarms(Validity(key.not_before, key.not_after), NameState(alarmed=given), now)
            self._given[site, key.serial] = (*given, *due)
            if due:
                told = Deferred.fromCoroutine(self._alarm.give(due[-1], site, ""))
                told.addErrback(lambda failure: log.failure("an alarm failed", failure))
