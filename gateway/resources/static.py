"""Static files: their settings."""

from __future__ import annotations

from gateway.settings import FilePath, settings


@settings
class Static:
    """Settings of a folder served as it is; the short form `"dir"` means the key `root`.

    Attributes:
        root: The folder.
        spa: Navigations to missing files get `/index.html` (the key `spa` instead of `static`).
    """

    root: FilePath
    spa: bool = False
