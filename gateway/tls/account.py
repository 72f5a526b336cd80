"""The account at an authority: made, kept, used, and made again where it is forgotten (RFC 8555 §7.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from josepy.errors import DeserializationError
from josepy.json_util import encode_b64jose
from josepy.jwk import JWKEC
from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from gateway.tls.authority import Authority, ExternalAccount
from gateway.tls.problems import SettingsLacking
from gateway.tls.store import Account, DirectoryStore
from gateway.tls.worker import Worker

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What `[acme]` says of the account.

    Attributes:
        email: Contact; empty for none.
        agree: Whether the authority's terms are agreed to.
        external: Binds the account to one of the authority's website; None where that is not needed.
    """

    email: str = ""
    agree: bool = False
    external: ExternalAccount | None = None


class AccountKeeper:
    """Our account at one authority.

    Args:
        authority: Its client.
        store: Where the account is kept.
        worker: Runs what blocks.
        settings: What it is registered with.
    """

    def __init__(self, authority: Authority, store: DirectoryStore, worker: Worker, settings: AccountSettings) -> None:
        self._authority = authority
        self._store = store
        self._worker = worker
        self._settings = settings
        self._account: Account | None = None
        # Several orders at a time have one account.
        self._lock = DeferredLock()

    @property
    def url(self) -> str:
        """Its URL; empty before it was used."""
        return self._account.url if self._account is not None else ""

    async def use(self) -> None:
        """Sign what follows as our account; register it first where there is none yet."""
        await self._lock.acquire()
        try:
            await self._use()
        finally:
            self._lock.release()

    async def forget(self, url: str) -> None:
        """Take a new key: the authority does not know an account any more.

        Args:
            url: That account; one that has taken its place already stays.
        """
        if self.url == url:
            account = self._account = Account(_new_key())
            await self._worker.run(partial(self._store.put_account, account))

    def thumbprint(self) -> str:
        """Tell the thumbprint of the key, as in key authorizations (RFC 7638).

        Raises:
            RuntimeError: The account was not used yet.
        """
        if self._account is None:
            raise RuntimeError("a thumbprint before the account")
        return encode_b64jose(_read_key(self._account).thumbprint())

    async def _use(self) -> None:
        if self._account is None:
            found = await self._worker.run(self._store.account)
            if found is not None and not _can_sign(found):
                log.error("the account's key at {url} is damaged: registering anew", url=self._authority.url)
                found = None
            self._account = self._account or found or Account(_new_key())
        if not self._account.url:
            await self._register(self._account)
        key, url = _read_key(self._account), self._account.url
        await self._worker.run(partial(self._authority.use_account, key, url))

    async def _register(self, account: Account) -> None:
        settings = self._settings
        meta = await self._worker.run(self._authority.meta)
        if meta.terms_of_service and not (settings.email or settings.agree):
            raise SettingsLacking(
                f"the authority has terms ({meta.terms_of_service}): set `email`, or `agree = true`, in [acme]"
            )
        if meta.external_account_required and settings.external is None:
            raise SettingsLacking("the authority wants an external account: set `eab` in [acme]")
        # The key first: after a crash the same key finds the account that it made.
        await self._worker.run(partial(self._store.put_account, account))
        register = partial(self._authority.register, _read_key(account), settings.email, settings.external)
        url = await self._worker.run(register)
        self._account = Account(account.key, url)
        await self._worker.run(partial(self._store.put_account, self._account))
        log.info("registered at {url}", url=self._authority.url)


def _new_key() -> str:
    return json.dumps(JWKEC(key=ec.generate_private_key(ec.SECP256R1())).to_json())


def _can_sign(account: Account) -> bool:
    try:
        return hasattr(_read_key(account).key, "sign")
    except (DeserializationError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _read_key(account: Account) -> JWKEC:
    return cast("JWKEC", JWKEC.from_json(json.loads(account.key)))
