from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import uvloop
from twisted.internet import error
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from gateway.errors import ConnectionRefused, ConnectionTimeout
from gateway.net.endpoints import backlog, client_endpoint, server_endpoint, write_buffer_size
from gateway.net.loop_endpoints import LoopServerEndpoint
from gateway.net.transport import LoopTransport
from tests.support.loops import FakeLoop, FakeLoopTransport


class OnUvloop(MemoryReactorClock):
    _asyncioEventloop: object  # noqa: N815 - Twisted's name


@pytest.fixture
def reactor() -> Iterator[OnUvloop]:
    made = OnUvloop()
    made._asyncioEventloop = uvloop.new_event_loop()
    yield made
    made._asyncioEventloop.close()


def test_choice(reactor: OnUvloop) -> None:
    """Under a reactor on uvloop its transports are used, under any other Twisted's."""
    sock = SimpleNamespace()
    assert isinstance(server_endpoint(reactor, sock), LoopServerEndpoint)
    assert not isinstance(server_endpoint(MemoryReactorClock(), sock), LoopServerEndpoint)


def test_refused_on_twisted() -> None:
    """On Twisted's transports too a refusal is told in the gateway's terms."""
    reactor = MemoryReactorClock()
    failed = client_endpoint(reactor, path="/run/a.sock", timeout=3).connect(Factory.forProtocol(Protocol))
    _address, factory, _timeout, _ = reactor.unixClients[0]
    factory.clientConnectionFailed(None, Failure(error.ConnectionRefusedError(111, "refused")))
    failure = SimpleNamespace(value=None)
    failed.addErrback(lambda found: setattr(failure, "value", found.value))
    assert isinstance(failure.value, ConnectionRefused)
    assert str(failure.value) == "unix:/run/a.sock refused the connection"
    assert isinstance(failure.value.__cause__, error.ConnectionRefusedError)


def test_too_slow_on_twisted() -> None:
    """A connection that is not made in time is a time-out that names the upstream."""
    reactor = MemoryReactorClock()
    failures: list[Failure] = []
    failed = client_endpoint(reactor, host="192.0.2.1", port=4000, timeout=3).connect(Factory.forProtocol(Protocol))
    failed.addErrback(failures.append)
    reactor.advance(3)
    assert isinstance(failures[0].value, ConnectionTimeout)
    assert str(failures[0].value) == "192.0.2.1:4000 did not accept the connection within 3 s"


def test_write_buffer_size() -> None:
    """The unsent octets of either kind of transport are known, also under TLS."""
    below = FakeLoopTransport()
    transport = LoopTransport(FakeLoop(), Factory.forProtocol(Protocol))
    below.attach(transport)
    below.unsent = 7
    assert write_buffer_size(transport) == 7
    twisted = SimpleNamespace(dataBuffer=b"abcdef", offset=2, _tempDataLen=3)
    assert write_buffer_size(twisted) == 7
    assert write_buffer_size(SimpleNamespace(transport=twisted)) == 7
    assert write_buffer_size(StringTransport()) == 0


def test_backlog() -> None:
    """The queue of waiting connections is as long as the system allows."""
    assert backlog() >= 128
