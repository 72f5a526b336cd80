"""The leader's listening sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway.config.model import GatewayConfig
from gateway.net.listeners import ListenAddress, ListenError
from gateway.workers.sockets import ListeningSockets, flat


def names(descriptors: tuple[int, ...]) -> list[object]:
    found = []
    for descriptor in descriptors:
        with socket.socket(fileno=descriptor) as sock:
            found.append(sock.getsockname())
            sock.detach()
    return found


def test_sockets_of_all_listeners(tmp_path: Path) -> None:
    """Descriptors come by place and listener; a UNIX socket is shared; after the end no file is left."""
    plain, secure = tmp_path / "plain", ListenAddress("127.0.0.1", 0)
    config = GatewayConfig(http=(ListenAddress(path=str(plain)),), https=(secure,), workers=2)
    sockets = ListeningSockets(config, tmp_path)
    sockets.bind()
    first, second = sockets.descriptors
    assert first[0] == second[0]
    assert names(first[0]) == [str(plain)]
    assert first[1] != second[1]
    assert names(first[1]) == names(second[1])
    assert flat(sockets.descriptors) == (*first[0], *first[1], *second[1])
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(plain))
    sockets.listen()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(plain))
    sockets.close()
    assert not plain.exists()
    assert sockets.descriptors == ((), ())


def test_no_second_gateway(tmp_path: Path) -> None:
    """A port that another gateway of the same user has is taken, though both could share it."""
    first = ListeningSockets(GatewayConfig(http=(ListenAddress("127.0.0.1", 0),), https=(), workers=2), tmp_path)
    first.bind()
    first.listen()
    ((_, port),) = {name for name in names(flat(first.descriptors)) if isinstance(name, tuple)}
    second = ListeningSockets(GatewayConfig(http=(ListenAddress("127.0.0.1", port),), https=(), workers=2), tmp_path)
    with pytest.raises(ListenError, match="in use"):
        second.bind()
    first.close()


def test_what_cannot_be_bound(tmp_path: Path) -> None:
    """The error names the setting."""
    config = GatewayConfig(http=(), https=(ListenAddress(path=str(tmp_path / "none" / "a")),))
    sockets = ListeningSockets(config, tmp_path)
    with pytest.raises(ListenError, match=r"gateway\.toml: https"):
        sockets.bind()
    sockets.close()
