"""Strict-Transport-Security: how long browsers are told to use HTTPS only (RFC 6797).

Only what is sent is decided here. It is sent on connections that are HTTPS themselves, never on plain HTTP (§7.2).
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from gateway.settings import Duration, settings
from gateway.units import Seconds

DAY: Final = Seconds(86_400)
"""What is promised until a certificate has renewed once: a mistake is over tomorrow."""
YEAR: Final = Seconds(31_536_000)
"""What is promised then; also the least that the browsers' preload list takes."""


@settings
class Hsts:
    """Settings, the key `hsts` of a site file; `false` switches it off.

    Attributes:
        on: Whether it is sent.
        max_age: How long browsers shall keep to HTTPS; by default a day until the certificate has renewed once, then
            a year.
        subdomains: Whether that holds for all names below the site's too.
        preload: Whether the site may be put on the browsers' own lists; takes effect with a year and `subdomains`.
    """

    on: bool = True
    max_age: Duration | None = Field(default=None)
    subdomains: bool = False
    preload: bool = False

    def __post_init__(self) -> None:
        """Check what the browsers' list asks for.

        Raises:
            ValueError: `preload` without what it needs.
        """
        if self.preload and not self.subdomains:
            raise ValueError("preload needs subdomains = true: the browsers' list takes whole domains only")
        if self.preload and self.max_age is not None and self.max_age < YEAR:
            raise ValueError("preload needs a max_age of a year or more, or none")

    def value(self, *, renewed: bool, subdomains: bool = True) -> bytes:
        """Make the field's value; empty where nothing is sent.

        Args:
            renewed: Whether the site's certificate has renewed once, so that HTTPS is known to last.
            subdomains: Whether all names below the site's have HTTPS, as far as is known.
        """
        if not self.on:
            return b""
        age = self.max_age if self.max_age is not None else YEAR if renewed else DAY
        value = b"max-age=%d" % age
        if self.subdomains and subdomains:
            value += b"; includeSubDomains"
            if self.preload and age >= YEAR:
                value += b"; preload"
        return value
