"""What can go wrong between us and a certificate, and what follows from it."""

from __future__ import annotations

from gateway.errors import Blame, GatewayError
from gateway.units import Seconds


class IssuingError(GatewayError):
    """No certificate this time; the message is for people.

    Attributes:
        retry_after: Seconds after which the authority wants to be asked again; None if it did not say.
    """

    status = None
    blame = Blame.GATEWAY
    reason = "certificate"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SettingsLacking(IssuingError):
    """`[acme]` lacks something, or asks for what the authority does not offer."""


class AuthorityUnreachable(IssuingError):
    """The authority's server did not answer, or not in time."""


class AuthorityRefused(IssuingError):
    """The authority answered with an error (RFC 8555 §6.7).

    Attributes:
        code: Its type without the prefix, such as `rateLimited`; empty where it is none of RFC 8555.
    """

    def __init__(self, message: str, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.code = code


class AccountGone(AuthorityRefused):
    """The authority does not know our account any more."""


class ValidationFailed(IssuingError):
    """The authority could not validate the name.

    Attributes:
        challenge: Type of the challenge.
    """

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


class OrderExpired(IssuingError):
    """The order took too long or went away."""


class NotStored(IssuingError):
    """The certificate could not be written."""


class OrderRefused(IssuingError):
    """Our own ledger does not allow an order now.

    Attributes:
        until: When it will.
    """

    def __init__(self, message: str, until: Seconds) -> None:
        super().__init__(message)
        self.until = until
