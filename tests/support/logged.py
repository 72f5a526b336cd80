"""The access log read independently of the code that writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from gateway.observe.access_log import AccessLog, Batch
from gateway.observe.lines import Format
from gateway.units import Seconds
from tests.support.transports import World

FIELDS = (
    "host", "id", "in", "ms", "upstream", "upstream_ms", "retries", "held_ms", "socket", "code", "tls", "reason",
)  # fmt: skip
KEYS = (
    "time", "request_id", "client", "host", "method", "path", "proto", "status", "bytes_in", "bytes_out", "ms",
    "upstream", "upstream_ms", "retries", "held_ms", "socket", "code", "tls", "reason", "site", "referer",
    "user_agent",
)  # fmt: skip
COMBINED = re.compile(
    r"(?P<client>\S+) - - \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "
    r'"(?P<method>\S+) (?P<path>[^ "]+) (?P<proto>HTTP/1\.[01]|-)" (?P<status>\d{3}) (?P<out>\d+) '
    r'"(?P<referer>[^"]*)" "(?P<agent>[^"]*)" ' + " ".join(rf"{name}=(?P<{name}>\S+)" for name in FIELDS),
    re.ASCII,
)


def read_combined(line: str) -> dict[str, str]:
    """Read a line of the combined format."""
    found = COMBINED.fullmatch(line)
    assert found, line
    return found.groupdict()


class Logged:
    """A gateway in memory with an access log in the place of its recorder.

    Attributes:
        lines: The lines so far, with their sites.
    """

    def __init__(
        self,
        world: World | None = None,
        form: Format = "combined",
        skip: tuple[str, ...] = (),
        wall_clock: Callable[[], Seconds] = lambda: Seconds(1_795_341_600.5),
    ) -> None:
        self.world = world or World()
        self.batches: list[Batch] = []
        self.log = AccessLog(lambda batch, _: self.batches.append(batch), wall_clock, form, skip=skip)
        self.world.core.log = self.log

    @property
    def lines(self) -> list[tuple[str, bytes]]:
        self.log.flush()
        return [line for batch in self.batches for line in batch]

    def text(self) -> str:
        """All lines as one text."""
        return b"".join(line for _, line in self.lines).decode("ascii")

    def combined(self) -> list[dict[str, str]]:
        """All lines of the combined format, read."""
        return [read_combined(line) for line in self.text().splitlines()]

    def json(self) -> list[dict[str, object]]:
        """All lines of the JSON format, read."""
        return [json.loads(line) for line in self.text().splitlines()]
