"""The issuer: one order from account to certificate, one method for each step of RFC 8555 §7.

The authority's client blocks and runs in a worker's thread; everything else, waiting included, happens on the reactor.
An order is kept on disk while it is under way, so that a restart goes on with it instead of ordering again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from gateway.tls.account import AccountKeeper
from gateway.tls.answers import AuthorizationState, OrderState
from gateway.tls.authority import Authority
from gateway.tls.certificate import CertificateUnusable, CertifiedKey
from gateway.tls.ledger import CERTIFICATE, FAILURE, ORDER, Entry, Ledger
from gateway.tls.problems import (
    AccountGone,
    AuthorityRefused,
    IssuingError,
    NotStored,
    OrderExpired,
    OrderRefused,
    SettingsLacking,
    ValidationFailed,
)
from gateway.tls.responders import Challenge, Responder, choose, is_token, key_pem
from gateway.tls.store import DirectoryStore, PendingOrder
from gateway.tls.worker import Worker
from gateway.units import Seconds

log = Logger()

VALIDATION: Final = Seconds(180)
"""How long the authority may take to validate a name."""
ISSUANCE: Final = Seconds(600)
"""How long it may take to issue once it has validated."""
_RESUMABLE: Final = 86400.0
"""An order under way that is older is not gone on with: its authorizations will hardly be valid."""
_POLLS: Final = (1.0, 2.0, 3.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted for a name.

    Attributes:
        name: The name, or a wildcard.
        replaces: Identifier of the certificate that it replaces (RFC 9773 §4.1); empty for none.
        profile: Profile of certificates; empty for the authority's choice.
        remembered: Type of the challenge that succeeded last.
        failed: Types that failed since.
    """

    name: str
    replaces: str = ""
    profile: str = ""
    remembered: str = ""
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as it came.

    Attributes:
        key: It and its key.
        challenge: Type of the challenge that succeeded; empty where the authority needed none.
    """

    key: CertifiedKey
    challenge: str


class Issuer:
    """Gets certificates of one authority.

    Args:
        authority: Its client.
        store: Where the account and orders under way are kept.
        ledger: What was asked of it.
        worker: Runs what blocks.
        clock: Timers.
        now: Seconds of the epoch.
        responders: How names can be validated, the best first.
        account: Who we are there.
        chain: Name of the issuer at the top of the chain to prefer among alternates; empty for the authority's choice.
    """

    def __init__(
        self,
        authority: Authority,
        store: DirectoryStore,
        ledger: Ledger,
        worker: Worker,
        clock: IReactorTime,
        now: Callable[[], Seconds],
        responders: Sequence[Responder],
        account: AccountKeeper,
        chain: str = "",
    ) -> None:
        self.authority = authority
        self._store = store
        self._ledger = ledger
        self._worker = worker
        self._clock = clock
        self._now = now
        self._responders = responders
        self._account = account
        self._chain = chain

    async def issue(self, wish: Wish) -> Issued:
        """Get a certificate.

        Raises:
            IssuingError: Not this time.
        """
        account = ""
        try:
            await self._account.use()
            account = self._account.url
            return await self._issue(wish)
        except AccountGone:
            log.warn("the account at {url} is gone: registering again", url=self.authority.url)
            await self._account.forget(account)
            await self._put_order(wish.name, None)
            return await self._issue(wish)
        except OSError as error:
            raise NotStored(f"the state folder cannot be used: {error}") from error

    async def tidy(self) -> None:
        """Leave out of the ledger what no longer counts.

        Raises:
            OSError: It cannot be written.
        """
        content = self._ledger.forget(self._now())
        await self._worker.run(partial(self._ledger.rewrite, content))

    async def rehearse(self, wish: Wish) -> None:
        """Get a certificate and throw it away: a test of whether a name can be validated.

        Raises:
            IssuingError: It cannot.
        """
        await self.issue(Wish(name=wish.name, remembered=wish.remembered))
        await self._put_order(wish.name, None)

    async def _issue(self, wish: Wish) -> Issued:
        failed = wish.failed
        while True:
            attempt = dataclasses.replace(wish, failed=failed)
            try:
                return await self._attempt(attempt)
            except ValidationFailed as error:
                failed = (*failed, error.challenge)
                if not self._has_other(wish, failed):
                    raise
                log.warn("{name}: {error}; trying another challenge", name=wish.name, error=str(error))

    async def _attempt(self, wish: Wish) -> Issued:
        await self._account.use()
        order, key = await self._resume(wish) or await self._new_order(wish)
        try:
            challenge = await self._authorize(order, wish)
            order = await self._finalize(order, key, wish)
            chains = await self._worker.run(partial(self.authority.certificate, order.certificate))
        except AuthorityRefused as error:
            if error.code not in _TEMPORARY:
                await self._put_order(wish.name, None)
            raise
        except (OrderExpired, ValidationFailed):
            await self._put_order(wish.name, None)
            raise
        issued = self._check(chains, key, wish.name)
        return Issued(issued, challenge)

    # The order (RFC 8555 §7.4).

    async def _resume(self, wish: Wish) -> tuple[OrderState, ec.EllipticCurvePrivateKey] | None:
        """Go on with the order that was under way, if there is one and it can still succeed."""
        pending = await self._worker.run(partial(self._store.order, wish.name))
        if pending is None:
            return None
        if pending.created + _RESUMABLE > self._now():
            try:
                key = load_pem_private_key(pending.key.encode(), None)
                order = await self._worker.run(partial(self.authority.order, pending.url))
            except AuthorityRefused as error:
                if error.code in _TEMPORARY or isinstance(error, AccountGone):
                    raise
            except ValueError:
                log.warn("the order of {name} under way is damaged: ordering again", name=wish.name)
            else:
                if order.status != "invalid" and isinstance(key, ec.EllipticCurvePrivateKey):
                    return order, key
        await self._put_order(wish.name, None)
        return None

    async def _new_order(self, wish: Wish) -> tuple[OrderState, ec.EllipticCurvePrivateKey]:
        if not self._has_other(wish, ()):
            raise SettingsLacking("a wildcard needs a DNS challenge: set `dns_hook` or `challenges` in [acme]")
        refusal = self._ledger.refusal(wish.name, self._now(), replaces=bool(wish.replaces))
        if refusal is not None:
            raise OrderRefused(refusal.reason, refusal.until)
        if wish.profile:
            meta = await self._worker.run(self.authority.meta)
            offered = meta.profiles or {}
            if wish.profile not in offered:
                known = ", ".join(sorted(offered)) or "none"
                raise SettingsLacking(f"the authority has no profile {wish.profile!r}; it offers: {known}")
        await self._note(ORDER, wish)
        try:
            order = await self._worker.run(partial(self.authority.new_order, wish.name, wish.replaces, wish.profile))
        except AuthorityRefused as error:
            if error.code != "alreadyReplaced":
                raise
            order = await self._worker.run(partial(self.authority.new_order, wish.name, "", wish.profile))
        key = ec.generate_private_key(ec.SECP256R1())
        await self._put_order(wish.name, PendingOrder(order.url, key_pem(key).decode(), self._now()))
        return order, key

    # Authorizations and challenges (RFC 8555 §7.5).

    async def _authorize(self, order: OrderState, wish: Wish) -> str:
        """Have every authorization of an order validated; tell by which type of challenge."""
        used = ""
        if order.status != "pending":
            return used
        for url in order.authorizations:
            authorization = await self._worker.run(partial(self.authority.authorization, url))
            if authorization.status == "pending":
                used = await self._respond(url, authorization, wish)
            elif authorization.status != "valid":
                raise OrderExpired(f"an authorization of the order is {authorization.status}")
        return used

    async def _respond(self, url: str, authorization: AuthorizationState, wish: Wish) -> str:
        offered = tuple(authorization.challenges)
        responder = choose(self._responders, wish.name, offered, wish.remembered, wish.failed)
        if responder is None:
            responder = choose(self._responders, wish.name, offered, wish.remembered, ())
        if responder is None:
            raise SettingsLacking(f"none of the challenges offered can be answered: {', '.join(offered) or 'none'}")
        place, token = authorization.challenges[responder.type]
        challenge = self._challenge(responder.type, token)
        try:
            await responder.start_responding(wish.name, challenge)
            await self._worker.run(partial(self.authority.answer, place))
            await self._validated(url, responder.type, wish)
        finally:
            try:
                await responder.stop_responding(wish.name, challenge)
            except IssuingError as error:
                log.warn("{name}: tidying up after {type}: {error}", name=wish.name, type=responder.type, error=error)
        return responder.type

    def _challenge(self, kind: str, token: str) -> Challenge:
        if token and not is_token(token):
            raise AuthorityRefused("the authority's token has no valid form")
        return Challenge(kind, token, f"{token}.{self._account.thumbprint()}")

    async def _validated(self, url: str, kind: str, wish: Wish) -> None:
        deadline = self._now() + VALIDATION
        for turn in count():
            authorization = await self._worker.run(partial(self.authority.authorization, url))
            if authorization.status == "valid":
                return
            if authorization.status != "pending":
                await self._note(FAILURE, wish)
                raise ValidationFailed(f"{kind} failed: {authorization.error or authorization.status}", kind)
            await self._pause(turn, authorization.retry_after, deadline, f"{wish.name} was not validated by {kind}")

    # Finalization (RFC 8555 §7.4).

    async def _finalize(self, order: OrderState, key: ec.EllipticCurvePrivateKey, wish: Wish) -> OrderState:
        deadline = self._now() + ISSUANCE
        asked = order.status in ("processing", "valid")
        for turn in count():
            if order.status == "valid" and order.certificate:
                return order
            if order.status == "invalid":
                raise OrderExpired(f"the order became invalid: {order.error or 'the authority does not say why'}")
            if order.status == "ready" and not asked:
                await self._note(CERTIFICATE, wish)
                order = await self._worker.run(partial(self.authority.finalize, order, _request(wish.name, key)))
                asked = True
            else:
                if turn or asked:
                    await self._pause(turn, order.retry_after, deadline, "the certificate was not issued")
                order = await self._worker.run(partial(self.authority.order, order.url))
        raise AssertionError("unreachable")

    def _check(self, chains: Sequence[bytes], key: ec.EllipticCurvePrivateKey, name: str) -> CertifiedKey:
        """Check what was downloaded, and choose among the chains."""
        try:
            keys = [CertifiedKey.load(chain, key_pem(key)) for chain in chains]
        except CertificateUnusable as error:
            raise AuthorityRefused(f"the certificate cannot be used: {error}") from error
        chosen = next((each for each in keys if self._chain and self._is_preferred(each)), keys[0])
        if not chosen.covers(name):
            raise AuthorityRefused(f"the certificate is for {', '.join(chosen.names)}, not for {name}")
        return chosen

    def _is_preferred(self, key: CertifiedKey) -> bool:
        top = x509.load_pem_x509_certificates(key.chain)[-1]
        return self._chain in (str(each.value) for each in top.issuer)

    # Small things.

    def _has_other(self, wish: Wish, failed: Sequence[str]) -> bool:
        types = [each.type for each in self._responders]
        return choose(self._responders, wish.name, types, "", failed) is not None

    async def _note(self, kind: str, wish: Wish) -> None:
        line = self._ledger.note(Entry(self._now(), kind, wish.name, bool(wish.replaces)))
        await self._worker.run(partial(self._ledger.save, line))

    def _put_order(self, name: str, order: PendingOrder | None) -> Deferred[None]:
        return self._worker.run(partial(self._store.put_order, name, order))

    async def _pause(self, turn: int, asked: float | None, deadline: float, late: str) -> None:
        wait = asked if asked is not None else _POLLS[min(turn, len(_POLLS) - 1)]
        if self._now() + wait > deadline:
            raise OrderExpired(f"{late} in time")
        await deferLater(self._clock, max(wait, _POLLS[0]))


def _request(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.add_extension(names, critical=False).sign(key, hashes.SHA256())


_TEMPORARY: Final = frozenset({"rateLimited", "serverInternal", "badNonce", ""})
"""Errors after which the same order may still succeed."""
