"""What a contender is told, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.certificate import Certificate
from benchmarks.process import Command

SITES = tuple(f"site{number:02}.test" for number in range(1, 51))

ADDED_FIELDS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""What every contender adds to every answer."""

KEPT = {"Cache-Control": "max-age=3600"}
"""What every contender says of a file besides: gateway of its own accord, the others because they are told to."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a contender has to do: serve all sites on two ports, each of them an application on the backend's port."""

    folder: Path
    """A folder of its own: configuration, logs and whatever it keeps; `output` in it takes what it prints."""
    port: int
    """For plain HTTP."""
    tls_port: int
    """For HTTPS, all sites with the same certificate."""
    certificate: Certificate
    backend: int
    static: Path | None = None
    """If given, each site is no application: it serves the folder of its name in there."""

    @property
    def added(self) -> dict[str, str]:
        """What to add to every answer, for contenders that say nothing of their own about files."""
        return ADDED_FIELDS | KEPT if self.static else ADDED_FIELDS


@dataclass(frozen=True, slots=True)
class Contender:
    """A server under test."""

    name: str
    prepare: Callable[[Task], Command]
    """Writes the configuration into the task's folder, and says how to start it in the foreground."""
    version: Callable[[], str]
    """What to print about it in the report."""
    static: bool = True
    """Whether it can serve files."""
