"""A uvloop connection as a Twisted transport.

uvloop calls the Twisted protocol's `dataReceived` itself and `write` is uvloop's own: no frame of this module runs
per event. What is rare (back-pressure, half-close, the end) goes through the adapter.

| uvloop says | the protocol or producer hears |
|---|---|
| connection_made | buildProtocol, makeConnection |
| data | dataReceived, directly |
| pause_writing, resume_writing | pauseProducing, resumeProducing of the registered producer |
| eof_received | readConnectionLost if it is an IHalfCloseableProtocol, else connectionLost(ConnectionDone) |
| connection_lost | stopProducing of the producer, then connectionLost |
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable
from typing import cast

from twisted.internet import error
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    IProtocolFactory,
    IPullProducer,
    IPushProducer,
    ITCPTransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.net.addresses import INTERNET_FAMILIES, twisted_address
from gateway.net.bulk import BulkTransport, discard
from gateway.net.producers import PullPusher

log = Logger()
_RESET = struct.pack("ii", 1, 0)  # linger on, for 0 s: closing sends RST


@implementer(ITCPTransport, IConsumer, IPushProducer)
class LoopTransport(BulkTransport):
    """One connection: an asyncio protocol below, a Twisted transport above.

    Args:
        loop: The loop the connection lives on.
        factory: Makes the Twisted protocol.

    Attributes:
        data_received: The protocol's `dataReceived`; uvloop keeps it and calls it directly.
        write: The uvloop transport's `write`, until nothing can be written any more.
        connected: Whether the connection is up.
        disconnecting: Whether it is being closed.
    """

    __slots__ = (
        "_factory",
        "_held",
        "_paused",
        "_producer",
        "_protocol",
        "_reason",
        "connected",
        "data_received",
    )

    data_received: Callable[[bytes], None]

    def __init__(self, loop: asyncio.AbstractEventLoop, factory: IProtocolFactory) -> None:
        super().__init__(loop)
        self._factory = factory
        self._protocol: IProtocol | None = None
        self._producer: IPushProducer | None = None
        self._reason: Exception | None = None
        self._paused = False
        self._held: list[bytes] | None = None
        self.connected = False
        self.data_received = discard

    # What uvloop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Build the protocol and connect it; a failure there ends this connection only."""
        self._transport = transport
        try:
            protocol = self._factory.buildProtocol(self._address("peername"))
            if protocol is None:
                transport.abort()
                return
            self.connected = True
            self.write = transport.write
            self.protocol = protocol
            protocol.makeConnection(self)
            self._keep_paused(transport)
        except Exception as problem:
            log.failure("connection dropped: its protocol failed at the start")
            self._reason = problem
            transport.abort()

    def eof_received(self) -> bool:
        """Tell a protocol that knows half-closed connections; end the connection under any other.

        Returns:
            Whether the connection stays open for writing.
        """
        self._release()
        protocol: object = self._protocol
        if IHalfCloseableProtocol.providedBy(protocol):
            protocol.readConnectionLost()
            return True
        self._end(error.ConnectionDone())
        return False

    def pause_writing(self) -> None:
        """Stop the producer: too much is unsent."""
        self._paused = True
        if self._producer is not None:
            self._producer.pauseProducing()

    def resume_writing(self) -> None:
        """Let the producer go on."""
        self._paused = False
        self._emptied()
        if self._producer is not None:
            self._producer.resumeProducing()

    def connection_lost(self, problem: Exception | None) -> None:
        """Tell producer and protocol that the connection is gone, and drop all references."""
        self._release()
        protocol, producer = self._protocol, self._producer
        self.connected = False
        self.disconnecting = True
        self._stop_bulk()
        self.write = self.data_received = discard
        self._transport = self._protocol = self._producer = None
        if producer is not None:
            producer.stopProducing()
        if protocol is not None:
            protocol.connectionLost(Failure(self._loss(problem)))

    # What Twisted protocols call.

    @property
    def protocol(self) -> IProtocol | None:
        """Who receives the data; set it to hand the connection to another protocol."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: IProtocol) -> None:
        self._protocol = protocol
        if self._held is None:
            self._bind(protocol.dataReceived)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write several pieces as one."""
        self.write(b"".join(data))

    def write_buffer_size(self) -> int:
        """Tell how many octets the kernel has not taken yet."""
        if self._raw is not None and self._raw.unsent:
            return self._raw.unsent
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def loseConnection(self) -> None:
        """Send what is written, then close."""
        if self._transport is not None and not self.disconnecting:
            self.disconnecting = True
            self._stop_bulk()
            self._transport.close()

    def abortConnection(self) -> None:
        """Close at once with a reset, so that the peer cannot take it for an orderly end; what is unsent is lost."""
        found = self._socket()
        if found is not None and not self.disconnecting:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._end(error.ConnectionAborted())

    def loseWriteConnection(self) -> None:
        """Send what is written, then tell the peer that no more comes; reading goes on."""
        if self._transport is not None and not self.disconnecting:
            self.write = discard
            self._transport.write_eof()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Let back-pressure reach `producer`.

        Raises:
            RuntimeError: There is a producer already.
        """
        if self._producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self._producer!r} is not unregistered")
        if self._transport is None:
            producer.stopProducing()
            return
        self._producer = (
            cast("IPushProducer", producer) if streaming else PullPusher(self._loop, cast("IPullProducer", producer))
        )
        if self._paused:
            self._producer.pauseProducing()
        elif not streaming:
            self._producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        producer: object = self._producer
        self._producer = None
        if isinstance(producer, PullPusher):
            producer.pauseProducing()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._reading = False
        if self._diverted is not None:
            self._diverted.pause()
        elif self._transport is not None:
            self._transport.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        self._reading = True
        if self._held is not None:
            self._loop.call_soon(self._release)
        elif self._diverted is not None:
            self._diverted.resume()
        elif self._transport is not None:
            self._transport.resume_reading()

    def stopProducing(self) -> None:
        """Close: the consumer of what is read here went away."""
        self.loseConnection()

    def getPeer(self) -> IPv4Address | IPv6Address:
        """Give the other end's address; unknown once the connection is gone."""
        return cast("IPv4Address | IPv6Address", self._address("peername"))  # Twisted's interface knows TCP only

    def getHost(self) -> IPv4Address | IPv6Address:
        """Give this end's address; unknown once the connection is gone."""
        return cast("IPv4Address | IPv6Address", self._address("sockname"))  # Twisted's interface knows TCP only

    def getTcpNoDelay(self) -> bool:
        """Tell whether small writes leave at once; uvloop sees to it from the start."""
        return self._option(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Send small writes at once, or gather them; means nothing on a UNIX socket."""
        self._set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        """Tell whether the kernel probes a silent peer."""
        return self._option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Let the kernel probe a silent peer; means nothing on a UNIX socket."""
        self._set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    # Private.

    def _address(self, name: str) -> IAddress:
        return twisted_address(self._transport.get_extra_info(name) if self._transport is not None else None)

    def _bind(self, data_received: Callable[[bytes], None]) -> None:
        self.data_received = data_received
        if self._transport is not None:
            self._transport.set_protocol(cast("asyncio.Protocol", self))  # uvloop fetches data_received anew

    def _keep_paused(self, transport: asyncio.Transport) -> None:
        """Keep a pause asked for in connectionMade: uvloop starts to read after it, whatever was said."""
        if not self._reading and self._held is None:
            self._held = []
            self._bind(self._held.append)
            self._loop.call_soon(transport.pause_reading)

    def _release(self) -> None:
        """Hand over what came in before that pause took effect, and read on."""
        held, self._held = self._held, None
        if held is None or self._protocol is None or self._transport is None:
            return
        self._bind(self._protocol.dataReceived)
        try:
            for data in held:
                self._protocol.dataReceived(data)
        except Exception as problem:
            log.failure("connection dropped: its protocol failed")
            self._end(problem)
        if self._reading and self._diverted is None and self._transport is not None:
            self._transport.resume_reading()

    def _end(self, reason: Exception) -> None:
        if self._transport is not None:
            self.disconnecting = True
            self._stop_bulk()
            self._reason = self._reason or reason
            self._transport.abort()

    def _loss(self, problem: Exception | None) -> Exception:
        if self._reason is not None:
            return self._reason
        if problem is None:
            return error.ConnectionDone()
        if isinstance(problem, OSError):
            if problem.__traceback__ is not None:
                # uvloop reports an OSError of the protocol's code like one of the network; only the former was raised.
                log.failure("connection dropped: its protocol failed", Failure(problem))
                return problem
            return error.ConnectionLost(str(problem))
        return problem

    def _socket(self) -> socket.socket | None:
        found = self._transport.get_extra_info("socket") if self._transport is not None else None
        return cast("socket.socket", found) if found is not None and found.family in INTERNET_FAMILIES else None

    def _option(self, level: int, name: int) -> bool:
        found = self._socket()
        return bool(found.getsockopt(level, name)) if found is not None else False

    def _set_option(self, level: int, name: int, enabled: bool) -> None:
        found = self._socket()
        if found is not None:
            found.setsockopt(level, name, int(enabled))
