"""An ACME server (RFC 8555) in memory: a `requests` adapter that answers, fails and dawdles as a test tells it to."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import requests
from acme import jws
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from josepy.jwk import JWK
from requests.adapters import BaseAdapter

from gateway.tls.certificate import CertifiedKey
from gateway.tls.responders import key_pem

BASE = "https://ca.test"
DIRECTORY = f"{BASE}/directory"
CHALLENGES = ("http-01", "tls-alpn-01", "dns-01", "dns-persist-01")


@dataclass
class FakeOrder:
    """An order as the server keeps it."""

    name: str
    replaces: str = ""
    profile: str = ""
    status: str = "pending"
    authorization: str = "pending"
    challenge: str = ""
    looks: int = 0
    chain: list[bytes] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


class FakeCA(BaseAdapter):
    """A certificate authority.

    Args:
        now: Seconds of the epoch.

    Attributes:
        calls: Names of the requests it got, in order.
        orders: The orders it got.
        accounts: Thumbprints of account keys by account URL.
        faults: By the name of a request: answers to give instead, in turn; status, error code and fields.
        validate: Tells what is wrong with how a name answers a type of challenge; empty for nothing.
        looks: How often a validation must be polled before it is decided; `processing` likewise for issuing.
        lifetime: Of the certificates it makes.
        window: Renewal window, seconds of the epoch; None for no ARI at all.
        poll: What it says in Retry-After of the renewal information.
        profiles: The profiles it offers.
        terms: URL of its terms; empty for none.
        external: HMAC keys of external accounts by kid; None where none is needed.
        skew: How far its clock is ahead.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self.calls: list[str] = []
        self.orders: list[FakeOrder] = []
        self.accounts: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, list[tuple[int, str, dict[str, str]]]] = {}
        self.validate: Callable[[str, str, str, str], str] = lambda name, kind, token, thumbprint: ""
        self.on_finalize: Callable[[FakeOrder], None] = lambda order: None
        self.looks = 1
        self.processing = 0
        self.retry_after = ""
        self.lifetime = 90 * 86400.0
        self.window: tuple[float, float] | None = None
        self.poll = 6 * 3600
        self.profiles: dict[str, str] = {}
        self.terms = f"{BASE}/terms"
        self.external: dict[str, str] | None = None
        self.contacts: list[list[str]] = []
        self.skew = 0.0
        self.challenges = CHALLENGES
        self._nonces = 0
        self._good_nonces: set[str] = set()
        self.root, self.other_root = _Signer("Fake Root"), _Signer("Other Root")
        self._middle = ec.generate_private_key(ec.SECP256R1())

    # As an adapter.

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        assert kwargs["timeout"], "a call without a timeout"
        path = str(request.url).removeprefix(BASE).strip("/").split("/")
        self.calls.append(path[0])
        fault = self.faults.get(path[0])
        if fault:
            status, code, fields = fault.pop(0)
            if status == 0:
                raise requests.ConnectTimeout("timed out")
            return self._problem(request, status, code, fields)
        if path[0] in ("directory", "nonce", "renewal"):
            return getattr(self, f"_{path[0]}")(request, *path[1:])
        return self._signed(request, path)

    def close(self) -> None:
        """Nothing to close."""

    # Requests without a signature.

    def _directory(self, request: requests.PreparedRequest) -> requests.Response:
        meta: dict[str, Any] = {"caaIdentities": ["ca.test"]}
        if self.terms:
            meta["termsOfService"] = self.terms
        if self.profiles:
            meta["profiles"] = self.profiles
        if self.external is not None:
            meta["externalAccountRequired"] = True
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "new-order", "revokeCert": "revoke"}
        found: dict[str, Any] = {key: f"{BASE}/{place}" for key, place in names.items()}
        if self.window is not None:
            found["renewalInfo"] = f"{BASE}/renewal"
        return self._answer(request, 200, {**found, "meta": meta})

    def _nonce(self, request: requests.PreparedRequest) -> requests.Response:
        return self._answer(request, 200, None)

    def _renewal(self, request: requests.PreparedRequest, certificate: str) -> requests.Response:
        assert certificate.count(".") == 1, certificate
        assert self.window is not None
        start, end = (datetime.fromtimestamp(each, UTC).isoformat().replace("+00:00", "Z") for each in self.window)
        body = {"suggestedWindow": {"start": start, "end": end}, "explanationURL": f"{BASE}/why"}
        return self._answer(request, 200, body, {"Retry-After": str(self.poll)})

    # Signed requests.

    def _signed(self, request: requests.PreparedRequest, path: list[str]) -> requests.Response:
        message = jws.JWS.json_loads(request.body)
        header = message.signature.combined
        nonce = urlsafe_b64encode(header.nonce).decode().rstrip("=")
        if nonce not in self._good_nonces:
            return self._problem(request, 400, "badNonce", {})
        self._good_nonces.discard(nonce)
        assert header.url == request.url
        jwk = self._account_key(header)
        if jwk is None:
            return self._problem(request, 400, "accountDoesNotExist", {})
        assert message.verify(jwk), "a wrong signature"
        content = json.loads(message.payload) if message.payload else {}
        thumbprint = urlsafe_b64encode(jwk.thumbprint()).decode().rstrip("=")
        handler = getattr(self, f"_{path[0].replace('-', '_')}")
        return handler(request, content, thumbprint, *path[1:], **({"jwk": jwk} if path[0] == "account" else {}))

    def _account_key(self, header: jws.Header) -> JWK | None:
        if header.kid is None:
            return header.jwk
        account = self.accounts.get(header.kid)
        return JWK.from_json(account) if account is not None else None

    def _account(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str, jwk: JWK
    ) -> requests.Response:
        for url, known in self.accounts.items():
            if known == jwk.to_json():
                return self._answer(request, 200, {"status": "valid"}, {"Location": url})
        if self.terms and not content.get("termsOfServiceAgreed"):
            return self._problem(request, 403, "userActionRequired", {})
        if self.external is not None:
            binding = content.get("externalAccountBinding")
            if binding is None or not self._is_bound(binding):
                return self._problem(request, 403, "externalAccountRequired", {})
        url = f"{BASE}/account/{len(self.calls)}"
        self.accounts[url] = jwk.to_json()
        self.contacts.append(content.get("contact", []))
        return self._answer(request, 201, {"status": "valid"}, {"Location": url})

    def _is_bound(self, binding: dict[str, Any]) -> bool:
        protected = json.loads(_unbase64(binding["protected"]))
        assert self.external is not None
        return protected["kid"] in self.external and protected["url"] == f"{BASE}/account"

    def _new_order(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str
    ) -> requests.Response:
        names = [each["value"] for each in content["identifiers"]]
        assert len(names) == 1, "one certificate a name"
        replaces = content.get("replaces", "")
        if replaces and any(order.replaces == replaces and order.status == "valid" for order in self.orders):
            return self._problem(request, 409, "alreadyReplaced", {})
        self.orders.append(FakeOrder(names[0], replaces, content.get("profile", "")))
        number = len(self.orders) - 1
        return self._shown(request, number, 201, {"Location": f"{BASE}/order/{number}"})

    def _order(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str, number: str
    ) -> requests.Response:
        order = self.orders[int(number)]
        if order.status == "processing":
            order.looks += 1
            if order.looks > self.processing:
                order.status = "valid"
        fields = {"Retry-After": self.retry_after} if order.status == "processing" and self.retry_after else {}
        return self._shown(request, int(number), 200, fields)

    def _shown(
        self, request: requests.PreparedRequest, number: int, status: int, fields: dict[str, str]
    ) -> requests.Response:
        order = self.orders[number]
        body: dict[str, Any] = {
            "status": order.status,
            "identifiers": [{"type": "dns", "value": order.name}],
            "authorizations": [f"{BASE}/authz/{number}"],
            "finalize": f"{BASE}/finalize/{number}",
        }
        if order.status == "valid":
            body["certificate"] = f"{BASE}/cert/{number}/0"
        if order.error:
            body["error"] = order.error
        return self._answer(request, status, body, fields)

    def _authz(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str, number: str
    ) -> requests.Response:
        order = self.orders[int(number)]
        if order.challenge and order.authorization == "pending":
            order.looks += 1
            if order.looks >= self.looks:
                problem = self.validate(order.name, order.challenge, f"token-{number}", thumbprint)
                order.authorization, order.status = ("invalid", "invalid") if problem else ("valid", "ready")
                order.failed, order.looks = ({order.challenge: problem} if problem else {}), 0
        kinds = [kind for kind in self.challenges if kind.startswith("dns") or not order.name.startswith("*.")]
        shown = [self._challenge_of(number, kind, order) for kind in kinds]
        identifier = {"type": "dns", "value": order.name.removeprefix("*.")}
        body = {"status": order.authorization, "identifier": identifier, "challenges": shown}
        return self._answer(request, 200, body)

    def _challenge_of(self, number: str, kind: str, order: FakeOrder) -> dict[str, Any]:
        found: dict[str, Any] = {"type": kind, "status": "pending", "url": f"{BASE}/challenge/{number}/{kind}"}
        if kind != "dns-persist-01":
            found["token"] = f"token-{number}"
        else:
            found["issuer-domain-names"] = ["ca.test"]
        if kind in order.failed:
            error = {"type": "urn:ietf:params:acme:error:connection", "detail": order.failed[kind]}
            found |= {"status": "invalid", "error": error}
        return found

    def _challenge(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str, number: str, kind: str
    ) -> requests.Response:
        assert content == {}
        self.orders[int(number)].challenge = kind
        return self._answer(request, 200, self._challenge_of(number, kind, self.orders[int(number)]))

    def _finalize(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str, number: str
    ) -> requests.Response:
        order = self.orders[int(number)]
        if order.status != "ready":
            return self._problem(request, 403, "orderNotReady", {})
        csr = x509.load_der_x509_csr(_unbase64(content["csr"]))
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [order.name]
        order.status = "processing" if self.processing else "valid"
        order.chain = self._issue(order.name, csr)
        self.on_finalize(order)
        return self._shown(request, int(number), 200, {})

    def _issue(self, name: str, csr: x509.CertificateSigningRequest) -> list[bytes]:
        now = datetime.fromtimestamp(self._now(), UTC)
        middle = _name("Fake Intermediate")
        leaf = (
            _certificate(csr.public_key(), x509.Name([]), middle, now, timedelta(seconds=self.lifetime))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._middle.public_key()), False)
            .sign(self._middle, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )
        return [leaf + root.vouch(self._middle, middle, now) for root in (self.root, self.other_root)]

    def _cert(
        self, request: requests.PreparedRequest, content: dict[str, Any], thumbprint: str, number: str, which: str
    ) -> requests.Response:
        fields = {"Link": f'<{BASE}/directory>;rel="index", <{BASE}/cert/{number}/1>;rel="alternate"'}
        chain = self.orders[int(number)].chain[int(which)]
        return self._answer(request, 200, chain, fields if which == "0" else {})

    # Answers.

    def _problem(
        self, request: requests.PreparedRequest, status: int, code: str, fields: dict[str, str]
    ) -> requests.Response:
        body = {"type": f"urn:ietf:params:acme:error:{code}", "detail": f"fake {code}"}
        return self._answer(request, status, body, {"Content-Type": "application/problem+json", **fields})

    def _answer(
        self,
        request: requests.PreparedRequest,
        status: int,
        body: dict[str, Any] | bytes | None,
        fields: dict[str, str] | None = None,
    ) -> requests.Response:
        self._nonces += 1
        nonce = urlsafe_b64encode(hashlib.sha256(b"%d" % self._nonces).digest()).decode().rstrip("=")
        self._good_nonces.add(nonce)
        response = requests.Response()
        response.status_code = status
        response.url = str(request.url)
        date = format_datetime(datetime.fromtimestamp(self._now() + self.skew, UTC), usegmt=True)
        kind = "application/pem-certificate-chain" if isinstance(body, bytes) else "application/json"
        response.headers.update({"Replay-Nonce": nonce, "Date": date, "Content-Type": kind, **(fields or {})})
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        return response


class _Signer:
    def __init__(self, name: str) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())

    def vouch(self, key: ec.EllipticCurvePrivateKey, name: x509.Name, now: datetime) -> bytes:
        """Sign an intermediate."""
        builder = _certificate(key.public_key(), name, _name(self.name), now, timedelta(days=3650))
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        signed = builder.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        return signed.public_bytes(Encoding.PEM)


def _certificate(
    key: Any, subject: x509.Name, issuer: x509.Name, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + lifetime)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def self_signed(name: str, lifetime: timedelta = timedelta(days=90), age: timedelta = timedelta(0)) -> CertifiedKey:
    """Make a certificate that vouches for itself, of an age."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = _certificate(key.public_key(), subject, subject, datetime.now(UTC) - age, lifetime)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return CertifiedKey.load(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), key_pem(key))
