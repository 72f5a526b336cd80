"""A certificate authority of our own, for names under `.localhost` on a developer's machine; made on first use.

It is constrained to `localhost` (RFC 5280 §4.2.1.10): whoever trusts it trusts it for nothing else, even if its key is
stolen.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.logger import Logger

from gateway.tls.certificate import CertificateUnusable, CertifiedKey
from gateway.tls.disk import Disk
from gateway.tls.responders import key_pem
from gateway.tls.sni import ServerNames
from gateway.units import Seconds

log = Logger()

FOLDER: Final = "local_ca"
ROOT: Final = "root.pem"
_LIFETIME: Final = timedelta(days=3650)
_LEAF_LIFETIME: Final = timedelta(days=90)
_BEFORE: Final = timedelta(hours=1)


def is_local(name: str) -> bool:
    """Tell whether a name is of this machine: `localhost` or below it (RFC 6761 §6.3)."""
    return name == "localhost" or name.endswith(".localhost")


class LocalAuthority:
    """The authority, in a folder of its own.

    Args:
        folder: Where its key and certificate are, `root.key` and `root.pem`.
        now: Seconds of the epoch.
        disk: How files are written.
    """

    def __init__(self, folder: Path, now: Callable[[], Seconds], disk: Disk | None = None) -> None:
        self._folder = folder
        self._now = now
        self._disk = disk or Disk()
        self._pair: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None

    @property
    def root(self) -> Path:
        """Where the certificate is that is to be trusted."""
        return self._folder / ROOT

    def read(self) -> bool:
        """Read the authority; False if there is none that can be used."""
        if self._pair is None:
            self._pair = self._read()
        return self._pair is not None

    def make(self) -> None:
        """Make it.

        Raises:
            OSError: It cannot be written.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"gateway local authority ({socket.gethostname()})")
        constraints = x509.NameConstraints(permitted_subtrees=[x509.DNSName("localhost")], excluded_subtrees=None)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        certificate = (
            self._builder(name, name, key.public_key(), _LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._disk.folder(self._folder)
        self._disk.replace(self._folder / "root.key", key_pem(key))
        self._disk.replace(self.root, certificate.public_bytes(Encoding.PEM))
        self._pair = certificate, key

    def issue(self, name: str) -> CertifiedKey:
        """Issue a certificate.

        Raises:
            RuntimeError: The authority was neither read nor made.
        """
        if self._pair is None:
            raise RuntimeError("no local authority")
        root, signer = self._pair
        key = ec.generate_private_key(ec.SECP256R1())
        signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = (
            self._builder(x509.Name([]), root.subject, key.public_key(), _LEAF_LIFETIME)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(signer_id, critical=False)
            .sign(signer, hashes.SHA256())
        )
        return CertifiedKey.load(certificate.public_bytes(Encoding.PEM), key_pem(key))

    def _read(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        try:
            chain, key = self.root.read_bytes(), (self._folder / "root.key").read_bytes()
            found = CertifiedKey.load(chain, key)
        except FileNotFoundError:
            return None
        except (OSError, CertificateUnusable) as error:
            log.error("the local authority in {folder} cannot be used: {error}", folder=str(self._folder), error=error)
            return None
        if found.not_after - self._now() < _LEAF_LIFETIME.total_seconds():
            return None
        private = load_pem_private_key(key, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            return None
        return x509.load_pem_x509_certificate(chain), private

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.fromtimestamp(self._now(), UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - _BEFORE).not_valid_after(now + lifetime)


class LocalCertificates:
    """Certificates of the local authority for the names of sites; made at each start, and kept in memory only.

    Args:
        authority: The authority.
        names: Where handshakes look.
        now: Seconds of the epoch.
    """

    def __init__(self, authority: LocalAuthority, names: ServerNames, now: Callable[[], Seconds]) -> None:
        self._authority = authority
        self._names = names
        self._now = now
        self._wanted: frozenset[str] = frozenset()
        self._keys: dict[str, CertifiedKey] = {}

    def set_names(self, wanted: Iterable[str]) -> None:
        """Have certificates for these names, if there is an authority already."""
        self._wanted = frozenset(wanted)
        for name in [name for name in self._keys if name not in self._wanted]:
            if self._names.find(name) is self._keys.pop(name):
                self._names.remove(name)
        if self._authority.read():
            self._issue()

    def look(self) -> None:
        """Make the authority if it is needed and not there, and renew what is old."""
        if not self._wanted:
            return
        try:
            if not self._authority.read():
                self._authority.make()
                log.info("made a local authority; see `gateway trust`: {root}", root=str(self._authority.root))
        except OSError as error:
            log.error("the local authority cannot be stored: {error}", error=error.strerror)
            return
        self._issue()

    def _issue(self) -> None:
        for name in self._wanted:
            key = self._keys.get(name)
            if key is None or key.not_after - self._now() < _LEAF_LIFETIME.total_seconds() / 3:
                self._keys[name] = self._authority.issue(name)
                self._names.put(name, self._keys[name])


def trust_advice(root: Path) -> str:
    """Say how to trust a certificate, for people."""
    return f"""The certificate of the local authority: {root}
It can vouch for names under .localhost only.

Debian, Ubuntu   sudo cp {root} /usr/local/share/ca-certificates/gateway-local.crt && sudo update-ca-certificates
Fedora           sudo trust anchor {root}
macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {root}
Chromium, Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n "gateway local" -i {root}
Firefox          Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import
curl             curl --cacert {root} https://app.localhost/
"""


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
