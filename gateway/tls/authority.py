"""The blocking client of one certificate authority, on the `acme` package: what RFC 8555 §7 calls its resources.

Every method is one exchange, raises only `IssuingError`s, and has a timeout. It is used from one thread at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from acme import errors, messages
from acme.client import ClientNetwork, ClientV2
from cryptography import x509
from josepy.errors import Error as JoseError
from josepy.interfaces import JSONDeSerializable
from josepy.json_util import field as json_field
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from requests.adapters import BaseAdapter

from gateway.tls.answers import (
    AuthorizationState,
    OrderState,
    RenewalInfo,
    clean,
    http_date,
    read_order,
    retry_after,
    rfc3339,
    told,
)
from gateway.tls.bounded import BoundedAdapter
from gateway.tls.problems import AccountGone, AuthorityRefused, AuthorityUnreachable, IssuingError
from gateway.units import Seconds

TIMEOUT: Final = Seconds(30)
"""How long the authority may be silent within one call."""
_NONCES: Final = 3
"""How often a request is sent again with a fresh nonce (RFC 8555 §6.5)."""


class Order(messages.NewOrder):
    """A new order that may replace a certificate (RFC 9773 §5), which the package does not know."""

    replaces: str = json_field("replaces", omitempty=True)


class _NoContent(JSONDeSerializable):
    """The empty object that says a challenge is ready (RFC 8555 §7.5.1)."""

    def to_partial_json(self) -> dict[str, str]:
        return {}

    @classmethod
    def from_json(cls, jobj: object) -> _NoContent:
        return cls()


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """What binds our account to one that the authority's website knows (RFC 8555 §7.3.4).

    Attributes:
        kid: Key identifier.
        hmac: Key, base64url.
    """

    kid: str = field(repr=False)
    hmac: str = field(repr=False)


class Network(ClientNetwork):
    """The package's network, with our patience for nonces, and an eye on the authority's clock.

    Attributes:
        response: The last response, for the fields that the package's errors lack.
        on_date: Told of the authority's clock with each response.
    """

    def __init__(self, ca_file: str) -> None:
        super().__init__(alg=ES256, user_agent="gateway", timeout=int(TIMEOUT))
        self.verify_ssl = ca_file or True  # type: ignore[assignment]  # requests takes a path too
        self.response: requests.Response | None = None
        self.on_date: Callable[[Seconds], object] | None = None

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a signed request; again with a fresh nonce where the nonce was at fault."""
        for left in reversed(range(_NONCES + 1)):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce" or not left:
                    raise
                self._nonces.clear()
        raise AssertionError("unreachable")

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        self.response = None
        self.response = response = super()._send_request(method, url, *args, **kwargs)
        date = http_date(response.headers.get("Date", ""))
        if date is not None and self.on_date is not None:
            self.on_date(date)
        return response


class Authority:
    """One authority, as seen by one account.

    Args:
        url: URL of its directory.
        ca_file: PEM file with the authority of its own HTTPS certificate; empty for those of the system.
        adapter: Carries the requests instead of the network, in tests.
    """

    def __init__(self, url: str, ca_file: str, adapter: BaseAdapter | None = None) -> None:
        self.url = url
        self._network = Network(ca_file)
        self._network.session.mount("https://", adapter if adapter is not None else BoundedAdapter())
        self._client: ClientV2 | None = None

    @property
    def on_date(self) -> Callable[[Seconds], object] | None:
        """Told of the authority's clock with each response, in the worker's thread."""
        return self._network.on_date

    @on_date.setter
    def on_date(self, told: Callable[[Seconds], object] | None) -> None:
        self._network.on_date = told

    # The directory.

    def meta(self) -> messages.Directory.Meta:
        """Read what the directory says of the authority."""
        with self._translated():
            meta: messages.Directory.Meta = self._open().directory["meta"]
            return meta

    # The account.

    def register(self, key: JWKEC, email: str, external: ExternalAccount | None) -> str:
        """Make an account, or find the one that the key has (RFC 8555 §7.3).

        Returns:
            Its URL.
        """
        with self._translated():
            client = self._open()
            self._network.key, self._network.account = key, None
            binding = None
            if external is not None:
                binding = messages.ExternalAccountBinding.from_data(
                    key.public_key(), external.kid, external.hmac, client.directory
                )
            registration = messages.NewRegistration.from_data(
                email=email or None, terms_of_service_agreed=True, external_account_binding=binding
            )
            try:
                url = client.new_account(registration).uri
            except errors.ConflictError as error:
                url = error.location
            self.use_account(key, url)
            return str(url)

    def use_account(self, key: JWKEC, url: str) -> None:
        """Sign what follows as an account."""
        self._network.key = key
        self._network.account = messages.RegistrationResource(body=messages.Registration(), uri=url)

    # Orders.

    def new_order(self, name: str, replaces: str, profile: str) -> OrderState:
        """Order a certificate (RFC 8555 §7.4)."""
        identifier = messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name)
        order = Order(identifiers=[identifier], replaces=replaces or None, profile=profile or None)
        with self._translated():
            try:
                response = self._post(self._open().directory["newOrder"], order)
            except errors.ConflictError:
                raise AuthorityRefused("the certificate was already replaced", "alreadyReplaced") from None
            return read_order(response, str(response.headers["Location"]))

    def order(self, url: str) -> OrderState:
        """Read an order."""
        with self._translated():
            return read_order(self._post(url, None), url)

    def finalize(self, order: OrderState, csr: x509.CertificateSigningRequest) -> OrderState:
        """Ask for the certificate of an order that is ready."""
        with self._translated():
            return read_order(self._post(order.finalize, messages.CertificateRequest(csr=csr)), order.url)

    def authorization(self, url: str) -> AuthorizationState:
        """Read an authorization."""
        with self._translated():
            response = self._post(url, None)
            body = response.json()
            # Read plainly: the package refuses all of an authorization for one challenge that it cannot decode.
            known = [each for each in body["challenges"] if "url" in each]
            challenges = {str(each["type"]): (str(each["url"]), str(each.get("token", ""))) for each in known}
            failed = [told(messages.Error.from_json(each["error"])) for each in known if each.get("error")]
            return AuthorizationState(str(body["status"]), challenges, "; ".join(failed), retry_after(response))

    def answer(self, url: str) -> None:
        """Say that a challenge may be tried (RFC 8555 §7.5.1)."""
        with self._translated():
            self._post(url, _NoContent())

    def certificate(self, url: str) -> list[bytes]:
        """Download a certificate with its chain, and then its alternates (RFC 8555 §7.4.2)."""
        with self._translated():
            response = self._post(url, None)
            links = requests.utils.parse_header_links(response.headers.get("Link", ""))
            others = [link["url"] for link in links if link.get("rel") == "alternate"]
            return [response.content, *(self._post(other, None).content for other in others[:_ALTERNATES])]

    def renewal_info(self, certificate: str) -> RenewalInfo | None:
        """Ask when a certificate should be renewed; None if the authority does not say such things.

        Args:
            certificate: Its identifier (RFC 9773 §4.1).
        """
        with self._translated():
            try:
                base = str(self._open().directory["renewalInfo"])
            except KeyError:
                return None
            response = self._network.get(f"{base.rstrip('/')}/{certificate}")
            found = response.json()
            window = found["suggestedWindow"]
            start, end = rfc3339(window["start"]), rfc3339(window["end"])
            if end < start:
                raise ValueError("the window ends before it starts")
            page = str(found.get("explanationURL", ""))
            return RenewalInfo(start, end, page if _PAGE.fullmatch(page) else "", retry_after(response))

    def _open(self) -> ClientV2:
        if self._client is None:
            self._client = ClientV2(ClientV2.get_directory(self.url, self._network), self._network)
        return self._client

    def _post(self, url: str, content: JSONDeSerializable | None) -> requests.Response:
        nonces = self._open().directory["newNonce"]
        return self._network.post(url, content, new_nonce_url=nonces)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the errors of the package into ours."""
        try:
            yield
        except IssuingError:
            raise
        except messages.Error as error:
            response = self._network.response
            wait = retry_after(response) if response is not None else None
            code = str(error.typ).rsplit(":", maxsplit=1)[-1]
            kind = AccountGone if code == "accountDoesNotExist" else AuthorityRefused
            raise kind(f"the authority answered {told(error)}", code, wait) from None
        except requests.RequestException as error:
            self._client = None
            raise AuthorityUnreachable(f"{self.url} cannot be reached: {clean(_first_cause(error))}") from None
        except errors.ClientError as error:
            response = self._network.response
            if response is None or response.ok:
                raise _senseless(error) from error
            status = response.status_code
            code = f"http-{status}" if status < 500 else ""
            raise AuthorityRefused(f"the authority answered {status}", code, retry_after(response)) from None
        except (
            errors.Error, JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError,
        ) as error:  # fmt: skip
            raise _senseless(error) from error


def _first_cause(error: BaseException) -> BaseException:
    """Find what began it: the layers above only say that there was something."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def _senseless(error: Exception) -> AuthorityRefused:
    return AuthorityRefused(f"the authority's answer makes no sense: {clean(error)}")


_ALTERNATES: Final = 5
"""How many alternate chains are fetched at most."""
_PAGE: Final = re.compile(r"https://[!-~]{1,500}")
