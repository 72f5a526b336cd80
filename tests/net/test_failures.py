from __future__ import annotations

import errno
import socket

import pytest
from twisted.internet import error

from gateway.errors import ConnectionRefused, ConnectionTimeout, NameLookupFailed, TooManyConnections
from gateway.net.failures import connect_failure

NAME = "127.0.0.1:4000"


@pytest.mark.parametrize(
    ("problem", "expected", "sentence"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), ConnectionRefused, f"{NAME} refused the connection"),
        (error.ConnectionRefusedError(errno.ECONNREFUSED, "x"), ConnectionRefused, f"{NAME} refused the connection"),
        (
            FileNotFoundError(errno.ENOENT, "x"),
            ConnectionRefused,
            f"{NAME} does not exist: is the application running?",
        ),
        (
            PermissionError(errno.EACCES, "x"),
            ConnectionRefused,
            f"{NAME} may not be opened by the gateway's user",
        ),
        (OSError(errno.EHOSTUNREACH, "x"), ConnectionRefused, f"{NAME} cannot be reached: No route to host"),
        (OSError("several"), ConnectionRefused, f"{NAME} cannot be reached: several"),
        (error.ConnectError(string="odd"), ConnectionRefused, None),
        (TimeoutError(), ConnectionTimeout, f"{NAME} did not accept the connection within 3 s"),
        (error.TimeoutError(), ConnectionTimeout, f"{NAME} did not accept the connection within 3 s"),
        (OSError(errno.ETIMEDOUT, "x"), ConnectionTimeout, f"{NAME} did not accept the connection within 3 s"),
        (socket.gaierror(-2, "unknown"), NameLookupFailed, f"{NAME} has no address: unknown"),
        (error.DNSLookupError("none"), NameLookupFailed, None),
        (
            OSError(errno.EMFILE, "x"),
            TooManyConnections,
            f"no connection to {NAME}: Too many open files; raise LimitNOFILE",
        ),
    ],
)
def test_sentences(problem: Exception, expected: type[Exception], sentence: str | None) -> None:
    """Every way to fail has an error of the gateway's and a sentence that names the upstream."""
    found = connect_failure(problem, NAME, 3.0)
    assert type(found) is expected
    assert NAME in str(found)
    assert sentence is None or str(found) == sentence


def test_others_are_left_alone() -> None:
    """An error of the gateway's passes as it is; a bug is not explained away."""
    known = ConnectionRefused("known")
    assert connect_failure(known, NAME, 3.0) is known
    assert connect_failure(ValueError("bug"), NAME, 3.0) is None
