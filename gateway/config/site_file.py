"""The keys of a site file as people write them; `gateway.config.build` makes a `Site` of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from gateway.config.model import Https
from gateway.config.shorthand import (
    Contact,
    ErrorKey,
    HeadersForm,
    HostPattern,
    MaintenanceForm,
    PathPattern,
    PathsForm,
    ProxyForm,
    RedirectEntry,
    RedirectForm,
    RequestHeadersForm,
    SpaForm,
    StaticForm,
    expand_route,
    read_https,
)
from gateway.features import Security
from gateway.filters.canonical import CanonicalHost, Slash
from gateway.filters.headers import HeaderEdits
from gateway.resources.websocket import WebSocket
from gateway.settings import FilePath, ShortForm, Size, settings


@settings
class RouteTable:
    """Settings, a value of `[routes]`; the keys of a proxy may stand here beside `proxy`.

    Attributes:
        phoenix: An app with LiveView.
        proxy: Any other application.
        static: A folder of files.
        spa: A single-page app's folder.
        redirect: Where everything is redirected to.
        max_body: Octets of request content let through; 0 for no limit.
        slash: What happens to a trailing slash.
        headers: Edits of responses, after the site's.
        request_headers: Edits of requests on their way upstream, after the site's.
    """

    phoenix: ProxyForm | None = None
    proxy: ProxyForm | None = None
    static: StaticForm | None = None
    spa: SpaForm | None = None
    redirect: RedirectForm | None = None
    max_body: Size | None = None
    slash: Slash | None = None
    headers: HeadersForm = Field(default_factory=HeaderEdits)
    request_headers: RequestHeadersForm = HeaderEdits()


Route = Annotated[
    RouteTable,
    ShortForm(expand_route, {"type": ["integer", "string", "array"], "items": {"type": ["integer", "string"]}}),
]


@settings
class SiteFile:
    """Settings of a site, the file named after its host.

    Attributes:
        hosts: Further names, `*.example.com` for a wildcard.
        canonical: The one name that the others redirect to: `www`, `apex`, or `name` for the file's own.
        phoenix: An app with LiveView answers.
        proxy: Any other application answers.
        static: A folder of files answers.
        spa: A single-page app's folder answers.
        redirect: Everything is redirected.
        routes: Who answers for some paths: `"/docs/*"` for a prefix, `"/exact"` for one path.
        redirects: Paths that moved (`"/old" = "/new"`) or are gone (`"/old" = 410`).
        headers: Edits of responses.
        request_headers: Edits of requests on their way upstream.
        websocket: Limits of WebSockets of all apps of the site.
        errors: Pages by status or class of status: `404 = "404.html"`, `5xx = "sorry.html"`.
        https: Plain HTTP is redirected (`redirect`), served too (`optional`), or all there is (`off`).
        profile: Profile of its automatic certificates, such as `shortlived`, where it is not that of gateway.toml.
        slash: What happens to a trailing slash.
        max_body: Octets of request content let through; 0 for no limit.
        maintenance: Page shown while the app is away.
        security: Set of security headers.
        assets: Folders whose files are served in front of the app, also while it restarts.
        noindex: Keep search engines away.
        security_txt: Contact for /.well-known/security.txt.
    """

    hosts: tuple[HostPattern, ...] = ()
    canonical: CanonicalHost | None = None
    phoenix: ProxyForm | None = None
    proxy: ProxyForm | None = None
    static: StaticForm | None = None
    spa: SpaForm | None = None
    redirect: RedirectForm | None = None
    routes: dict[PathPattern, Route] = Field(default_factory=dict)
    redirects: dict[PathPattern, RedirectEntry] = Field(default_factory=dict)
    headers: HeadersForm = Field(default_factory=HeaderEdits)
    request_headers: RequestHeadersForm = HeaderEdits()
    websocket: WebSocket | None = None
    errors: dict[ErrorKey, FilePath] = Field(default_factory=dict)
    https: Annotated[
        Https, BeforeValidator(read_https), WithJsonSchema({"enum": ["redirect", "optional", "off", True, False]})
    ] = "redirect"
    profile: str = ""
    slash: Slash = "keep"
    max_body: Size | None = None
    maintenance: MaintenanceForm = ""
    security: Security = "basic"
    assets: PathsForm = ()
    noindex: bool = False
    security_txt: Contact = ""


SITE_KEYS = frozenset(SiteFile.__dataclass_fields__)
"""Keys that stand in a site file outside of any table."""
