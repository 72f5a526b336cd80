"""The same cases on uvloop's transports and on Twisted's own, over IPv4, IPv6 and UNIX sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
HELLO = ["hello"]
SIGNED_BY_STRANGER = ["CertificateInvalid", "TARGET: the certificate is signed by an unknown authority"]
OTHER_NAME = ["CertificateInvalid", "TARGET: the certificate is not for app.example"]
EXPECTED: dict[str, object] = {
    "echo": ["hello", ["ConnectionDone", "ConnectionDone"], 0],
    "back_pressure": [True, True, True, True, 20971520, True],
    "pull_producer": [3276800, True],
    "producer_is_stopped": [True, 0],
    "flush_then_close": [True, 6553600, True, ["ConnectionDone", "ConnectionDone"]],
    "half_close": ["answer to 8 octets", ["ConnectionDone", "ConnectionDone"]],
    "end_of_file": ["question", ["ConnectionDone", "ConnectionDone"]],
    "abort": ["ConnectionAborted", True],
    "reset_by_peer": "ConnectionLost",
    "broken_protocols": [["ValueError", "ConnectionDone", True], ["FileNotFoundError", "ConnectionDone", True]],
    "broken_start": True,
    "no_protocol": "ConnectionDone",
    "other_protocol": ["upgraded", 0],
    "pause_reading": [0, 4],
    "paused_at_start": [0, [4, "ConnectionDone"], 0, [4, "ConnectionDone"]],
    "stopping": ["ConnectionRefused", "still here"],
    "lookup_fails": "NameLookupFailed",
    "too_slow": [
        "ConnectionTimeout",
        "127.0.0.1:PORT did not accept the connection within 0.3 s",
        "CancelledError",
    ],
    "tls_certificates": {
        "good": HELLO,
        "two roots": HELLO,
        "wildcard": HELLO,
        "wide wildcard": OTHER_NAME,
        "wrong name": OTHER_NAME,
        "no name": OTHER_NAME,
        "address": HELLO,
        "wrong address": ["CertificateInvalid", "TARGET: the certificate is not for 127.0.0.1"],
        "expired": ["CertificateInvalid", "TARGET: the certificate has expired"],
        "not yet": ["CertificateInvalid", "TARGET: the certificate is not valid yet"],
        "unknown authority": SIGNED_BY_STRANGER,
        "system roots": SIGNED_BY_STRANGER,
        "self-signed": ["CertificateInvalid", "TARGET: the certificate is self-signed"],
        "unchecked": HELLO,
    },
    "tls_transfer": [True, True, True, 20971520, True],
    "tls_without_tls": ["HandshakeFailed", "ConnectionTimeout", "HandshakeFailed", "CancelledError"],
}
EXPECTED.update(
    {
        "secure_echo": ["hello", "ConnectionDone"],
        "secure_handshake": "before app.example",
        "secure_back_pressure": [True, True, True, 20971520, True],
        "secure_pause": [True, True, 20971520, True],
        "secure_pull_producer": [3276800, True],
        "secure_end": [[3000000, "close_notify"], [3000000, "close_notify"]],
        "secure_abort": [True, True],
        "secure_half_close": "ConnectionDone",
        "secure_broken_protocols": [True, True],
        "secure_strangers": [
            "48545450 2f312e31 20343030",  # HTTP/1.1 400
            "",
            "15030300 02022f",  # a fatal alert: illegal parameter
            "",
            "TLSV1_UNRECOGNIZED_NAME",
            5,
        ],
    }
)
PEERS = {"127.0.0.1:0": "127.0.0.1", "[::1]:0": "::1", "[::]:0": "127.0.0.1", "unix": ""}
LOGS = {"broken_protocols": 2, "broken_start": 1, "secure_broken_protocols": 2}


@cache
def seen(reactor: str, address: str) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        target = f"unix:{folder}/cases.sock" if address == "unix" else address
        ran = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("run_cases.py")), reactor, target],
            capture_output=True,
            timeout=10 * PATIENCE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert ran.returncode == 0, ran.stderr.decode()
    results: dict[str, object] = json.loads(ran.stdout)
    return results


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("address", PEERS)
@pytest.mark.parametrize("reactor", ["uvloop", "epoll"])
def test_same_on_both(reactor: str, address: str, name: str) -> None:
    """Every case ends the same way on either kind of transports and every kind of address."""
    results = seen(reactor, address)
    assert results[name] == EXPECTED[name]
    assert results[f"{name} logged"] == LOGS.get(name, 0)


@pytest.mark.parametrize("address", PEERS)
@pytest.mark.parametrize("reactor", ["uvloop", "epoll"])
def test_addresses(reactor: str, address: str) -> None:
    """A client on IPv4 is known by its IPv4 address, also on an IPv6 listener, and small writes never wait."""
    assert seen(reactor, address)["addresses"] == [True, PEERS[address], [True, True]]
