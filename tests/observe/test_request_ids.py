"""Request ids."""

from __future__ import annotations

import os
import re

from gateway.observe.request_ids import RequestIds


def test_lines() -> None:
    """Ids are finished field lines of 32 hexadecimal digits, never the same twice."""
    ids = RequestIds(os.urandom)
    lines = [ids.next_line() for _ in range(1000)]
    assert len(set(lines)) == 1000
    assert all(re.fullmatch(rb"X-Request-Id: [0-9a-f]{32}\r\n", line) for line in lines)


def test_entropy_is_asked_for_seldom() -> None:
    """Random octets are fetched for many ids at a time, and each octet is used once."""
    asked: list[int] = []

    def entropy(size: int) -> bytes:
        asked.append(size)
        return bytes(range(256)) * (size // 256)

    ids = RequestIds(entropy)
    digits = "".join(ids.next_line()[14:-2].decode() for _ in range(64))
    assert asked == [1024]
    assert sorted(bytes.fromhex(digits)) == sorted(bytes(range(256)) * 4)
    ids.next_line()
    assert len(asked) == 2
