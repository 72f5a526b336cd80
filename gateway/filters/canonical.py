"""The one URL of a page: http to https, www or apex, trailing slash."""

from __future__ import annotations

from typing import Literal

CanonicalHost = Literal["www", "apex", "name"]
"""Which host name is the canonical one; `name` is the site file's own."""

Slash = Literal["strip", "add", "keep"]
"""What happens to a trailing slash on GET and HEAD."""
