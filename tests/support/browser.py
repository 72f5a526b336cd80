"""Headless Chromium, driven over its debugging protocol by a node program."""

from __future__ import annotations

from pathlib import Path

from tests.support.node import run_node
from tests.support.programs import require


def browse(profile: Path, url: str, until: str, read: str, *, click: str = "") -> dict[str, object]:
    """Open a page in a fresh browser, wait for it, and read from it.

    Args:
        profile: A new folder for the browser's own files.
        url: What to open; names under localhost are loopback to Chromium.
        until: JavaScript that becomes true when the page is as wished.
        read: JavaScript whose JSON value is wanted.
        click: Selector of an element to click once the page has loaded; none if empty.

    Returns:
        `value`: what `read` gave; `messages`: errors the page has logged; `requests`: URLs asked for.
    """
    return run_node("browser.mjs", require("chromium"), str(profile), url, until, read, click)
