"""The error taxonomy: each error says who is to blame, what to answer, and whether to retry.

Owns the classes; answering them is `gateway.web.request.Request.fail`.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar, Final


class Blame(Enum):
    """Who caused an error."""

    CLIENT = "client"
    UPSTREAM = "upstream"
    OPERATOR = "operator"
    GATEWAY = "gateway"


class GatewayError(Exception):
    """Base of all errors that can end an exchange.

    Attributes:
        status: Response status to answer with; None where no answer is possible.
        blame: Who caused it.
        retryable: Whether the request may be tried again on another connection.
        reason: Reason token for the access log, e.g. `upstream_refused`.
        proxy_status: Error type of RFC 9209 §2.3; empty where none fits.
        away: Whether it means that the site is away for a while: answered with its maintenance page, as 503.
    """

    status: int | None = 500
    blame: Blame = Blame.GATEWAY
    retryable: bool = False
    reason: str = "internal"
    proxy_status: ClassVar[str] = ""
    away: ClassVar[bool] = False


class ProtocolError(GatewayError):
    """The client broke the protocol.

    Args:
        message: What was found, with the RFC section broken.
        status: 400, 413, 414, 417, 421, 431, 501 or 505.
    """

    blame = Blame.CLIENT
    reason = "bad_request"
    proxy_status: ClassVar[str] = "http_request_error"

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.reason = _PROTOCOL_REASONS.get(status, "bad_request")


_PROTOCOL_REASONS = {
    408: "request_timeout",
    413: "body_too_large",
    414: "target_too_long",
    417: "expectation_unknown",
    421: "misdirected",
    431: "header_too_large",
    501: "not_implemented",
    505: "version_unsupported",
}


class HTTPError(GatewayError):
    """A leaf or a filter wants this status.

    Args:
        status: The status to answer with.
        reason: Reason token for the access log.
        fields: Field lines for the response, each a name and a value.
        message: One sentence for the log.
    """

    blame = Blame.CLIENT

    def __init__(
        self,
        status: int,
        reason: str = "refused",
        fields: tuple[tuple[bytes, bytes], ...] = (),
        message: str = "",
    ) -> None:
        super().__init__(message or reason)
        self.status = status
        self.reason = reason
        self.fields = fields


RETRY_AFTER: Final = 10
"""Seconds named in Retry-After where nothing better is known: about as long as an app takes to restart."""


class UnderMaintenance(HTTPError):
    """The operator has switched maintenance on.

    Args:
        retry_after: Seconds after which it is worth trying again.
    """

    blame = Blame.OPERATOR
    away: ClassVar[bool] = True

    def __init__(self, retry_after: int) -> None:
        super().__init__(503, "maintenance")
        self.retry_after = retry_after


class ClientDisconnected(GatewayError):
    """The client left before its answer was complete; logged as 499."""

    status = None
    blame = Blame.CLIENT
    reason = "client_gone"


class Unanswered(GatewayError):
    """A request that is not worth an answer: its connection is closed."""

    status = None
    blame = Blame.CLIENT
    reason = "unknown_host"


class ClientTimeout(ClientDisconnected):
    """The client neither sent nor read for too long."""

    reason = "client_timeout"


class GatewayStopping(GatewayError):
    """The gateway is shutting down or cannot take more."""

    status = 503
    reason = "stopping"
    proxy_status: ClassVar[str] = "connection_limit_reached"


class TooManyConnections(GatewayStopping):
    """A limit on connections is reached."""

    reason = "too_many_connections"


class SpoolFailed(GatewayError):
    """Request content could not be kept on disk before the application was asked."""

    status = 503
    reason = "spool_failed"
    proxy_status: ClassVar[str] = "proxy_internal_error"


class UpstreamError(GatewayError):
    """The application behind the gateway failed."""

    status = 502
    blame = Blame.UPSTREAM
    reason = "upstream_error"
    proxy_status: ClassVar[str] = "proxy_internal_error"


class NoUpstreamAvailable(UpstreamError):
    """No upstream of the location may be used now."""

    status = 503
    reason = "upstream_none"
    proxy_status: ClassVar[str] = "destination_unavailable"
    away: ClassVar[bool] = True


class NameLookupFailed(UpstreamError):
    """The upstream's name has no address; nothing was sent."""

    retryable = True
    reason = "upstream_dns"
    proxy_status: ClassVar[str] = "dns_error"
    away: ClassVar[bool] = True


class ConnectionRefused(UpstreamError):
    """The upstream refused the connection; nothing was sent."""

    retryable = True
    reason = "upstream_refused"
    proxy_status: ClassVar[str] = "connection_refused"
    away: ClassVar[bool] = True


class ConnectionTimeout(UpstreamError):
    """The upstream did not accept the connection in time; nothing was sent."""

    status = 504
    retryable = True
    reason = "upstream_connect_timeout"
    proxy_status: ClassVar[str] = "connection_timeout"
    away: ClassVar[bool] = True


class CertificateInvalid(UpstreamError):
    """The upstream's TLS certificate did not verify; nothing was sent."""

    reason = "upstream_certificate"
    proxy_status: ClassVar[str] = "tls_certificate_error"
    away: ClassVar[bool] = True


class HandshakeFailed(UpstreamError):
    """The upstream did not complete the TLS handshake; nothing was sent."""

    retryable = True
    reason = "upstream_tls"
    proxy_status: ClassVar[str] = "tls_protocol_error"
    away: ClassVar[bool] = True


class ConnectionReset(UpstreamError):
    """The upstream closed before the response head."""

    reason = "upstream_reset"
    proxy_status: ClassVar[str] = "connection_terminated"
    away: ClassVar[bool] = True


class ResponseTimeout(UpstreamError):
    """The upstream sent no response head in time."""

    status = 504
    reason = "upstream_header_timeout"
    proxy_status: ClassVar[str] = "http_response_timeout"
    away: ClassVar[bool] = True


class ResponseReplaced(UpstreamError):
    """The app answered with an error that the site's maintenance page stands in for (`intercept`).

    Args:
        status: The app's status.
    """

    reason = "upstream_status"
    away: ClassVar[bool] = True

    def __init__(self, status: int) -> None:
        super().__init__(f"the app answered {status}")
        self.reason = f"upstream_status_{status}"


class ResponseInvalid(UpstreamError):
    """The upstream's response broke the protocol."""

    reason = "upstream_invalid"
    proxy_status: ClassVar[str] = "http_protocol_error"


class ResponseHeaderTooLarge(ResponseInvalid):
    """The upstream's response head is over the limit."""

    reason = "upstream_header_too_large"
    proxy_status: ClassVar[str] = "http_response_header_section_size"


class ResponseIncomplete(UpstreamError):
    """The upstream went away in the middle of the response; the stream is reset."""

    reason = "upstream_incomplete"
    proxy_status: ClassVar[str] = "http_response_incomplete"


class ResponseStalled(ResponseIncomplete):
    """The upstream stopped sending or reading in the middle of the exchange."""

    status = 504
    reason = "upstream_idle_timeout"
    proxy_status: ClassVar[str] = "http_response_timeout"


class FileUnavailable(GatewayError):
    """A file that is there cannot be read."""

    status = 500
    blame = Blame.OPERATOR
    reason = "file_unavailable"


class FileIncomplete(ResponseIncomplete):
    """A file became shorter while it was sent, or its disk failed; the stream is reset."""

    blame = Blame.OPERATOR
    reason = "file_incomplete"


class ConfigError(GatewayError):
    """A setting is wrong; raised and collected at start and on reload only.

    Args:
        message: What is wrong, in one sentence without the place.
        file: Path of the file, as the user named its folder.
        line: Line from 1; 0 where the file as a whole is meant.
        column: Column from 1, in characters.
        key: Key path such as `routes."/api/*".strip`; empty where no key is meant.
        expected: What would be right; empty where the message says it.
        found: What is there instead.
        suggestion: The nearest known key or value.
        source_line: Text of the line.
        kind: Which sort of mistake, for programs: `syntax`, `unknown_key`, `not_yet`, `value`, `clash` and so on.
    """

    status = 503
    blame = Blame.OPERATOR
    reason = "configuration"

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int = 0,
        column: int = 0,
        key: str = "",
        expected: str = "",
        found: str = "",
        suggestion: str = "",
        source_line: str = "",
        kind: str = "value",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.expected = expected
        self.found = found
        self.suggestion = suggestion
        self.source_line = source_line
        self.kind = kind

    @property
    def place(self) -> str:
        """Where it is: `file:line:column`, or the file alone."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"
