"""What the world sees of a name: its addresses, its CAA records, its port 80. Advice for people, never a gate."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from twisted.names import dns

TIMEOUT: Final = 3.0
_CAA: Final = 257


class World:
    """Looks at names from this machine."""

    def addresses(self, name: str) -> list[str]:
        """List the addresses of a name; empty if it has none."""
        try:
            found = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        return sorted({str(each[4][0]) for each in found})

    def own_addresses(self) -> list[str]:
        """List the addresses from which this machine speaks to the Internet; nothing is sent."""
        found = []
        for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
            with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                found.append(str(probe.getsockname()[0]))
        return found

    def connects(self, name: str, port: int) -> bool:
        """Tell whether a connection to a port of a name succeeds, from here."""
        try:
            socket.create_connection((name, port), TIMEOUT).close()
        except (OSError, UnicodeError):
            return False
        return True

    def caa(self, name: str) -> list[tuple[str, str]] | None:
        """Find the CAA records that hold for a name, as tag and value (RFC 8659 §3); None if nobody can be asked."""
        labels = name.removeprefix("*.").split(".")
        for start in range(len(labels) - 1):
            found = self._ask(".".join(labels[start:]))
            if found is None or found:
                return found
        return []

    def _ask(self, name: str) -> list[tuple[str, str]] | None:
        server = _resolver()
        if not server:
            return None
        query = dns.Message(id=secrets.randbelow(65536), recDes=1)
        query.addQuery(name.encode("ascii"), _CAA, dns.IN)
        try:
            with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.settimeout(TIMEOUT)
                asking.connect((server, 53))
                asking.send(query.toStr())
                answer = dns.Message()
                answer.fromStr(asking.recv(4096))
        except (OSError, EOFError, ValueError):
            return None
        if answer.id != query.id or answer.rCode not in (dns.OK, dns.ENAME):
            return None
        found = [each.payload for each in answer.answers if each.type == _CAA]
        return [read_caa(cast("dns.UnknownRecord", payload).data) for payload in found]


def read_caa(data: bytes) -> tuple[str, str]:
    """Read a CAA record: its tag and its value (RFC 8659 §4.1)."""
    length = data[1] if len(data) > 1 else 0
    tag, value = data[2 : 2 + length], data[2 + length :]
    return tag.decode("ascii", "replace").lower(), value.decode("ascii", "replace")


def _resolver() -> str:
    try:
        lines = Path("/etc/resolv.conf").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"), "")
