"""Field lines dropped from a block; `_removal` does the same in C."""

from __future__ import annotations

from typing import Final


def without(block: bytes, names: frozenset[bytes]) -> bytes:
    """Drop every line whose name, in lower case, is among `names`: a few are searched for, many are looked up."""
    if len(names) > _FEW:
        kept = [line for line in block.split(b"\r\n") if line and line.partition(b":")[0].lower() not in names]
        kept.append(b"")
        return b"\r\n".join(kept)
    for name in names:
        # With a line end in front the first line begins like the others.
        lower, gone = b"\r\n" + block.lower(), 0
        mark = b"\r\n" + name + b":"
        start = lower.find(mark)
        while start >= 0:
            end = lower.index(b"\r\n", start + 2)
            block = block[: start - gone] + block[end - gone :]
            gone += end - start
            start = lower.find(mark, end)
    return block


_FEW: Final = 8
