"""Why a connection to an upstream could not be made: the system's errors as the gateway's, in sentences."""

from __future__ import annotations

import errno
import os
import socket

from twisted.internet import error

from gateway.errors import ConnectionRefused, ConnectionTimeout, GatewayError, NameLookupFailed, TooManyConnections

_TIMED_OUT = (TimeoutError, error.TimeoutError)
_LOOKUP_FAILED = (socket.gaierror, error.DNSLookupError, error.UnknownHostError)
_WRONG = {
    errno.ECONNREFUSED: "{name} refused the connection",
    errno.ENOENT: "{name} does not exist: is the application running?",
    errno.EACCES: "{name} may not be opened by the gateway's user",
    errno.EPERM: "{name} may not be opened by the gateway's user, or a firewall forbids it",
}


def connect_failure(problem: BaseException, name: str, timeout: float) -> GatewayError | None:
    """Say in the gateway's terms why connecting failed.

    Args:
        problem: What uvloop, the socket module or Twisted raised.
        name: The upstream, as log lines show it.
        timeout: Seconds that were allowed.

    Returns:
        The error to report, or None where `problem` is none of the network's.
    """
    if isinstance(problem, GatewayError):
        return problem
    if isinstance(problem, _LOOKUP_FAILED):
        return NameLookupFailed(f"{name} has no address: {_sentence(problem)}")
    number = _number(problem)
    if isinstance(problem, _TIMED_OUT) or number == errno.ETIMEDOUT:
        return ConnectionTimeout(f"{name} did not accept the connection within {timeout:g} s")
    if number in (errno.EMFILE, errno.ENFILE):
        return TooManyConnections(f"no connection to {name}: {os.strerror(number)}; raise LimitNOFILE")
    if number in _WRONG:
        return ConnectionRefused(_WRONG[number].format(name=name))
    if isinstance(problem, (OSError, error.ConnectError)):
        return ConnectionRefused(f"{name} cannot be reached: {os.strerror(number) if number else problem}")
    return None


def _number(problem: BaseException) -> int:
    if isinstance(problem, error.ConnectError):
        found = getattr(problem, "osError", None)
        return found if isinstance(found, int) else 0
    if isinstance(problem, OSError):
        return problem.errno or 0
    return 0


def _sentence(problem: BaseException) -> str:
    if isinstance(problem, socket.gaierror):
        return str(problem.args[-1])
    return str(problem)
