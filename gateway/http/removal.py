"""Field lines dropped from a block; `_removal` does the same in C."""

from __future__ import annotations

from typing import Final


def without(block: bytes, names: frozenset[bytes]) -> bytes:
    """Drop every line whose name, in lower case, is among `names`: a few are searched for, many are looked up."""
    if len(names) > _FEW:
        kept = [line for line in block.split(b"\r\n") if line and line.partition(b":")[0].lower() not in names]
        kept.append(b"")
        return b"\r\n".join(kept)
    lower = b"\r\n" + block.lower()
    for name in names:
        mark = b"\r\n%b:" % name
        start = lower.find(mark)
        while start >= 0:
            end = lower.find(b"\r\n", start + 2)
            lower = lower[:start] + lower[end:]
            block = block[:start] + block[end:]
            start = lower.find(mark, start)
    return block


_FEW: Final = 8
