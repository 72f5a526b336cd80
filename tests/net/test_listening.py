from __future__ import annotations

import errno
import socket
import stat
from pathlib import Path

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock

from gateway.net import listening
from gateway.net.listeners import ListenAddress, ListenError
from gateway.net.listening import ListenerService


def service(path: Path, reactor: MemoryReactorClock | None = None) -> ListenerService:
    address = ListenAddress(path=str(path))
    return ListenerService(
        reactor or MemoryReactorClock(), address, Factory.forProtocol(Protocol), "gateway.toml: http"
    )


def test_binds_while_privileged(tmp_path: Path) -> None:
    """The socket is bound before privileges are dropped, and connections are not refused from the start on."""
    listener = service(tmp_path / "a.sock")
    listener.privilegedStartService()
    assert listener.hosts == [UNIXAddress(str(tmp_path / "a.sock"))]
    listener.stopService()


def test_cannot_bind(tmp_path: Path) -> None:
    """What cannot be bound stops the start with a sentence that names the setting."""
    with pytest.raises(ListenError, match=r"gateway\.toml: http"):
        service(tmp_path / "none" / "a.sock").privilegedStartService()


class Taken:
    """An endpoint at whose address another socket listens already."""

    def listen(self, factory: object) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")


def test_cannot_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who began to listen after both were bound is named in a sentence too."""
    monkeypatch.setattr("gateway.net.listening.server_endpoint", lambda *_: Taken())
    listener = service(tmp_path / "a.sock")
    listener.privilegedStartService()
    with pytest.raises(ListenError, match=r"gateway\.toml: http.*already in use; another program listens there"):
        listener.startService()
    listener.stopService()


def test_stopped_before_started(tmp_path: Path) -> None:
    """A listener that never started leaves no socket open."""
    listener = service(tmp_path / "a.sock")
    listener.privilegedStartService()
    listener.stopService()
    with socket.socket(socket.AF_UNIX) as client, pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        client.connect(str(tmp_path / "a.sock"))


@pytest.mark.parametrize("order", [("privilegedStartService", "startService"), ("startService",)])
def test_listens_once_started(tmp_path: Path, order: tuple[str, ...]) -> None:
    """Started, it listens, whether or not it was bound before."""
    reactor = MemoryReactorClock()
    listener = service(tmp_path / "a.sock", reactor)
    for step in order:
        getattr(listener, step)()
    assert len(reactor.getReaders()) == 1
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "a.sock"))
    assert stat.S_IMODE((tmp_path / "a.sock").stat().st_mode) == 0o660
    listener.stopService()
    reactor.advance(0)


class LatePort:
    """An endpoint and its port, which listens when told to."""

    def __init__(self, reactor: object, sock: socket.socket, tls: object) -> None:
        self.sock = sock
        self.listening: Deferred[LatePort] = Deferred()

    def listen(self, factory: Factory) -> Deferred[LatePort]:
        return self.listening

    def stopListening(self) -> None:
        self.sock.close()


def test_stopped_before_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that comes about after the stop is closed, and the stop waits for it."""
    ports: list[LatePort] = []
    monkeypatch.setattr(listening, "server_endpoint", lambda *these: ports.append(LatePort(*these)) or ports[0])
    listener = service(tmp_path / "a.sock")
    listener.startService()
    stopped: list[object] = []
    listener.stopService().addCallback(stopped.append)
    assert stopped == []
    ports[0].listening.callback(ports[0])
    assert ports[0].sock.fileno() == -1
    assert stopped
