"""The link between the leader and one worker: messages with their length in front, over a socket of their own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from twisted.internet.interfaces import IAddress, IPushProducer, IReactorSocket
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.workers.messages import LONGEST, BadMessage, FromLeader, FromWorker, write

if TYPE_CHECKING:
    from twisted.internet.unix import Server

log = Logger()

_Heard = TypeVar("_Heard")


class Link(Int32StringReceiver, Generic[_Heard]):
    """One end.

    Args:
        read: Reads the other end's messages.
        heard: Takes them.
        lost: Called once the other end is gone, or has said what is no message.
    """

    MAX_LENGTH = LONGEST

    def __init__(
        self, read: Callable[[bytes], _Heard], heard: Callable[[_Heard], object], lost: Callable[[], object]
    ) -> None:
        self._pace = _Pace()
        self._read = read
        self._heard = heard
        self._lost = lost

    @property
    def full(self) -> bool:
        """Whether the other end does not keep up, so that what is not needed had better not be said."""
        return self._pace.full

    def connectionMade(self) -> None:
        """Watch how fast the other end takes what is said."""
        self._wire.registerProducer(self._pace, True)

    def say(self, *messages: FromLeader | FromWorker) -> None:
        """Send messages; they are dropped where the other end is gone."""
        if self.connected:
            for each in messages:
                self.sendString(write(each))  # type: ignore[no-untyped-call]  # Twisted's has no annotations

    def close(self) -> None:
        """End the link once what was said is on its way."""
        if self.connected:
            self._wire.unregisterProducer()
            self._wire.loseConnection()

    def stringReceived(self, string: bytes) -> None:
        """Take a message."""
        try:
            said = self._read(string)
        except BadMessage as error:
            log.error("a process of the gateway said what none says: {error}", error=error)
            self.paused = True
            self._wire.abortConnection()
            return
        self._heard(said)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass it on."""
        self.connected = 0
        self._lost()

    @property
    def _wire(self) -> Server:
        return cast("Server", self.transport)


Attach = Callable[[socket.socket, Link[FromWorker]], object]
"""Gives a link its socket."""


def attach(reactor: object, sock: socket.socket, link: Link[FromWorker] | Link[FromLeader]) -> None:
    """Give a link its socket, which is the link's from here on."""
    sock.setblocking(False)
    cast("IReactorSocket", reactor).adoptStreamConnection(sock.fileno(), socket.AF_UNIX, _Once(link))  # type: ignore[arg-type]  # it takes any factory
    sock.close()  # the reactor has made a descriptor of its own


class _Once(Factory):
    """Makes the one protocol."""

    noisy = False

    def __init__(self, link: Protocol) -> None:
        self._link = link

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._link


@implementer(IPushProducer)
class _Pace:
    """Knows whether the other end keeps up."""

    def __init__(self) -> None:
        self.full = False

    def pauseProducing(self) -> None:
        self.full = True

    def resumeProducing(self) -> None:
        self.full = False

    def stopProducing(self) -> None:
        self.full = True
