"""Redirects: a fixed target or a pattern.

| written | answer to `/blog/a%20b?c=d` |
|---|---|
| `"/blog/a b" = "/new"` | `/new?c=d` |
| `"/blog/*" = "https://blog.x/*"` | `https://blog.x/a%20b?c=d` |
| `redirect = "https://x.example"` | `https://x.example/blog/a%20b?c=d` |
| `redirect = "https://x.example/new"` | `https://x.example/new?c=d` |

The query is passed on byte for byte unless the target has one of its own. A target that is a path leads to the same
host, whatever it is called; no part of a request can lead to another host than the target's.
"""

from __future__ import annotations

import re
from typing import Final, Literal
from urllib.parse import quote, quote_from_bytes, urlsplit

from gateway.http.location import local_location, split_target
from gateway.settings import settings
from gateway.web.moved import Moved
from gateway.web.request import Request
from gateway.web.resource import Resource


@settings
class Redirect:
    """Settings of a redirect, the values of `[redirects]` and the key `redirect` of a site file.

    Attributes:
        to: Absolute URL or path; a final `*` stands for what `*` matched in the path.
        status: 301, 302, 303, 307 or 308; 307 and 308 keep the method (RFC 9110 §15.4).
    """

    to: str
    status: Literal[301, 302, 303, 307, 308] = 308

    def __post_init__(self) -> None:
        """Check the target.

        Raises:
            ValueError: `to` is no target.
        """
        Target(self.to)


class Target:
    """Where a redirect leads, checked and encoded.

    Args:
        to: Absolute URL or path; a final `*` stands for the rest of the request's path.

    Attributes:
        base: Everything before query and fragment, without the `*`.
        query: The query with its `?`, or empty.
        fragment: The fragment with its `#`, or empty.
        takes_rest: Whether `to` ends in `*`.
        bare: Whether `to` has neither path nor query; `base` has no path then.
        local: Whether `to` is a path on the same host.

    Raises:
        ValueError: `to` is neither an http(s) URL nor a path, or a `*` stands where it could change the host.
    """

    __slots__ = ("bare", "base", "fragment", "local", "query", "takes_rest")

    def __init__(self, to: str) -> None:
        if not to or _UNPRINTABLE.search(to):
            raise ValueError(f'expected a path such as "/new" or an address such as "https://example.com", got {to!r}')
        parts = urlsplit(to.removesuffix("*"))
        self.takes_rest = to.endswith("*")
        self.local = to.startswith("/")
        if self.local:
            if to[1:2] in ("/", "\\"):
                raise ValueError(f"a path starts with one slash, got {to!r}; another host needs its https://")
            authority = ""
        else:
            authority = _authority(to)
        if self.takes_rest and (not parts.path or "?" in to or "#" in to):
            raise ValueError(f'a "*" stands at the end of the path, as in "https://example.com/*", got {to!r}')
        if "*" in to.removesuffix("*"):
            raise ValueError(f'only one "*" is possible, at the end, got {to!r}')
        self.bare = not parts.path and not parts.query and not parts.fragment
        path = quote(parts.path or "/", safe=_PATH_OCTETS)
        self.base = (authority + ("" if self.bare else path)).encode("ascii")
        self.query = f"?{quote(parts.query, safe=_QUERY_OCTETS)}".encode("ascii") if parts.query else b""
        self.fragment = f"#{quote(parts.fragment, safe=_QUERY_OCTETS)}".encode("ascii") if parts.fragment else b""


class RedirectResource(Resource):
    """A leaf that answers every request of its location with a redirect.

    Args:
        target: Where to.
        status: 301, 302, 303, 307 or 308.
        prefix: The location's path prefix, without trailing slash: what stands before the rest that `*` matches.
        whole_site: Whether all requests of a site are redirected; their paths are kept unless the target has one.

    Raises:
        ValueError: `status` is no redirect's.
    """

    __slots__ = ("_base", "_fixed", "_keeps_path", "_prefix", "_status", "_target")

    def __init__(self, target: Target, status: int = 308, *, prefix: bytes = b"", whole_site: bool = False) -> None:
        if status not in _STATUSES:
            raise ValueError(f"a redirect's status is 301, 302, 303, 307 or 308, got {status}")
        self._target = target
        self._status = status
        self._prefix = prefix
        self._keeps_path = whole_site and target.bare
        self._base = target.base + b"/" if target.bare and not self._keeps_path else target.base
        constant = not (self._keeps_path or target.takes_rest)
        self._fixed = Moved(self._base + target.query + target.fragment, status) if constant else None

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer with the target, the rest of the path and the query in it.

        Raises:
            ProtocolError: 400 where the path is malformed and the target needs a part of it.
        """
        target = self._target
        path, query = split_target(request.head.target)
        if self._fixed is not None and (target.query or not query):
            self._fixed.render(request, data, end)
            return
        location = self._base
        if self._keeps_path:
            location += path if path.startswith(b"/") else b"/"
        elif target.takes_rest:
            location += self._rest(request, path)
        if target.local:
            location = local_location(location)
        Moved(location + (target.query or query) + target.fragment, self._status).render(request, data, end)

    def _rest(self, request: Request, path: bytes) -> bytes:
        """Find what `*` matched: as it came, or from the decided path where that was spelt otherwise."""
        start = self._prefix + b"/"
        if path.startswith(start):
            return path[len(start) :]
        return quote_from_bytes(request.path.decoded[len(start) :]).encode("ascii")


def _authority(to: str) -> str:
    """Check an absolute URL and make its scheme and authority."""
    found = _ABSOLUTE.match(to)
    if found is None:
        raise ValueError(f'expected a path such as "/new" or an address such as "https://example.com", got {to!r}')
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), found["port"] or ""
    try:
        name = host if host.startswith("[") else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{host!r} is no host name") from None
    return f"{scheme}://{name}{port}"


_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_ABSOLUTE: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:\d{1,5})?(?=[/?#]|\Z)", re.IGNORECASE
)
_PATH_OCTETS: Final = "/%:@!$&'()+,;=~*"
_QUERY_OCTETS: Final = "/%:@!$&'()+,;=~*?"
