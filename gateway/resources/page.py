"""Error pages and fixed replies."""

from __future__ import annotations

from gateway.settings import settings


@settings
class Reply:
    """Settings of a fixed reply, such as `"/gone" = 410` in `[redirects]`.

    Attributes:
        status: The status answered with, 200 to 599.
    """

    status: int
