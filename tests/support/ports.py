"""Ports for servers that tests start, chosen so that tests running side by side do not meet."""

from __future__ import annotations

import random
import socket

from tests.support.waiting import PATIENCE

HOST = "127.0.0.1"
_ANY = range(10_000, 32_768)
"""Below what Linux gives to connections, any of which could take a port before its server binds it."""
_LOW = range(601, 1024)
_chance = random.SystemRandom()  # tests seed the other one


def free_port(host: str = HOST) -> int:
    """A port of that loopback address which nobody listens on, and hardly anybody else finds now."""
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
    for port in _chance.sample(ports, 100):
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"a hundred ports from {ports.start} to {ports.stop - 1} are taken")
