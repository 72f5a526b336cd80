"""The demo app's resource tree."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import IO, TYPE_CHECKING, cast

from autobahn.twisted.resource import WebSocketResource
from twisted.web import http
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.vhost import NameVirtualHost

from gateway.demo import pages
from gateway.demo.socket import echo_factory
from gateway.demo.streams import Download, Events, Leaf

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.web.iweb import IRequest
    from twisted.web.server import Request

_BLOCK = 65536
_ASSETS = {"style.css": "text/css", "page.js": "text/javascript"}


def demo_site(clock: IReactorTime) -> Resource:
    """Build the tree: the start page at `localhost`, the app under every other name.

    Args:
        clock: What the streams take their pauses from.
    """
    hosts = NameVirtualHost()
    hosts.addHost(b"localhost", _with_assets(_Start()))
    hosts.default = _app(clock)  # type: ignore[assignment]  # twisted.web infers None from its default
    return hosts


def _app(clock: IReactorTime) -> Resource:
    root = _with_assets(_Page("home", pages.home))
    for name in ("live", "stream", "upload"):
        root.putChild(name.encode(), _Page(name, pages.plain))
    root.putChild(b"headers", _Headers())
    root.putChild(b"echo", _Echo())
    root.putChild(b"size", _Size())
    root.putChild(b"status", _Status())
    root.putChild(b"events", Events(clock))
    root.putChild(b"bytes", Download())
    root.putChild(b"socket", WebSocketResource(echo_factory(clock)))
    return root


def _with_assets(root: Resource) -> Resource:
    for name, kind in _ASSETS.items():
        content = files("gateway.demo").joinpath("files", name).read_bytes()
        root.putChild(name.encode(), _Asset(content, f"{kind}; charset=utf-8"))
    return root


class _Start(Resource):
    """What `http://localhost:8080/` shows: what is running, and where."""

    def getChild(self, path: bytes, request: IRequest) -> IResource:
        return self if path == b"" else notFound()

    def render_GET(self, request: Request) -> bytes:
        return _html(request, pages.start(_fields(request)))


class _Page(Resource):
    """One page of the app; at the root also the answer to the empty path."""

    def __init__(self, name: str, render: pages.Renderer) -> None:
        super().__init__()
        self._name = name
        self._render = render

    def getChild(self, path: bytes, request: IRequest) -> IResource:
        return self if path == b"" else notFound()

    def render_GET(self, request: Request) -> bytes:
        return _html(request, self._render(self._name, _fields(request)))


class _Asset(Leaf):
    """A file of the package."""

    def __init__(self, content: bytes, kind: str) -> None:
        super().__init__()
        self._content = content
        self._kind = kind

    def render_GET(self, request: Request) -> bytes:
        request.setHeader("content-type", self._kind)
        return self._content


class _Headers(Leaf):
    """The request as the app received it, as JSON."""

    def render(self, request: Request) -> bytes:
        request.setHeader("content-type", "application/json")
        received = {
            "method": request.method.decode("ascii"),
            "target": request.uri.decode("ascii", "backslashreplace"),
            "version": request.clientproto.decode("ascii"),
            "fields": _fields(request),
        }
        return json.dumps(received, indent=1).encode() + b"\n"


class _Echo(Leaf):
    """The request's body comes back as it was sent."""

    def render_POST(self, request: Request) -> bytes:
        request.setHeader("content-type", request.getHeader("content-type") or "application/octet-stream")
        return _content(request).read()


class _Size(Leaf):
    """Counts an upload and names its digest, as JSON."""

    def render_POST(self, request: Request) -> bytes:
        body, digest, size = _content(request), hashlib.sha256(), 0
        while block := body.read(_BLOCK):
            digest.update(block)
            size += len(block)
        request.setHeader("content-type", "application/json")
        return json.dumps({"bytes": size, "sha256": digest.hexdigest()}).encode() + b"\n"


class _Status(Leaf):
    """`/status/CODE` answers with that status."""

    def render_GET(self, request: Request) -> bytes:
        code = b"".join(request.postpath or ())
        if not (code.isdigit() and 200 <= int(code) <= 599):
            request.setResponseCode(http.NOT_FOUND)
            return b"ask for /status/200 to /status/599\n"
        request.setResponseCode(int(code))
        return b"" if int(code) in http.NO_BODY_CODES else b"status " + code + b" as asked\n"


def _content(request: Request) -> IO[bytes]:
    """The whole body: twisted.web calls a resource only once it has it."""
    return cast("IO[bytes]", request.content)


def _html(request: Request, page: str) -> bytes:
    request.setHeader("content-type", "text/html; charset=utf-8")
    request.setHeader("cache-control", "no-store")
    return page.encode()


def _fields(request: Request) -> pages.Fields:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in request.requestHeaders.getAllRawHeaders()
        for value in values
    ]
