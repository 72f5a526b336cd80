"""What clients saw, kind by kind, so that it can be held against the access log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_KEPT = 50
_LAST = 2**64 - 1


@dataclass(slots=True)
class Count:
    """Exchanges of one kind of client.

    Attributes:
        answered: Answers that came whole or were cut on purpose of the upstream, with a request id.
        abandoned: Requests whose answer the client did not wait for: the log may know them or not.
        ids: The sum of the request ids of all answers: with the count it tells whether the log has each of them once.
        statuses: How often each status came.
    """

    answered: int = 0
    abandoned: int = 0
    ids: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    def add(self, request_id: int) -> None:
        """Add an id, of which the last 64 bits count."""
        self.ids = (self.ids + request_id) & _LAST


class Tally:
    """Counts of all kinds, and what was wrong."""

    def __init__(self) -> None:
        self.counts: dict[str, Count] = {}
        self.findings: list[str] = []
        self.more_findings = 0

    def count(self, kind: str) -> Count:
        """The counts of one kind."""
        return self.counts.setdefault(kind, Count())

    def answered(self, kind: str, status: int, request_id: int) -> None:
        """Note an answer."""
        count = self.count(kind)
        count.answered += 1
        count.add(request_id)
        count.statuses[status] += 1

    def abandoned(self, kind: str) -> None:
        """Note a request that the client gave up."""
        self.count(kind).abandoned += 1

    def found(self, finding: str) -> None:
        """Note what must not be; of very many only the first."""
        if len(self.findings) < _KEPT:
            self.findings.append(finding)
        else:
            self.more_findings += 1


@dataclass(slots=True)
class Logged:
    """Lines of one kind of client in the access log."""

    lines: int = 0
    ids: int = 0

    def add(self, request_id: int) -> None:
        """Add a line."""
        self.lines += 1
        self.ids = (self.ids + request_id) & _LAST


def compare(tally: Tally, logged: dict[str, Logged]) -> list[str]:
    """Hold what clients saw against what the log says.

    Args:
        tally: Of the clients.
        logged: Of the log, by kind.

    Returns:
        What does not agree: lines missing, doubled, or of nobody.
    """
    wrong = []
    for kind in sorted({*tally.counts, *logged}):
        count, log = tally.counts.get(kind, Count()), logged.get(kind, Logged())
        if not count.answered <= log.lines <= count.answered + count.abandoned:
            wrong.append(
                f"{kind}: {log.lines} lines in the access log for {count.answered} answers and {count.abandoned} "
                "requests given up"
            )
        elif not count.abandoned and log.ids != count.ids:
            wrong.append(f"{kind}: the ids in the access log are not those of the answers")
    return wrong
