"""Redirects: a fixed target or a pattern."""

from __future__ import annotations

from typing import Literal

from gateway.settings import settings


@settings
class Redirect:
    """Settings of a redirect, the values of `[redirects]` and the key `redirect` of a site file.

    Attributes:
        to: Absolute URL or path; a final `*` stands for what `*` matched in the path.
        status: 301, 302, 303, 307 or 308; 307 and 308 keep the method (RFC 9110 §15.4).
    """

    to: str
    status: Literal[301, 302, 303, 307, 308] = 308
