"""The demo app on an in-memory transport."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from gateway.demo.app import demo_site


class SlowTransport(StringTransport):
    """Has room for one write of 64 KB or more at a time, as a socket with a slow reader."""

    protocol: IProtocol

    def write(self, data: bytes) -> None:
        super().write(data)
        if len(data) >= 65536 and self.producer is not None:
            self.producer.pauseProducing()


class DemoConnection:
    """One client connection to the demo app, whose time is a `Clock`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.transport = SlowTransport()
        self._site = Site(demo_site(self.clock), reactor=self.clock)
        self._channel = self._site.buildProtocol(None)
        self.transport.protocol = self._channel
        self._channel.makeConnection(self.transport)

    def ask(
        self, target: str, *fields: str, host: str = "app.localhost", method: str = "GET", body: bytes = b""
    ) -> str:
        """Send one request.

        Returns:
            What has been answered until now, head and body.
        """
        self.transport.clear()
        length = [f"Content-Length: {len(body)}"] if body else []
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, *length, "", ""]
        self._channel.dataReceived("\r\n".join(lines).encode() + body)
        return self.answered()

    def answered(self) -> str:
        """What the transport holds since the last request."""
        return self.transport.value().decode("latin-1")

    def send(self, data: bytes) -> None:
        """Bytes behind the request, once the connection has become something else."""
        self.transport.protocol.dataReceived(data)

    def lose(self) -> None:
        """The client goes away."""
        self._channel.connectionLost(Failure(ConnectionDone()))
