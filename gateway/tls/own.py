"""Certificates that a site brings along: read from its files, and again when these change."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from twisted.logger import Logger

from gateway.tls.certificate import CertificateUnusable, CertifiedKey, KeyUnusable
from gateway.tls.sni import ServerNames

log = Logger()


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """Where a site's own certificate is, and whom it is for.

    Attributes:
        site: The site's name, for people.
        cert: Path of the PEM chain.
        key: Path of the PEM key.
        names: Hosts of the site, wildcards as `*.example.com`; the empty name for the default site.
    """

    site: str
    cert: str
    key: str
    names: tuple[str, ...]

    def load(self) -> CertifiedKey:
        """Read the files.

        Raises:
            CertificateUnusable: One cannot be read, they do not fit, or the certificate is for none of the names; the
                message names the file.
        """
        key = load_files(self.cert, self.key)
        if not self.shown_for(key):
            known = ", ".join(key.names) or "no name at all"
            raise CertificateUnusable(f"{self.cert} is for {known}, not for {self.names[0]}")
        return key

    def shown_for(self, key: CertifiedKey) -> tuple[str, ...]:
        """Choose the names that get the certificate: those that it covers; the default site takes any."""
        return tuple(name for name in self.names if not name or key.covers(name))


def load_files(cert: str, key: str) -> CertifiedKey:
    """Read a certificate and its key from files.

    Raises:
        CertificateUnusable: One cannot be read, or they do not fit; the message names the file.
        KeyUnusable: It is the key that cannot be read or used.
    """
    content = []
    for path, fault in ((cert, CertificateUnusable), (key, KeyUnusable)):
        try:
            content.append(Path(path).read_bytes())
        except OSError as problem:
            raise fault(f"{path} cannot be read: {problem.strerror}") from problem
    try:
        return CertifiedKey.load(*content)
    except KeyUnusable as problem:
        raise KeyUnusable(f"{key}: {problem}") from problem
    except CertificateUnusable as problem:
        raise CertificateUnusable(f"{cert}: {problem}") from problem


class OwnCertificates:
    """Keeps the certificates of the sites' own files in memory.

    Args:
        names: Where handshakes find them.
    """

    def __init__(self, names: ServerNames) -> None:
        self._names = names
        self._files: dict[OwnFiles, tuple[object, ...]] = {}
        self._shown: dict[OwnFiles, tuple[str, ...]] = {}

    @property
    def paths(self) -> frozenset[str]:
        """The files to watch."""
        return frozenset(path for files in self._files for path in (files.cert, files.key))

    def use(self, wanted: Iterable[OwnFiles]) -> None:
        """Show the certificates of these sites, and no longer those of others.

        A certificate that cannot be read is reported, and the one shown before stays.
        """
        wanted = list(wanted)
        for files in [files for files in self._files if files not in wanted]:
            del self._files[files]
            self._hide(self._shown.pop(files, ()), {name for other in wanted for name in other.names})
        for files in wanted:
            self._files.setdefault(files, ())
        self.refresh()

    def refresh(self) -> None:
        """Read again what has changed on disk."""
        for files, before in list(self._files.items()):
            now = (*_stamp(files.cert), *_stamp(files.key))
            if now != before:
                self._read(files)
                self._files[files] = now

    def _read(self, files: OwnFiles) -> None:
        try:
            key = files.load()
        except CertificateUnusable as problem:
            kept = "; the one read before stays" if files in self._shown else ""
            log.error("{site}: certificate not used: {problem}{kept}", site=files.site, problem=problem, kept=kept)
            return
        shown = files.shown_for(key)
        for name in shown:
            self._names.put(name, key, renewed=True)  # an operator's own: HTTPS is there to stay
        self._hide(self._shown.get(files, ()), set(shown))
        self._shown[files] = shown
        log.info("{site}: certificate by {issuer} in use", site=files.site, issuer=key.issuer)

    def _hide(self, names: Iterable[str], except_for: set[str]) -> None:
        for name in names:
            if name not in except_for:
                self._names.remove(name)


def _stamp(path: str) -> tuple[object, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ("",)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
