"""The smallest service on the gateway's reactor, options and listeners: says which reactor it runs on, then echoes."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.application.service import MultiService
from twisted.internet.protocol import Factory, Protocol

from gateway.net.listeners import parse_listen
from gateway.net.listening import ListenerService
from gateway.net.loop import loop_of
from gateway.options import Options as Options


class Echo(Protocol):
    reactor: object

    def connectionMade(self) -> None:
        kind = "uvloop" if loop_of(self.reactor) else type(self.reactor).__name__
        self.transport.write(f"{kind} {type(self.transport).__name__} uid={os.getuid()}\n".encode())

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


def makeService(options: Options) -> MultiService:
    from twisted.internet import reactor

    Echo.reactor = reactor
    service = MultiService()
    for line in (Path(options.folder) / "listen").read_text().split():
        ListenerService(reactor, parse_listen(line), Factory.forProtocol(Echo), "listen").setServiceParent(service)
    return service
