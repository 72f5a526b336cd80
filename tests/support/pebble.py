"""Debian's Pebble, an ACME server for tests, with the DNS server that it asks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.tls.responders import key_pem
from tests.support.ports import HOST, free_port
from tests.support.proc import receives
from tests.support.processes import Process
from tests.support.waiting import PATIENCE, eventually

# Where all programs must be there, a missing one is a failure, not a skip.
AVAILABLE = os.environ.get("CI") == "true" or bool(shutil.which("pebble") and shutil.which("pebble-challtestsrv"))


class Pebble:
    """A running Pebble; it refuses one good nonce in twenty, as it does unless told otherwise.

    Args:
        folder: Where its files go.
        http: Port on which it looks for http-01.
        tls: Port on which it looks for tls-alpn-01.
        environment: Further variables of Pebble's.
        lifetime: Seconds that its certificates hold; 0 for years.

    Attributes:
        directory: URL of its directory.
        ca_file: PEM file with which its own HTTPS is verified.
        dns: URL of the DNS server's management.
    """

    def __init__(
        self, folder: Path, http: int, tls: int, environment: Mapping[str, str] | None = None, lifetime: int = 0
    ) -> None:
        folder.mkdir()
        self.ca_file = folder / "pebble.pem"
        self._write_certificate(folder)
        port, management, dns, dns_management = free_port(), free_port(), free_port(), free_port()
        self.directory = f"https://{HOST}:{port}/dir"
        self.dns = f"http://{HOST}:{dns_management}"
        self._management = f"https://{HOST}:{management}"
        settings = {
            "listenAddress": f"{HOST}:{port}",
            "managementListenAddress": f"{HOST}:{management}",
            "certificate": str(self.ca_file),
            "privateKey": str(folder / "pebble.key"),
            "httpPort": http,
            "tlsPort": tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": lifetime,
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        names = ["pebble-challtestsrv", "-dns01", f"{HOST}:{dns}", "-management", f"{HOST}:{dns_management}"]
        none = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", HOST, "-defaultIPv6", ""]
        self._dns = Process([*names, *none], folder / "dns.log", cwd=folder)
        for each in (dns, dns_management):
            self._dns.wait_for_port(each)
        eventually(lambda: receives(dns), self._dns.text)
        self._server = Process(
            ["pebble", "-config", folder / "pebble.json", "-dnsserver", f"{HOST}:{dns}"],
            folder / "pebble.log",
            cwd=folder,
            env={"PEBBLE_VA_NOSLEEP": "1", **(environment or {})},
        )
        for each in (port, management):
            self._server.wait_for_port(each)

    @property
    def log(self) -> str:
        return self._server.text()

    def root(self) -> bytes:
        """The root that its certificates lead to, PEM."""
        response = requests.get(f"{self._management}/roots/0", verify=str(self.ca_file), timeout=PATIENCE)
        response.raise_for_status()
        return response.content

    def stop(self) -> None:
        for process in (self._server, self._dns):
            process.kill()

    def _write_certificate(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Pebble")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / "pebble.key").write_bytes(key_pem(key))
