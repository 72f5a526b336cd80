"""The front door for one machine with many sites."""

from __future__ import annotations

from gateway.compiled import choose

FORM = choose()
"""Which form of the hot modules runs, in words."""
