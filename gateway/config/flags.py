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


def flagged(maintenance: Maintenance, site_file: Path) -> Maintenance:
    """Take the flag file into account: its presence means `on`, its content, if any, is the message.

    A flag that cannot be read counts all the same: whoever put it there wants the site away.
    """
    flag = flag_of(site_file)
    try:
        with flag.open("rb") as file:
            message = read_message(file.read(MESSAGE_SIZE))
    except FileNotFoundError:
        return maintenance
    except OSError:
        message = ""
    return dataclasses.replace(maintenance, on=True, message=message or maintenance.message)
