"""What was asked of the authority and when: our own limits, which survive restarts and crash loops."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from gateway.tls.disk import Disk
from gateway.tls.names import registered_domain
from gateway.units import Seconds

log = Logger()

ORDER: Final = "order"
FAILURE: Final = "failure"
CERTIFICATE: Final = "certificate"

_HOUR: Final = 3600.0
_WEEK: Final = 7 * 86400.0
_TOLERATED: Final = 300.0
"""An entry further in the future was written by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing asked of the authority.

    Attributes:
        time: Seconds of the epoch.
        kind: `ORDER`, `FAILURE` (of a validation) or `CERTIFICATE`.
        name: The name it was about.
        exempt: Whether it was a renewal that replaces a certificate, which the authority does not count.
    """

    time: float
    kind: str
    name: str
    exempt: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """What may not be asked yet.

    Attributes:
        reason: Which limit is reached, for people.
        until: When it will be possible again.
    """

    reason: str
    until: Seconds


@dataclass(frozen=True, slots=True)
class _Limit:
    kind: str
    most: int
    window: float
    scope: Callable[[str], str]
    text: str
    exemptible: bool


# FEATURES §19, after Let's Encrypt's limits.
_LIMITS: Final = (
    _Limit(ORDER, 10, 10.0, lambda _: "", "10 orders in 10 seconds", False),
    _Limit(ORDER, 300, 3 * _HOUR, lambda _: "", "300 orders in 3 hours", True),
    _Limit(FAILURE, 5, _HOUR, lambda name: name, "5 failed validations of a name in an hour", False),
    _Limit(CERTIFICATE, 5, _WEEK, lambda name: name, "5 certificates for the same name in 7 days", True),
    _Limit(CERTIFICATE, 50, _WEEK, registered_domain, "50 certificates for a registered domain in 7 days", True),
)


class Ledger:
    """The ledger of one authority: one line of JSON for each entry.

    What cannot be read counts as nothing.

    Args:
        path: Its file.
        now: Seconds of the epoch, to leave out what no longer counts.
        disk: How files are written.
    """

    def __init__(self, path: Path, now: Seconds, disk: Disk | None = None) -> None:
        self._path = path
        self._disk = disk or Disk()
        self._entries = [entry for entry in _read(path) if now - _WEEK < entry.time]

    def refusal(self, name: str, now: Seconds, *, replaces: bool = False) -> Refusal | None:
        """Tell why an order for a name may not be made now; None if it may.

        Args:
            name: The name.
            now: Seconds of the epoch.
            replaces: Whether the order replaces a certificate (RFC 9773 §5), which exempts it from most limits.
        """
        found = None
        for limit in _LIMITS:
            if replaces and limit.exemptible:
                continue
            scope = limit.scope(name)
            times = [
                entry.time
                for entry in self._entries
                if entry.kind == limit.kind
                and not (entry.exempt and limit.exemptible)
                and limit.scope(entry.name) == scope
                and now - limit.window < entry.time <= now + _TOLERATED
            ]
            if len(times) >= limit.most:
                until = Seconds(sorted(times)[-limit.most] + limit.window)
                if found is None or until > found.until:
                    found = Refusal(f"our own limit of {limit.text} is reached", until)
        return found

    def note(self, entry: Entry) -> bytes:
        """Count an entry, and give the line that `save` shall write."""
        self._entries.append(entry)
        return _line(entry)

    def save(self, line: bytes) -> None:
        """Write a line out; blocks until it is on the disk.

        Raises:
            OSError: The disk is full or broken.
        """
        self._disk.folder(self._path.parent)
        # The line before may have been torn by a crash: its own line end closes it.
        self._disk.append(self._path, b"\n" + line)

    def forget(self, now: Seconds) -> bytes:
        """Leave out what no longer counts, and give the content that `rewrite` shall write."""
        self._entries = [entry for entry in self._entries if now - _WEEK < entry.time]
        return b"\n".join(_line(entry) for entry in self._entries)

    def rewrite(self, content: bytes) -> None:
        """Write the file anew; blocks until it is on the disk.

        Raises:
            OSError: The disk is full or broken.
        """
        if self._path.exists():
            self._disk.replace(self._path, content)


def _line(entry: Entry) -> bytes:
    return json.dumps([entry.time, entry.kind, entry.name, entry.exempt]).encode()


def _read(path: Path) -> Iterator[Entry]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:  # what cannot be written either is told, and nothing ordered, when it is to be
        log.error("{path} cannot be read, and our own limits begin anew: {problem}", path=path, problem=error.strerror)
        return
    for line in data.splitlines():
        try:
            time, kind, name, exempt = json.loads(line)
            yield Entry(float(time), str(kind), str(name), bool(exempt))
        except (ValueError, TypeError):
            continue  # torn by a crash
