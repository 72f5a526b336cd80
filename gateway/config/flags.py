"""Flag files: `example.com.down` beside `example.com.toml` switches the site's maintenance on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gateway.filters.maintenance import MESSAGE_SIZE, Maintenance, read_message

FLAG_SUFFIX = ".down"


def is_flag_file(name: str) -> bool:
    """Tell whether a file of the folder switches a site's maintenance on."""
    return name.endswith(FLAG_SUFFIX) and not name.startswith((".", "#"))


def flag_of(site_file: Path) -> Path:
    """Name the flag file of a site file."""
    return site_file.with_suffix(FLAG_SUFFIX)


def read_flag(site_file: Path) -> str | None:
    """Read the flag file of a site: its message, empty where it has none; None where there is no such file.

    A flag that cannot be read counts all the same: whoever put it there wants the site away.
    """
    try:
        with flag_of(site_file).open("rb") as file:
            return read_message(file.read(MESSAGE_SIZE))
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def with_flag(maintenance: Maintenance, flag: str | None) -> Maintenance:
    """Take a flag file into account: its presence means `on`, its content, if any, is the message."""
    if flag is None:
        return maintenance
    return dataclasses.replace(maintenance, on=True, message=flag or maintenance.message)
