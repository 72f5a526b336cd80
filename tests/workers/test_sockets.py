"""The leader's listening sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway.config.model import GatewayConfig
from gateway.net.listeners import ListenAddress, ListenError
from gateway.workers.sockets import ListeningSockets, flat


def test_sockets_of_all_listeners(tmp_path: Path) -> None:
    """Descriptors come in the order of listeners; after the end no file is left."""
    plain, secure = tmp_path / "plain", tmp_path / "secure"
    config = GatewayConfig(http=(ListenAddress(path=str(plain)),), https=(ListenAddress(path=str(secure)),))
    sockets = ListeningSockets(config, tmp_path)
    sockets.bind()
    names = []
    for descriptor in flat(sockets.descriptors):
        with socket.socket(fileno=descriptor) as found:
            names.append(found.getsockname())
            found.detach()
    assert names == [str(plain), str(secure)]
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(plain))
    sockets.listen()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(plain))
    sockets.close()
    assert not plain.exists()
    assert not secure.exists()


def test_what_cannot_be_bound(tmp_path: Path) -> None:
    """The error names the setting."""
    config = GatewayConfig(http=(), https=(ListenAddress(path=str(tmp_path / "none" / "a")),))
    sockets = ListeningSockets(config, tmp_path)
    with pytest.raises(ListenError, match=r"gateway\.toml: https"):
        sockets.bind()
    sockets.close()
