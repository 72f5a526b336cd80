"""Endpoints: uvloop's transports where the reactor runs on uvloop, Twisted's own elsewhere.

The choice costs speed only: protocols, errors and time-outs are the same on both.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  look-ups load it, and by then twistd may have given up the right to read it
import os
import select
import socket
from pathlib import Path
from typing import cast

from twisted.internet import unix
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, HostnameEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITCPTransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.net.failures import connect_failure
from gateway.net.loop import loop_of
from gateway.net.loop_endpoints import LoopClientEndpoint, LoopServerEndpoint
from gateway.net.tls_client import TLSClientEndpoint, UpstreamTLS
from gateway.net.tls_listening import MemoryTLSServerEndpoint, TLSServerEndpoint
from gateway.net.tls_socket import TLSServer, TLSSocket
from gateway.net.transport import LoopTransport
from gateway.units import Seconds


def server_endpoint(reactor: object, sock: socket.socket, tls: TLSServer | None = None) -> IStreamServerEndpoint:
    """Accept connections on a bound socket.

    Args:
        reactor: The reactor in use.
        sock: From `gateway.net.listeners.bind`; belongs to the endpoint's port once it listens.
        tls: Speaks TLS with the certificates found there; None for plain connections.

    Returns:
        An endpoint whose `listen` may be called before the reactor runs.
    """
    loop = loop_of(reactor)
    if loop is not None:
        if tls is not None:
            return TLSServerEndpoint(loop, sock, backlog(), tls)
        return LoopServerEndpoint(loop, sock, backlog())
    plain = _TwistedServerEndpoint(reactor, sock)
    return plain if tls is None else MemoryTLSServerEndpoint(cast("IReactorTime", reactor), plain, tls)


def client_endpoint(
    reactor: IReactorTime,
    *,
    host: str = "",
    port: int = 0,
    path: str = "",
    tls: UpstreamTLS | None = None,
    timeout: Seconds,
    tls_timeout: Seconds | None = None,
) -> IStreamClientEndpoint:
    """Connect to an upstream; make one endpoint per upstream and call its `connect` for each connection.

    Args:
        reactor: The reactor in use.
        host: Name or IP address; names are looked up for each connection.
        port: TCP port.
        path: Path of a UNIX socket, instead of host and port.
        tls: How to speak TLS to it; None for plain text.
        timeout: For the look-up and all addresses together.
        tls_timeout: For the TLS handshake; None for as long again.

    Returns:
        An endpoint whose `connect` fails with errors of `gateway.errors` only: NameLookupFailed, ConnectionRefused,
        ConnectionTimeout, TooManyConnections, and with TLS CertificateInvalid and HandshakeFailed; with Twisted's
        CancelledError when its Deferred is cancelled.
    """
    name = f"unix:{path}" if path else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    loop = loop_of(reactor)
    plain: IStreamClientEndpoint
    if loop is not None:
        plain = LoopClientEndpoint(loop, host, port, path, timeout)
    elif path:
        plain = UNIXClientEndpoint(reactor, path, timeout=timeout)
    else:
        plain = HostnameEndpoint(reactor, host, port, timeout=timeout)
    endpoint: IStreamClientEndpoint = _UpstreamEndpoint(reactor, plain, name, timeout)
    if tls is not None:
        handshake = timeout if tls_timeout is None else tls_timeout
        endpoint = TLSClientEndpoint(reactor, endpoint, tls, name, tls.server_name or host, handshake)
    return endpoint


def write_buffer_size(transport: object) -> int:
    """Tell how many octets written to a transport the kernel has not taken yet, so that a sweep can see progress.

    Args:
        transport: What the protocol was given by `makeConnection`, of either kind.
    """
    if isinstance(transport, (LoopTransport, TLSSocket)):
        return transport.write_buffer_size()
    inner = getattr(transport, "transport", None)
    if inner is not None:  # TLSMemoryBIOProtocol: what it holds back for a renegotiation is never ours
        return write_buffer_size(inner)
    # Twisted keeps two buffers and has no public name for their size.
    waiting = len(getattr(transport, "dataBuffer", b"")) - int(getattr(transport, "offset", 0))
    return waiting + int(getattr(transport, "_tempDataLen", 0))


def is_readable(descriptor: int) -> bool:
    """Tell whether a socket has something to read: octets, its end, or an error."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def backlog() -> int:
    """Give the longest queue of unaccepted connections that the kernel allows."""
    try:
        return int(Path("/proc/sys/net/core/somaxconn").read_bytes())
    except (OSError, ValueError):
        return socket.SOMAXCONN


@implementer(IStreamServerEndpoint)
class _TwistedServerEndpoint:
    """Listens on a bound socket with Twisted's own transports."""

    def __init__(self, reactor: object, sock: socket.socket) -> None:
        self._reactor = reactor
        self._sock = sock

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        self._sock.listen(backlog())
        if self._sock.family == socket.AF_UNIX:
            return succeed(self._listen_unix(protocolFactory))
        descriptor = os.dup(self._sock.fileno())  # Twisted's endpoint closes the descriptor that it is given
        endpoint = AdoptedStreamServerEndpoint(self._reactor, descriptor, self._sock.family)
        self._sock.close()
        listening: Deferred[IListeningPort] = endpoint.listen(protocolFactory)
        return listening

    def _listen_unix(self, factory: IProtocolFactory) -> IListeningPort:
        """Listen without Twisted's care for the socket's file.

        Twisted opens it to everybody, removes it at the end and shuts the socket down, even where it is systemd's
        or out of our rights; there is no public way to stop it.
        """
        port = unix.Port._fromListeningDescriptor(self._reactor, self._sock.fileno(), factory)
        port._bindPath = "\0"  # as if the name were abstract
        port._shouldShutdown = False
        port.startListening()
        self._sock.close()
        listening: IListeningPort = port
        return listening


@implementer(IStreamClientEndpoint)
class _UpstreamEndpoint:
    """Speaks of failures in the gateway's terms, whichever transport failed."""

    def __init__(self, clock: IReactorTime, endpoint: IStreamClientEndpoint, name: str, timeout: float) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._name = name
        self._timeout = timeout

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        connecting = self._endpoint.connect(protocolFactory)
        if not isinstance(self._endpoint, LoopClientEndpoint):  # Twisted's look-up has no deadline of its own
            connecting.addTimeout(self._timeout, self._clock, _too_slow)
        return connecting.addCallbacks(_without_delay, self._explain)

    def _explain(self, failure: Failure) -> Failure:
        problem = failure.value
        if problem is None:
            return failure
        if isinstance(problem, ConnectingCancelledError):
            return Failure(CancelledError())
        explained = connect_failure(problem, self._name, self._timeout)
        if explained is None:
            return failure
        explained.__cause__ = problem
        return Failure(explained)


def _too_slow(result: object, _timeout: float) -> object:
    if isinstance(result, Failure):
        raise TimeoutError
    return result


def _without_delay(protocol: IProtocol) -> IProtocol:
    transport = getattr(protocol, "transport", None)
    if ITCPTransport.providedBy(transport) and not isinstance(transport, LoopTransport):
        transport.setTcpNoDelay(True)
    return protocol
