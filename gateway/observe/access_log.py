"""The access log: one line per exchange, two per WebSocket, gathered here and written out by a timer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gateway.observe.lines import JSON, Combined, Format
from gateway.units import ByteCount, Seconds

if TYPE_CHECKING:
    from gateway.web.request import Request

GATHERED: Final = ByteCount(64_000)

Batch = list[tuple[str, bytes]]
"""Lines in order, each with the name of its site, which is empty where a request came to none."""


class AccessLog:
    """Makes the lines of exchanges and hands them on in batches; implements `ExchangeLog`.

    Args:
        write: Takes a batch and the number of its octets; must not block.
        wall_clock: Seconds since 1970.
        form: `combined` or `json`.
        limit: Octets gathered before they are handed on without waiting for the timer.
        skip: Paths whose requests are not logged; one that ends with `*` is a prefix.
    """

    __slots__ = ("_gathered", "_limit", "_line", "_lines", "_skip", "_skipped", "_skipped_prefixes", "_write")

    def __init__(
        self,
        write: Callable[[Batch, int], object],
        wall_clock: Callable[[], Seconds],
        form: Format = "combined",
        limit: ByteCount = GATHERED,
        skip: Sequence[str] = (),
    ) -> None:
        self._write = write
        self._line = (JSON if form == "json" else Combined)(wall_clock).line
        self._limit = limit
        self._lines: Batch = []
        self._gathered = 0
        paths = [path.encode("utf-8") for path in skip]
        self._skip = bool(paths)
        self._skipped = frozenset(path for path in paths if not path.endswith(b"*"))
        self._skipped_prefixes = tuple(path[:-1] for path in paths if path.endswith(b"*"))

    def exchange_finished(self, request: Request) -> None:
        """Add the line of an exchange, unless its path is skipped."""
        if self._skip and self._skips(request.head.target):
            return
        line = self._line(request)
        self._lines.append((request.location.site, line))
        self._gathered += len(line)
        if self._gathered >= self._limit:
            self.flush()

    def socket_opened(self, request: Request) -> None:
        """Add the line of a WebSocket that opens; that of its end follows as for any exchange."""
        self.exchange_finished(request)

    def flush(self) -> None:
        """Hand on what was gathered."""
        if self._lines:
            lines, self._lines = self._lines, []
            gathered, self._gathered = self._gathered, 0
            self._write(lines, gathered)

    def _skips(self, target: bytes) -> bool:
        """Tell whether a target is skipped; never one that may mean another path than it says."""
        path = target.partition(b"?")[0]
        if b"/." in path or b"\\" in path or b"%" in path:
            return False
        return path in self._skipped or path.startswith(self._skipped_prefixes)
