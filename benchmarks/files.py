"""The files that static sites serve: three in a folder of each site, of the same content and time everywhere."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.backend import LARGE, pattern
from benchmarks.contenders.base import SITES

SMALL_FILE = "/small.css"
"""1 KB of a kind that is sent compressed if there is a compressed copy: contenders look for one, and find none."""
MEDIUM_FILE = "/medium.webp"
"""100 KB of a kind that nobody compresses."""
LARGE_FILE = "/large"
"""50 MB, under the name that `native/load.c` asks for."""
MEDIUM = 100 * 1024

_FIRST = 20 * 1024 * 1024 + 17
PART = {"Range": f"bytes={_FIRST}-{_FIRST + MEDIUM - 1}"}
"""Asks for a part of the large file."""

_TIME = 1_700_000_000
"""When all files were changed, in seconds since 1970: one time makes one entity tag for all sites."""


def part_of_large() -> bytes:
    """What `PART` asks for."""
    return pattern(_FIRST + MEDIUM)[_FIRST:]


def site_folders(folder: Path) -> Path:
    """Make a folder with the files for each site, unless they are there; the large file is one with many names.

    Args:
        folder: Where to make them.

    Returns:
        The same folder; in it are those of the sites, by name.
    """
    if folder.exists():
        return folder
    folder.mkdir()
    large = _written(folder / "large", pattern(LARGE))
    for site in SITES:
        own = folder / site
        own.mkdir()
        _written(own / SMALL_FILE[1:], pattern(1024))
        _written(own / MEDIUM_FILE[1:], pattern(MEDIUM))
        (own / LARGE_FILE[1:]).hardlink_to(large)
    return folder


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    os.utime(file, (_TIME, _TIME))
    return file
