"""Certificates, the account and what is remembered of each name, on disk; the role of txacme's certificate store.

Layout, all of it below `acme/` in the state folder (folders 0700, files 0600):

    <authority>/account            the account: its key (JWK) and URL
    <authority>/ledger             see `gateway.tls.ledger`
    <authority>/<name>/key, cert   private key and chain, PEM
    <authority>/<name>/key.prev, cert.prev
    <authority>/<name>/meta        see `gateway.tls.state`
    <authority>/<name>/order       an order under way, with its key
    requests/<name>                wishes of `gateway certs renew`

A pair is put so that after a crash at any step a key can be found for the certificate: the old pair is linked to
`.prev`, then the new key takes its place, then the new certificate.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from gateway.tls.certificate import CertificateUnusable, CertifiedKey
from gateway.tls.disk import Disk
from gateway.tls.names import folder_name, is_public, name_of_folder
from gateway.tls.state import NameState
from gateway.units import Seconds

log = Logger()

KEPT_EXPIRED: Final = Seconds(14 * 86400)
"""How long the expired certificate of a name without a site is kept."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account at an authority.

    Attributes:
        key: Its private key, a JWK as JSON.
        url: Its URL, which tells the authority who signs; empty before it is registered.
    """

    key: str = field(repr=False)
    url: str = ""


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An order under way.

    Attributes:
        url: Its URL.
        key: PEM private key that the certificate will be for.
        created: When it was made, in seconds of the epoch.
    """

    url: str
    key: str = field(repr=False)
    created: Seconds = Seconds(0)


class DirectoryStore:
    """Everything of one authority, in one folder. All methods block.

    Args:
        folder: The authority's folder.
        disk: How files are written.
    """

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk or Disk()

    # Certificates.

    def names(self) -> list[str]:
        """List the names that there is a folder for."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return sorted(name_of_folder(entry.name) for entry in os.scandir(self.folder) if entry.is_dir())
        return []

    def get(self, name: str) -> CertifiedKey | None:
        """Read the newest certificate of a name that has its key; None if there is none."""
        place = self._place(name)
        pairs = product(("cert", "cert.prev"), ("key", "key.prev"))
        problem = None
        for chain, key in pairs:
            try:
                found = CertifiedKey.load((place / chain).read_bytes(), (place / key).read_bytes())
            except FileNotFoundError:
                continue
            except (CertificateUnusable, OSError) as error:
                problem = problem or error
                continue
            if found.covers(name):
                return found
        if problem is not None:
            log.error("the certificate in {place} cannot be used: {problem}", place=str(place), problem=str(problem))
        return None

    def put(self, name: str, key: CertifiedKey) -> None:
        """Store a certificate in the place of the one before; the order that brought it is over.

        Raises:
            OSError: The disk is full or broken; the old pair is still there.
        """
        disk, place = self._disk, self._place(name)
        disk.folder(place)
        disk.write(place / "key.tmp", key.key)
        disk.write(place / "cert.tmp", key.chain)
        for kind in ("key", "cert"):
            if (place / kind).exists():
                disk.link(place / kind, place / f"{kind}.prev.tmp")
                disk.rename(place / f"{kind}.prev.tmp", place / f"{kind}.prev")
        disk.sync(place)
        disk.rename(place / "key.tmp", place / "key")
        disk.sync(place)
        disk.rename(place / "cert.tmp", place / "cert")
        disk.sync(place)
        disk.sync(self.folder)
        self.put_order(name, None)

    def clean(self, keep: Collection[str], now: Seconds) -> list[str]:
        """Remove names without a site whose certificate expired long ago.

        Args:
            keep: Names with a site.
            now: Seconds of the epoch.

        Returns:
            The names removed.
        """
        removed = []
        for name in self.names():
            if name in keep:
                continue
            place = self._place(name)
            key = self.get(name)
            ended = key.not_after if key is not None else place.stat().st_mtime
            if ended + KEPT_EXPIRED < now:
                _remove(place)
                removed.append(name)
        return removed

    def foreign(self, folder: Path) -> dict[str, CertifiedKey]:
        """Read what txacme's DirectoryStore wrote: `<name>.pem`, the key and then the chain.

        Args:
            folder: Its folder; what is in there stays as it is.
        """
        found = {}
        for file in sorted(folder.glob("*.pem")):
            name = file.stem.lower()
            try:
                key = _read_txacme(file.read_bytes())
            except (CertificateUnusable, OSError) as error:
                log.warn("{file} cannot be taken over: {error}", file=str(file), error=str(error))
                continue
            if is_public(name) and key.covers(name):
                found[name] = key
        return found

    def take_over(self, folder: Path) -> list[str]:
        """Copy what txacme's DirectoryStore wrote, for names without a certificate so far.

        Returns:
            The names taken over.
        """
        taken = {name: key for name, key in self.foreign(folder).items() if self.get(name) is None}
        for name, key in taken.items():
            self.put(name, key)
        return list(taken)

    # What is remembered.

    def state(self, name: str) -> NameState:
        """Read what is remembered of a name."""
        data = self._read(self._place(name) / "meta")
        return NameState.from_json(data) if data else NameState()

    def put_state(self, name: str, state: NameState) -> None:
        """Remember something of a name."""
        self._disk.folder(self._place(name))
        self._disk.replace(self._place(name) / "meta", state.to_json())

    def order(self, name: str) -> PendingOrder | None:
        """Read the order of a name that was under way."""
        data = self._read(self._place(name) / "order")
        try:
            found = json.loads(data) if data else None
            if not found:
                return None
            return PendingOrder(str(found["url"]), str(found["key"]), Seconds(float(found["created"])))
        except (ValueError, KeyError, TypeError):
            return None

    def put_order(self, name: str, order: PendingOrder | None) -> None:
        """Remember that an order is under way, or no more."""
        path = self._place(name) / "order"
        if order is None:
            path.unlink(missing_ok=True)
            return
        self._disk.folder(path.parent)
        text = json.dumps({"url": order.url, "key": order.key, "created": order.created})
        self._disk.replace(path, text.encode())

    def account(self) -> Account | None:
        """Read the account."""
        data = self._read(self.folder / "account")
        try:
            found = json.loads(data) if data else None
            return Account(json.dumps(found["key"]), str(found["url"])) if found else None
        except (ValueError, KeyError, TypeError):
            log.error("the account in {folder} is damaged; a new one is made", folder=str(self.folder))
            return None

    def put_account(self, account: Account) -> None:
        """Store the account, in the place of the one before."""
        self._disk.folder(self.folder)
        text = json.dumps({"key": json.loads(account.key), "url": account.url})
        self._disk.replace(self.folder / "account", text.encode())

    def _place(self, name: str) -> Path:
        return self.folder / folder_name(name)

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return b""


def _read_txacme(data: bytes) -> CertifiedKey:
    blocks = [(match["kind"], match[0]) for match in _PEM.finditer(data)]
    key = next((block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")), b"")
    chain = b"\n".join(block for kind, block in blocks if kind == b"CERTIFICATE")
    return CertifiedKey.load(chain + b"\n", key + b"\n")


def _remove(place: Path) -> None:
    for file in place.iterdir():
        file.unlink()
    place.rmdir()


_PEM: Final = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----.+?-----END (?P=kind)-----", re.DOTALL)
