"""The registry of features: what may answer a request, which keys a site file knows, which of them wait.

Nothing is found by scanning: a feature has its line here and its key in `config.site_file`; a test holds both equal.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.filters.headers import HeaderEdits
from gateway.resources.page import Reply
from gateway.resources.proxy import Proxy
from gateway.resources.redirect import Redirect
from gateway.resources.static import Static
from gateway.resources.websocket import WebSocket

Leaf = Proxy | Static | Redirect | Reply
"""Settings of whoever answers for a location."""

LEAVES: Mapping[str, type[Proxy] | type[Static] | type[Redirect]] = {
    "phoenix": Proxy,
    "proxy": Proxy,
    "static": Static,
    "spa": Static,
    "redirect": Redirect,
}
"""Keys of which a site has one at most, and a route exactly one."""

TABLES: Mapping[str, type] = {
    "headers": HeaderEdits,
    "request_headers": HeaderEdits,
    "websocket": WebSocket,
}
"""Tables that a site may have, with their settings classes."""

NOT_YET: Mapping[str, str] = {
    "access": "access control",
    "expect": "expectations",
    "gate": "expectations",
    "hold": "holding requests",
    "park": "parking WebSockets",
    "rate": "rate limits",
    "policy": "balancing policies",
    "weight": "weights of upstreams",
    "max_connections": "limits of connections to an upstream",
    "block": "blocking scanners",
    "client_ca": "client certificates",
    "forward_auth": "forward authentication",
    "tls": "TLS settings of a site",
    "acme": "ACME settings of a site",
    "csp": "content security policies",
    "cors": "CORS",
    "cookies": "cookie hardening",
    "compression": "compression",
    "log": "logs of a site",
}
"""Keys known but without effect so far: a site that uses one is not served, for it may rely on it."""
