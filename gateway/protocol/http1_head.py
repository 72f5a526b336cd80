"""HTTP/1.1 heads: the two parsers by one name, in their compiled form where there is one.

Every function takes bytes and answers heads, and raises where the RFC leaves a doubt about what was meant. Strict on
both sides: whatever two parsers could read differently is refused (RFC 9112 §11.1, §11.2).
"""

from __future__ import annotations

from gateway.protocol.http1_fields import HeadLimits
from gateway.protocol.http1_request import skip_blank_lines

try:
    from gateway.protocol._http1_head import parse_request, parse_response
except ModuleNotFoundError:
    from gateway.protocol.http1_request import parse_request
    from gateway.protocol.http1_response import parse_response

__all__ = ["HeadLimits", "parse_request", "parse_response", "skip_blank_lines"]
