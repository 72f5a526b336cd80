"""Units of settings: seconds and byte counts, and their text forms."""

from __future__ import annotations

import re
from typing import NewType

Seconds = NewType("Seconds", float)
ByteCount = NewType("ByteCount", int)

_DURATION = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]*)", re.ASCII)


def parse_duration(text: str) -> Seconds:
    """Read a duration such as `500ms`, `30s`, `5m`, `1.5h` or `7d`.

    Raises:
        ValueError: `text` is not a number followed by ms, s, m, min, h or d.
    """
    return Seconds(_quantity(text, _DURATION, 'a duration such as "30s", "500ms" or "5m"'))


def parse_size(text: str) -> ByteCount:
    """Read a size such as `512`, `16 KB` (16,000 bytes) or `8 MiB` (8,388,608 bytes).

    Raises:
        ValueError: `text` is not a number followed by B, KB, MB, GB, KiB, MiB or GiB.
    """
    return ByteCount(round(_quantity(text, _SIZE, 'a size such as "16 KB" or "8 MiB"')))


def _quantity(text: str, units: dict[str, float] | dict[str, int], expected: str) -> float:
    found = _QUANTITY.fullmatch(text.strip())
    scale = units.get(found["unit"].lower()) if found else None
    if found is None or scale is None:
        raise ValueError(f"expected {expected}, got {text!r}")
    return float(found["number"]) * scale
