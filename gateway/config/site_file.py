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
    HstsForm,
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
from gateway.filters.canonical import CanonicalHost, Slash
from gateway.filters.conditions import When
from gateway.filters.headers import HeaderEdits
from gateway.filters.hsts import Hsts
from gateway.filters.maintenance import Maintenance
from gateway.filters.security_headers import Security, ServerField
from gateway.resources.proxy import HealthForm
from gateway.resources.static import Clean
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
        max_body: Octets of request content let through, 0 for no limit; by default the site's.
        slash: What happens to a trailing slash of GET and HEAD; by default as the site says.
        clean: What becomes of page names without `.html` in a folder of files.
        listing: Whether a folder without index shows what is in it.
        untrusted: Whether strangers may have put the files there.
        headers: Edits of responses, after the site's.
        request_headers: Edits of requests on their way upstream, after the site's.
        when: What must hold for the route to answer; where it does not, the next shorter route is asked.
    """

    phoenix: ProxyForm | None = None
    proxy: ProxyForm | None = None
    static: StaticForm | None = None
    spa: SpaForm | None = None
    redirect: RedirectForm | None = None
    max_body: Size | None = None
    slash: Slash | None = None
    clean: Clean | None = None
    listing: bool | None = None
    untrusted: bool | None = None
    headers: HeadersForm = Field(default_factory=HeaderEdits)
    request_headers: RequestHeadersForm = HeaderEdits()
    when: When | None = None


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
        cert: PEM file of the site's own certificate, followed by what it was signed by.
        key: PEM file of that certificate's key.
        profile: Profile of its automatic certificates, such as `shortlived`, where it is not that of gateway.toml.
        slash: What happens to a trailing slash of GET and HEAD: it is taken off, added, or left as it is.
        max_body: Octets of request content let through, 0 for no limit; by default 100 MB.
        clean: What becomes of page names without `.html` in folders of files: `/about` answers with `about.html`
            (`serve`), `/about.html` is redirected there too (`redirect`), or neither (`off`).
        listing: Whether folders of files without index show what is in them.
        untrusted: Whether strangers may have put the files there: browsers save them, and run nothing in them.
        maintenance: Page shown while the app is away (`"page.html"`), or the switch (`true`), or a table of both.
        security: Set of security headers: `basic`, `strict` or `off`; with `!` in place of the app's own.
        server: What happens to the app's Server and X-Powered-By fields: `remove` or `keep`.
        hsts: How long browsers shall use HTTPS only; `false` for not at all.
        assets: Folders whose files are served in front of the app, also while it restarts.
        noindex: Keep search engines away.
        security_txt: Contact for /.well-known/security.txt.
        health: How the upstreams of the site's app are asked whether they are well: `"/health"` says for what.
        sticky: Clients of the site's app stay at the upstream that answered them first, by a cookie.
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
    cert: FilePath = ""
    key: FilePath = ""
    profile: str = ""
    slash: Slash = "keep"
    clean: Clean | None = None
    listing: bool | None = None
    untrusted: bool | None = None
    max_body: Size | None = None
    maintenance: MaintenanceForm = Maintenance()
    security: Security = "basic"
    server: ServerField = "remove"
    hsts: HstsForm = Hsts()
    assets: PathsForm = ()
    noindex: bool = False
    security_txt: Contact = ""
    health: HealthForm | None = None
    sticky: bool | None = None


SITE_KEYS = frozenset(SiteFile.__dataclass_fields__)
"""Keys that stand in a site file outside of any table."""
