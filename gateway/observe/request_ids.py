"""Request ids: 32 hexadecimal digits of the system's random source, made many at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

OCTETS: Final = 16
BATCH: Final = 64


class RequestIds:
    """Gives fresh ids as finished field lines.

    Args:
        entropy: Gives that many random octets, such as `os.urandom`.
    """

    __slots__ = ("_entropy", "_lines")

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._lines: list[bytes] = []

    def next_line(self) -> bytes:
        """Give `X-Request-Id: <32 digits>` CRLF, never the same one twice."""
        if not self._lines:
            digits = self._entropy(OCTETS * BATCH).hex("+", OCTETS).replace("+", "\r\nX-Request-Id: ")
            self._lines = f"X-Request-Id: {digits}\r\n".encode("ascii").splitlines(keepends=True)
        return self._lines.pop()
