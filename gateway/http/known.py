"""Well-known fields as bits of a mask, so that a look-up costs one `&`.

A head's `known` mask says which of these fields it carries; anything else is looked up on demand with
`gateway.http.fields`.
"""

from __future__ import annotations

from typing import Final

# To the interpreter a mask below 1 << 30 is one digit, which costs less: what most heads carry stands first.
HOST: Final = 1 << 0
CONNECTION: Final = 1 << 1
CONTENT_LENGTH: Final = 1 << 2
TRANSFER_ENCODING: Final = 1 << 3
UPGRADE: Final = 1 << 4
EXPECT: Final = 1 << 5
TE: Final = 1 << 6
AUTHORIZATION: Final = 1 << 7
FORWARDING: Final = 1 << 8
"""Any of Forwarded, X-Forwarded-*, X-Real-IP, and their like."""
REQUEST_ID: Final = 1 << 9
VIA: Final = 1 << 10
COOKIE: Final = 1 << 11
ACCEPT: Final = 1 << 12
ACCEPT_ENCODING: Final = 1 << 13
USER_AGENT: Final = 1 << 14
REFERER: Final = 1 << 15
CONDITIONAL: Final = 1 << 16
"""Any of If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range."""
RANGE: Final = 1 << 17
CACHE_CONTROL: Final = 1 << 18
DATE: Final = 1 << 19
SERVER: Final = 1 << 20
X_POWERED_BY: Final = 1 << 21
CONTENT_TYPE: Final = 1 << 22
CONTENT_ENCODING: Final = 1 << 23
SET_COOKIE: Final = 1 << 24
CONTENT_SECURITY_POLICY: Final = 1 << 25
X_FRAME_OPTIONS: Final = 1 << 26
X_CONTENT_TYPE_OPTIONS: Final = 1 << 27
REFERRER_POLICY: Final = 1 << 28
PERMISSIONS_POLICY: Final = 1 << 29
ORIGIN: Final = 1 << 30
TRAILER: Final = 1 << 31
LOCATION: Final = 1 << 32
RETRY_AFTER: Final = 1 << 33
STRICT_TRANSPORT_SECURITY: Final = 1 << 34
CROSS_ORIGIN_OPENER_POLICY: Final = 1 << 35
CROSS_ORIGIN_RESOURCE_POLICY: Final = 1 << 36
ACCEL_REDIRECT: Final = 1 << 37
X_ROBOTS_TAG: Final = 1 << 38

NEVER_WRITTEN: Final = frozenset(
    {
        b"x-real-ip",
        b"x-forwarded-ssl",
        b"x-forwarded-scheme",
        b"x-forwarded-protocol",
        b"x-url-scheme",
        b"front-end-https",
    }
)
"""What applications believe of a proxy too, as Rack and gunicorn do of these, though this one does not write it."""

BITS: Final[dict[bytes, int]] = {
    **dict.fromkeys(NEVER_WRITTEN, FORWARDING),
    b"host": HOST,
    b"connection": CONNECTION,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"upgrade": UPGRADE,
    b"expect": EXPECT,
    b"te": TE,
    b"trailer": TRAILER,
    b"forwarded": FORWARDING,
    b"x-forwarded-for": FORWARDING,
    b"x-forwarded-proto": FORWARDING,
    b"x-forwarded-host": FORWARDING,
    b"x-forwarded-port": FORWARDING,
    b"x-forwarded-prefix": FORWARDING,
    b"x-request-id": REQUEST_ID,
    b"via": VIA,
    b"cookie": COOKIE,
    b"origin": ORIGIN,
    b"accept": ACCEPT,
    b"authorization": AUTHORIZATION,
    b"date": DATE,
    b"server": SERVER,
    b"x-powered-by": X_POWERED_BY,
    b"content-type": CONTENT_TYPE,
    b"set-cookie": SET_COOKIE,
    b"location": LOCATION,
    b"cache-control": CACHE_CONTROL,
    b"content-encoding": CONTENT_ENCODING,
    b"strict-transport-security": STRICT_TRANSPORT_SECURITY,
    b"content-security-policy": CONTENT_SECURITY_POLICY,
    b"x-frame-options": X_FRAME_OPTIONS,
    b"x-content-type-options": X_CONTENT_TYPE_OPTIONS,
    b"referrer-policy": REFERRER_POLICY,
    b"permissions-policy": PERMISSIONS_POLICY,
    b"cross-origin-opener-policy": CROSS_ORIGIN_OPENER_POLICY,
    b"cross-origin-resource-policy": CROSS_ORIGIN_RESOURCE_POLICY,
    b"if-match": CONDITIONAL,
    b"if-none-match": CONDITIONAL,
    b"if-modified-since": CONDITIONAL,
    b"if-unmodified-since": CONDITIONAL,
    b"if-range": CONDITIONAL,
    b"range": RANGE,
    b"accept-encoding": ACCEPT_ENCODING,
    b"retry-after": RETRY_AFTER,
    b"x-accel-redirect": ACCEL_REDIRECT,
    b"x-robots-tag": X_ROBOTS_TAG,
    b"user-agent": USER_AGENT,
    b"referer": REFERER,
}

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
"""Fields for one connection only (RFC 9110 §7.6.1)."""

FORWARDING_NAMES: Final = frozenset(name for name, bit in BITS.items() if bit == FORWARDING)

DROPPED_FROM_REQUESTS: Final = (
    HOP_BY_HOP | FORWARDING_NAMES | {b"host", b"content-length", b"expect", b"x-request-id", b"via", b"proxy"}
)
"""Never copied upstream as they came: hop-by-hop, what the gateway writes itself, and `Proxy` (httpoxy)."""

DROPPED_FROM_RESPONSES: Final = HOP_BY_HOP | {b"content-length", b"x-request-id", b"alt-svc"}
"""Never copied downstream as they came: hop-by-hop, framing, our own request id, the back end's Alt-Svc."""
