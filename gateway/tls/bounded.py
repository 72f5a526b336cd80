"""Answers of bounded size in bounded time: `requests` alone limits neither, only the silence between two octets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from gateway.units import ByteCount, Seconds

LARGEST: Final = ByteCount(1_000_000)
"""Octets of an authority's answer; a certificate with its chain has some thousand."""
LONGEST: Final = Seconds(60)
"""How long an answer may take in all."""


class BoundedAdapter(HTTPAdapter):
    """Carries requests, and gives up on answers that are too large or too slow."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request and read its answer.

        Raises:
            requests.ConnectionError: The answer is too large or takes too long.
        """
        end = time.monotonic() + LONGEST
        through = dict(proxies) if proxies is not None else None
        response = super().send(request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=through)
        content = bytearray()
        for piece in response.iter_content(16_384):
            content += piece
            if len(content) > LARGEST or time.monotonic() > end:
                response.close()
                raise requests.ConnectionError("the answer is too large or takes too long")
        response._content = bytes(content)
        return response
