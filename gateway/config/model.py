"""The whole configuration as frozen settings: what files mean, free of their short forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from gateway.config.acme import Acme
from gateway.config.source import NOWHERE, Origin
from gateway.errors import ConfigError
from gateway.features import Leaf
from gateway.filters.canonical import Slash
from gateway.filters.conditions import When
from gateway.filters.headers import HeaderEdits
from gateway.filters.hsts import Hsts
from gateway.filters.maintenance import Maintenance
from gateway.filters.security_headers import Security, ServerField
from gateway.net.listeners import ListenAddress, parse_listen
from gateway.settings import Duration, FieldName, FilePath, Size, beside_file, settings
from gateway.tls.contexts import Profile
from gateway.units import ByteCount, Seconds

Https = Literal["redirect", "optional", "off"]
"""Plain HTTP is redirected, served as well, or all there is."""

MAX_BODY = ByteCount(100_000_000)
"""Request content let through unless a site says otherwise; nginx's 1 MB breaks uploads to Phoenix apps."""


def _listener(value: Any, info: ValidationInfo) -> Any:
    address = parse_listen(value) if isinstance(value, str) else value
    return replace(address, path=beside_file(address.path, info)) if isinstance(address, ListenAddress) else address


Listen = Annotated[
    ListenAddress,
    BeforeValidator(_listener),
    WithJsonSchema({"type": "string", "description": '"ADDRESS:PORT", "unix:PATH" or "systemd:NAME"'}),
]


def _trusted(value: Any) -> str | IPv4Network | IPv6Network:
    if isinstance(value, (IPv4Network, IPv6Network)):
        return value
    if value in ("private", "cloudflare"):
        return str(value)
    if isinstance(value, str):
        try:
            return ip_network(value, strict=False)
        except ValueError:
            pass
    raise ValueError(f'expected a network such as "10.0.0.0/8", "private" or "cloudflare", got {value!r}')


TrustedProxy = Annotated[
    str | IPv4Network | IPv6Network,
    PlainValidator(_trusted),
    WithJsonSchema({"type": "string", "description": 'Network in CIDR form, "private" or "cloudflare"'}),
]
"""A peer whose forwarded fields are believed: a network, or the name of a list of networks."""


def _skipped(path: str) -> str:
    if not _SKIPPED.fullmatch(path):
        raise ValueError(f'expected a path such as "/health" or "/assets/*", got {path!r}')
    return path


SkippedPath = Annotated[str, AfterValidator(_skipped)]
"""A path, or with `/*` all paths below one."""


@settings
class LogSettings:
    """Settings, the table `[log]` of gateway.toml.

    Attributes:
        folder: Where access logs go; standard output where empty. By default $LOGS_DIRECTORY.
        format: `combined`, which goaccess and fail2ban read, or `json`.
        skip: Paths whose requests are not logged; `/health` is one path, `/assets/*` all below it.
        max_size: Size at which a log file is renamed and a new one begun; 0 for never.
        keep: Renamed files kept of each log.
    """

    folder: FilePath = ""
    format: Literal["combined", "json"] = "combined"
    skip: tuple[SkippedPath, ...] = ()
    max_size: Size = ByteCount(100_000_000)
    keep: int = Field(default=10, ge=0, le=1000)


@settings
class Limits:
    """Settings, the table `[limits]` of gateway.toml: what one client or all of them may take.

    Attributes:
        header_size: Octets of all field lines of a request together; over it 431.
        header_line: Octets of a request line; over it 414.
        header_count: Field lines of a request; over it 431.
        header_time: How long a head may take to arrive, from connecting or its first octet; then 408.
        body_idle: How long request content may stand still.
        body_rate: Octets per second that request content must reach once `body_grace` is over.
        body_grace: How long request content may be slower than `body_rate`.
        write_idle: How long a client may read nothing of a response.
        keep_alive: How long a connection may stay without a request.
        connections: Client connections in all; by default what the limit of open files leaves: 45 in 100.
        connections_per_client: Client connections of one address.
        buffer: Octets of further requests kept while one is answered, 64,000 at most; then the client is paused.
        stop: How long exchanges may go on after the gateway was told to stop.
    """

    header_size: Size = Field(default=ByteCount(16_384), gt=0)  # FEATURES §15
    header_line: Size = Field(default=ByteCount(8_192), gt=0)  # FEATURES §15; Bandit refuses over 10,000
    header_count: int = Field(default=100, gt=0)  # FEATURES §15; Bandit refuses over 50, which its app may raise
    header_time: Duration = Field(default=Seconds(15), gt=0)  # FEATURES §15, against slow heads
    body_idle: Duration = Field(default=Seconds(60), gt=0)  # FEATURES §15
    body_rate: Size = ByteCount(100)  # FEATURES §15: slower than any modem
    body_grace: Duration = Seconds(30)  # FEATURES §15
    write_idle: Duration = Field(default=Seconds(60), gt=0)  # FEATURES §15
    keep_alive: Duration = Field(default=Seconds(60), gt=0)  # as browsers expect; nginx waits 75 s
    connections: int | None = Field(default=None, gt=0)  # FEATURES §15: from RLIMIT_NOFILE
    connections_per_client: int = Field(default=100, gt=0)  # FEATURES §10
    buffer: Size = Field(default=ByteCount(1_000_000), gt=0)  # FEATURES §15
    stop: Duration = Seconds(30)  # FEATURES §15: bounded, unlike Caddy's


@settings
class GatewayConfig:
    """Settings of the machine, the file gateway.toml.

    Attributes:
        http: Plain listeners.
        https: TLS listeners.
        tls: Mozilla's `intermediate` (TLS 1.2 and 1.3) or `modern` (1.3 only).
        state: Folder of certificates, the ledger and deploy state; by default $STATE_DIRECTORY, else `state` beside
            the folder of site files.
        workers: Processes that serve; with more than one, another one leads them.
        unknown_host: Requests for hosts of no site get a plain 404 (`page`), or their connection is closed (`close`).
        trusted_proxies: Peers whose forwarded fields are believed.
        client_ip_header: Field in which they put the client's address, such as `CF-Connecting-IP`; by default
            X-Forwarded-For is walked.
        local_ca: Certificates for `*.localhost` from an authority of our own.
        acme: The certificate authority.
        log: Access logs.
        limits: What clients may take.
    """

    http: tuple[Listen, ...] = (ListenAddress("::", 80),)
    https: tuple[Listen, ...] = (ListenAddress("::", 443),)
    tls: Profile = "intermediate"
    state: FilePath = ""
    workers: int = Field(default=1, ge=1, le=64)
    unknown_host: Literal["page", "close"] = "page"
    trusted_proxies: tuple[TrustedProxy, ...] = ()
    client_ip_header: FieldName | None = None
    local_ca: bool = False
    acme: Acme = Acme()
    log: LogSettings = LogSettings()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A path prefix of a site and who answers for it; what the site says is already in it.

    Attributes:
        prefix: Decoded path prefix on segment borders, without trailing slash; empty for the whole site.
        exact: Whether only `prefix` itself is meant; it may then end with a slash.
        leaf: Who answers.
        phoenix: Whether an app with LiveView is behind it.
        max_body: Octets of request content let through; 0 for no limit.
        max_body_setting: Where that is set, such as `sites/example.com.toml:5 max_body`, for the log.
        slash: What happens to a trailing slash. An exact path is right as it is written, folders of files have their
            own rule, and a redirect leaves it to where it leads.
        when: What must hold for it to answer; None for nothing.
        headers: Edits of responses, the site's first.
        request_headers: Edits of requests on their way upstream, the site's first.
        origin: Where the location is set; as text `sites/example.com.toml:5 routes."/api/*"`.
    """

    prefix: str
    exact: bool = False
    leaf: Leaf
    phoenix: bool = False
    max_body: ByteCount = MAX_BODY
    max_body_setting: str = "max_body (default)"
    slash: Slash = "keep"
    when: When | None = None
    headers: tuple[HeaderEdits, ...] = ()
    request_headers: tuple[HeaderEdits, ...] = ()
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What one site file means.

    Attributes:
        name: Its name for people and logs: the file's stem in lower case, A-labels.
        file: Path of the file.
        hosts: Exact names, lower case, A-labels, own name first; IPv6 addresses in brackets.
        wildcards: Of each wildcard the part behind `*.`.
        default: Whether it answers for unknown hosts (`_default.toml`).
        canonical: The one host that the others redirect to; empty for none.
        implied: The `www.` name that it has although its file does not say so; empty for none.
        https: What becomes of plain HTTP.
        cert: PEM file of its own certificate and what that was signed by; empty for none.
        key: PEM file of that certificate's key.
        profile: Profile of its automatic certificates; empty for that of gateway.toml.
        locations: Places that answer, redirects among them, in no order: the longest prefix wins.
        headers: Edits of the responses that no location makes.
        errors: Pages by status or class of status, such as `404` or `5xx`: path of the file.
        maintenance: Page shown while the app is away, and the switch; a flag file counts as `on`.
        security: Set of security headers.
        server: What happens to the app's Server and X-Powered-By.
        hsts: How long browsers shall use HTTPS only.
        plain_subdomain: A name below the site's that is served without HTTPS, so that `hsts.subdomains` cannot hold.
        assets: Folders, or patterns of such, whose files are served in front of the app.
        noindex: Keep search engines away.
        security_txt: Contact shown in /.well-known/security.txt (RFC 9116); empty for none.
        origins: Where the keys of the site as a whole are set, for those that are.
    """

    name: str
    file: str
    hosts: tuple[str, ...] = ()
    wildcards: tuple[str, ...] = ()
    default: bool = False
    canonical: str = ""
    implied: str = ""
    https: Https = "redirect"
    cert: str = ""
    key: str = ""
    profile: str = ""
    locations: tuple[Location, ...] = ()
    headers: HeaderEdits = field(default_factory=HeaderEdits)
    errors: tuple[tuple[str, str], ...] = ()
    maintenance: Maintenance = field(default_factory=Maintenance)
    security: Security = "basic"
    server: ServerField = "remove"
    hsts: Hsts = field(default_factory=Hsts)
    plain_subdomain: str = ""
    assets: tuple[str, ...] = ()
    noindex: bool = False
    security_txt: str = ""
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenSite:
    """A site file with errors: its hosts answer 503 "configuration error".

    Attributes:
        name: As in `Site`; so are file, hosts, wildcards and default.
        errors: What is wrong with it.
    """

    name: str
    file: str
    hosts: tuple[str, ...] = ()
    wildcards: tuple[str, ...] = ()
    default: bool = False
    errors: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A folder of site files as a whole.

    Attributes:
        folder: The folder.
        config: What gateway.toml says; None if it has errors, and then there is nothing to start with.
        sites: The sites that can be served.
        broken: The sites that cannot.
        errors: All errors of all files, by file and line.
    """

    folder: Path
    config: GatewayConfig | None
    sites: tuple[Site, ...] = ()
    broken: tuple[BrokenSite, ...] = ()
    errors: tuple[ConfigError, ...] = ()


_SKIPPED = re.compile(r"/[^*?#%\\\s]*(?:(?<=/)\*)?")
