"""Ports for servers that tests start, chosen so that tests running side by side do not meet."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice

from tests.support.waiting import PATIENCE

HOST = "127.0.0.1"
_ANY = range(11_000, 32_768)
"""Below what Linux gives to connections, any of which could take a port before its server binds it; above what browsers
refuse to ask, of which 10080 is the last (https://fetch.spec.whatwg.org/#port-blocking)."""
_LOW = range(601, 1024)
_SHARES = 16
_chance = random.SystemRandom()  # tests seed the other one
_claims: list[socket.socket] = []


def free_port(host: str = HOST) -> int:
    """A port of that loopback address which nobody listens on, and no other run of the tests finds now."""
    return _free(host, _ANY)


def free_low_port() -> int:
    """The same, below 1024."""
    return _free(HOST, _LOW)


def refuses(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection((HOST, port), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def _free(host: str, ports: range) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in islice(_share(ports), len(ports) // _SHARES):
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"our share of the ports from {ports.start} to {ports.stop - 1} is taken")


@cache
def _share(ports: range) -> Iterator[int]:
    """The share of these ports that is this process's for as long as it lives, over and over.

    A server may bind its port long after it was chosen, and be away for a while: only who has the share may use it.
    """
    size = len(ports) // _SHARES
    for number in _chance.sample(range(_SHARES), _SHARES):
        start = ports.start + number * size
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0tests of gateway on ports from {start}")  # no file, and gone with the process (Linux)
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return cycle(range(start, start + size))
    raise AssertionError(f"the tests run more than {_SHARES} times side by side")
